//! Every containerd, with every version of the configuration that it reads.

use std::fs;
use std::thread;

use swiss_node_installer::config::{Runtime, add, remove};
use swiss_node_installer::judge::{judge_added, judge_removed};

use crate::support::containerd::{Containerd, Style, gke};
use crate::support::{Node, containerds, printed};

/// The runtime that the installer adds on this node.
fn runtime(node: &Node) -> Runtime {
    Runtime {
        handler: "spin".to_owned(),
        shim: node.shim().display().to_string(),
        systemd_cgroup: Some(true),
        local_image_pull: node.containerd.version >= (2, 1, 0),
    }
}

fn for_each_containerd(test: impl Fn(&Containerd, Option<u8>) + Sync) {
    thread::scope(|scope| {
        for containerd in containerds() {
            let test = &test;
            scope.spawn(move || {
                for version in containerd.config_versions() {
                    test(&containerd, *version);
                }
            });
        }
    });
}

#[test]
fn containerd_keeps_every_setting_in_every_style() {
    for_each_containerd(|containerd, version| {
        for style in Style::ALL {
            let what = format!(
                "containerd {:?}, version {version:?}, {style:?}",
                containerd.version
            );
            let node = Node::prepare(containerd, |folder| gke(version, style, folder));
            let original = fs::read(node.config()).unwrap();
            let before = containerd.dump(&node.config()).expect(&what);
            let runtime = runtime(&node);

            fs::write(node.config(), add(&original, &runtime).expect(&what)).unwrap();
            let after = containerd.dump(&node.config()).expect(&what);
            judge_added(&before, &after, &runtime).expect(&what);
            assert_eq!(
                after.local_image_pull(),
                runtime.local_image_pull.then_some(true),
                "{what}"
            );

            let restored = remove(&fs::read(node.config()).unwrap(), &runtime).expect(&what);
            assert_eq!(restored, original, "{what}");
            judge_removed(&after, &before, "spin").expect(&what);
        }
    });
}

#[test]
fn a_second_install_changes_nothing_and_uninstall_restores_every_byte() {
    for_each_containerd(|containerd, version| {
        let what = format!("containerd {:?}, version {version:?}", containerd.version);
        let node = Node::start(containerd, |folder| gke(version, Style::Imports, folder));
        let original = node.read_config();
        let before = containerd.dump(&node.config()).unwrap();

        node.must("install");
        let after = containerd.dump(&node.config()).unwrap();
        judge_added(&before, &after, &runtime(&node)).unwrap();
        assert!(
            node.status().unwrap().handlers.contains(&"spin".to_owned()),
            "{what}"
        );
        assert_eq!(
            fs::read(node.shim()).unwrap(),
            fs::read(node.path("shim")).unwrap(),
            "{what}"
        );
        assert_eq!(node.restarts(), 1, "{what}");

        node.must("install");
        node.must("verify");
        assert_eq!(node.restarts(), 1, "{what}: after the second install");

        node.must("uninstall");
        assert_eq!(node.read_config(), original, "{what}");
        assert!(
            !node.status().unwrap().handlers.contains(&"spin".to_owned()),
            "{what}"
        );
        assert_eq!(node.leftovers(), Vec::<String>::new(), "{what}");
    });
}

#[test]
fn a_drop_in_that_loses_the_nodes_settings_is_detected() {
    // From 2.3 on, containerd migrates each file separately.
    for containerd in containerds()
        .into_iter()
        .filter(|containerd| containerd.version < (2, 3, 0))
    {
        let (version, plugin) = match containerd.version {
            (1, ..) => (2, "io.containerd.grpc.v1.cri"),
            _ => (3, "io.containerd.cri.v1.runtime"),
        };
        let node = Node::prepare(&containerd, |folder| gke(Some(2), Style::Imports, folder));
        let before = containerd.dump(&node.config()).unwrap();
        let runtime = runtime(&node);
        let drop_in = format!(
            "version = {version}\n[plugins.\"{plugin}\".containerd.runtimes.spin]\nruntime_type = \"{}\"\n",
            runtime.shim
        );
        fs::write(node.path("etc/conf.d/spin.toml"), drop_in).unwrap();
        let after = containerd.dump(&node.config()).unwrap();
        assert_eq!(after.runtime_type("spin"), Some(runtime.shim.as_str()));
        let judgement = judge_added(&before, &after, &runtime)
            .unwrap_err()
            .to_string();
        assert!(judgement.contains(".cni.bin_dir"), "{judgement}");
    }
}

/// Programs that parse TOML and write it anew lose the installer's comments.
#[test]
fn a_file_that_another_program_has_rewritten_is_installed_and_can_be_uninstalled() {
    for_each_containerd(|containerd, version| {
        let what = format!("containerd {:?}, version {version:?}", containerd.version);
        let node = Node::start(containerd, |folder| gke(version, Style::Gke, folder));
        node.must("install");
        let values: serde_json::Value = toml_edit::de::from_str(&node.read_config()).unwrap();
        fs::write(
            node.config(),
            toml_edit::ser::to_string_pretty(&values).unwrap(),
        )
        .unwrap();
        let rewritten = containerd.dump(&node.config()).unwrap();

        let restarts = node.restarts();
        node.must("install");
        assert_eq!(node.restarts(), restarts, "{what}: nothing is to do");

        let output = node.run("uninstall");
        let printed = printed(&output);
        assert!(output.status.success(), "{what}: {printed}");
        assert!(
            printed.contains("use_local_image_pull"),
            "{what}: {printed}"
        );
        let after = containerd.dump(&node.config()).unwrap();
        judge_removed(&rewritten, &after, "spin").expect(&what);
        assert!(
            !node.status().unwrap().handlers.contains(&"spin".to_owned()),
            "{what}"
        );
    });
}
