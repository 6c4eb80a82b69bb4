//! The edit of thousands of generated configurations. The TOML parser decides what
//! a text means.

// With this, clippy lets helpers panic, too: see clippy.toml.
#![cfg(test)]

mod generate;
mod writer;

use proptest::prelude::*;
use serde_json::Value;
use swiss_node_installer::config::{self, Runtime};

use generate::{Generated, configs, runtimes_of};

fn runtimes() -> impl Strategy<Value = Runtime> {
    let handler = prop::sample::select(vec!["spin", "spin-v2"]);
    let systemd_cgroup = prop::sample::select(vec![None, Some(false), Some(true)]);
    (handler, systemd_cgroup, any::<bool>()).prop_map(
        |(handler, systemd_cgroup, local_image_pull)| Runtime {
            handler: handler.to_owned(),
            shim: "/home/kubernetes/bin/spin/containerd-shim-spin-v2".to_owned(),
            systemd_cgroup,
            local_image_pull,
        },
    )
}

fn add(config: &str, runtime: &Runtime) -> String {
    String::from_utf8(config::add(config.as_bytes(), runtime).unwrap()).unwrap()
}

fn remove(config: &str, runtime: &Runtime) -> String {
    String::from_utf8(config::remove(config.as_bytes(), runtime).unwrap()).unwrap()
}

fn parse(config: &str) -> Value {
    toml_edit::de::from_str(config).unwrap()
}

/// Removes the value at the path from the tree, and the tables that it leaves empty.
fn take(tree: &mut Value, path: &[&str]) -> Option<Value> {
    let table = tree.as_object_mut()?;
    let (key, rest) = path.split_first()?;
    if rest.is_empty() {
        return table.remove(*key);
    }
    let inner = table.get_mut(*key)?;
    let taken = take(inner, rest);
    if inner.as_object().is_some_and(serde_json::Map::is_empty) {
        table.remove(*key);
    }
    taken
}

fn without_empty_tables(tree: &mut Value) {
    if let Some(table) = tree.as_object_mut() {
        table.values_mut().for_each(without_empty_tables);
        table.retain(|_, value| !value.as_object().is_some_and(serde_json::Map::is_empty));
    }
}

/// As a program leaves the file that parses it and writes it anew.
fn rewritten(config: &str) -> String {
    toml_edit::ser::to_string_pretty(&parse(config)).unwrap()
}

/// As AKS writes it for containerd 2.0 to 2.2, which then ignores the older table.
#[test]
fn a_file_of_version_2_with_runtimes_in_the_newer_table_gets_the_handler_there() {
    let runtime = Runtime {
        handler: "spin".to_owned(),
        shim: "/opt/shim".to_owned(),
        systemd_cgroup: Some(true),
        local_image_pull: true,
    };
    let runtimes = "[plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes";
    let text = format!("version = 2\n{runtimes}.runc]\nruntime_type = \"io.containerd.runc.v2\"\n");
    let changed = add(&text, &runtime);
    assert!(changed.contains(&format!("{runtimes}.spin]")), "{changed}");
    assert_eq!(remove(&changed, &runtime), text);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn add_changes_only_the_handler_and_the_local_image_pull(Generated { text, version } in configs(), runtime in runtimes()) {
        let mut before = parse(&text);
        let mut after = parse(&add(&text, &runtime));

        let handler = [&["plugins"], &runtimes_of(version)[..], &[runtime.handler.as_str()]].concat();
        let added = take(&mut after, &handler).unwrap();
        prop_assert_eq!(added["runtime_type"].as_str(), Some(runtime.shim.as_str()));
        prop_assert_eq!(added["options"]["SystemdCgroup"].as_bool(), runtime.systemd_cgroup);
        let pull = ["plugins", "io.containerd.cri.v1.images", "use_local_image_pull"];
        if runtime.local_image_pull && take(&mut before.clone(), &pull).is_none() {
            prop_assert_eq!(take(&mut after, &pull), Some(Value::Bool(true)));
        }
        without_empty_tables(&mut before);
        without_empty_tables(&mut after);
        prop_assert_eq!(before, after);
    }

    #[test]
    fn add_keeps_every_byte_and_the_style_of_line_endings(Generated { text, .. } in configs(), runtime in runtimes()) {
        let changed = add(&text, &runtime);
        let mut rest = changed.bytes();
        prop_assert!(text.bytes().all(|byte| rest.any(|other| other == byte)), "{}", changed);
        prop_assert!(!text.contains("\r\n") || !changed.replace("\r\n", "").contains('\n'), "{}", changed);
    }

    #[test]
    fn adding_twice_equals_adding_once(Generated { text, .. } in configs(), runtime in runtimes()) {
        let once = add(&text, &runtime);
        prop_assert_eq!(add(&once, &runtime), once);
    }

    #[test]
    fn adding_another_runtime_replaces_the_first(Generated { text, .. } in configs(), first in runtimes(), second in runtimes()) {
        let second = Runtime { handler: first.handler.clone(), ..second };
        prop_assert_eq!(add(&add(&text, &first), &second), add(&text, &second));
    }

    #[test]
    fn remove_restores_the_original_bytes(Generated { text, .. } in configs(), runtime in runtimes()) {
        let changed = add(&text, &runtime);
        prop_assert_ne!(&changed, &text);
        prop_assert_eq!(remove(&changed, &runtime), text);
    }

    #[test]
    fn remove_without_add_changes_nothing(Generated { text, .. } in configs(), runtime in runtimes()) {
        prop_assert_eq!(remove(&text, &runtime), text);
    }

    #[test]
    fn a_handler_without_marks_is_removed_by_its_shim(Generated { text, version } in configs(), runtime in runtimes()) {
        let rewritten = rewritten(&add(&text, &runtime));
        let removed = config::remove_unmarked(rewritten.as_bytes(), &runtime).unwrap().unwrap();
        let mut removed = parse(&String::from_utf8(removed).unwrap());
        let mut expected = parse(&rewritten);
        take(&mut expected, &[&["plugins"], &runtimes_of(version)[..], &[runtime.handler.as_str()]].concat()).unwrap();
        without_empty_tables(&mut removed);
        without_empty_tables(&mut expected);
        prop_assert_eq!(removed, expected);
        let elsewhere = Runtime { shim: "/opt/other".to_owned(), ..runtime };
        prop_assert_eq!(config::remove_unmarked(rewritten.as_bytes(), &elsewhere).unwrap(), None);
    }

    #[test]
    fn a_handler_with_another_shim_is_refused(Generated { text, .. } in configs(), runtime in runtimes()) {
        let elsewhere = Runtime { shim: "/opt/rcm/bin/containerd-shim-spin-v2".to_owned(), ..runtime.clone() };
        // Without the marks, the handler belongs to another program.
        let others = add(&text, &elsewhere).replace("swiss-node-installer", "other");
        let refusal = config::add(others.as_bytes(), &runtime).unwrap_err().to_string();
        prop_assert!(refusal.contains("/opt/rcm/bin/containerd-shim-spin-v2"), "{}", refusal);
    }
}
