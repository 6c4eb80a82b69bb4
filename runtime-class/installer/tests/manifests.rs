//! Values that appear both in the installer and in a manifest, the Dockerfile or
//! README are equal.

// With this, clippy lets helpers panic, too: see clippy.toml.
#![cfg(test)]

use std::fs;
use std::path::Path;
use std::process::Command;

fn read(path: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(folder.join(path)).unwrap()
}

fn help(verb: &str) -> String {
    let installer = Command::new(env!("CARGO_BIN_EXE_node-installer"))
        .args([verb, "--help"])
        .output()
        .unwrap();
    String::from_utf8(installer.stdout).unwrap()
}

/// The default of one of the installer's options, from its help.
fn default_of(option: &str) -> String {
    let help = help("watch");
    let (_, rest) = help.split_once(&format!("--{option} ")).unwrap();
    let (_, rest) = rest.split_once("[default: ").unwrap();
    rest.split_once(']').unwrap().0.to_owned()
}

#[test]
fn the_policy_and_readme_name_the_startup_taint() {
    let taint = default_of("startup-taint");
    assert!(read("base/policy.yaml").contains(&format!("'{taint}'")));
    assert!(read("README.md").contains(&format!("{taint}=pending:NoSchedule")));
}

#[test]
fn the_policy_and_readme_name_the_own_taint_and_the_condition() {
    for file in ["base/policy.yaml", "README.md"] {
        let file = read(file);
        assert!(file.contains("status-taint.cluster-autoscaler.kubernetes.io/wasm-runtime"));
        assert!(file.contains("WasmRuntimeReady"));
    }
}

#[test]
fn the_runtime_class_and_the_pods_have_the_same_handler() {
    let handler = default_of("handler");
    let variable = |handler: &str| format!("- name: HANDLER\n              value: {handler}\n");
    assert!(read("base/runtimeclass.yaml").contains(&format!("\nhandler: {handler}\n")));
    let daemonset = read("base/daemonset.yaml");
    assert!(daemonset.contains(&variable(&handler)));
    assert_eq!(daemonset.matches("HANDLER").count(), 1);

    let overlay = read("spin-v2/kustomization.yaml");
    assert_eq!(values_after(&overlay, "\n      handler: "), ["spin-v2"]);
    assert_eq!(
        values_after(&overlay, "- name: HANDLER\n"),
        ["value: spin-v2"]
    );
}

/// What follows each occurrence of the text in its line, or in the next one.
fn values_after<'a>(file: &'a str, text: &str) -> Vec<&'a str> {
    file.split(text)
        .skip(1)
        .map(|rest| rest.lines().next().unwrap().trim())
        .collect()
}

#[test]
fn the_image_and_the_kind_of_node_are_set_in_one_place() {
    let settings = read("settings/kustomization.yaml");
    assert!(settings.contains("  - name: node-installer\n    newName: "));
    assert!(settings.contains("components:\n"));
    for (file, component) in [
        ("kustomization.yaml", "settings"),
        ("spin-v2/kustomization.yaml", "../settings"),
    ] {
        let file = read(file);
        assert!(file.contains(&format!("components:\n  - {component}\n")));
        assert!(!file.contains("newName") && !file.contains("nodes/"));
    }
}

#[test]
fn the_pods_mount_the_folders_that_the_installer_writes() {
    let mounted = |manifest: &str, folder: &str| {
        let manifest = read(manifest);
        assert!(manifest.contains(&format!("mountPath: /host{folder}\n")));
        assert!(manifest.contains(&format!("path: {folder}\n")));
    };
    assert!(default_of("config").starts_with("/etc/containerd/"));
    mounted("base/daemonset.yaml", "/etc/containerd");

    for (nodes, folder) in [
        ("gke", "/home/kubernetes/bin"),
        ("usr-local", "/usr/local/lib"),
    ] {
        let manifest = format!("nodes/{nodes}/kustomization.yaml");
        mounted(&manifest, folder);
        let shim = read(&manifest);
        let [shim] = values_after(&shim, "value: ")[..] else {
            panic!("{manifest} sets one variable, SHIM");
        };
        assert!(shim.starts_with(&format!("{folder}/")), "{shim}");
        assert!(read("README.md").contains(&format!("`{shim}`")), "{shim}");
    }
    assert!(
        read("nodes/gke/kustomization.yaml").contains(&format!("value: {}\n", default_of("shim")))
    );
}

#[test]
fn the_variables_of_the_pods_are_options_of_both_verbs() {
    for manifest in [
        "base/daemonset.yaml",
        "nodes/gke/kustomization.yaml",
        "nodes/usr-local/kustomization.yaml",
        "spin-v2/kustomization.yaml",
    ] {
        let manifest = read(manifest);
        let variables: Vec<_> = values_after(&manifest, "- name: ")
            .into_iter()
            .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
            .collect();
        assert!(!variables.is_empty());
        for verb in ["watch", "uninstall"] {
            let help = help(verb);
            for variable in &variables {
                assert!(help.contains(&format!("[env: {variable}=")), "{variable}");
            }
        }
    }
}

#[test]
fn the_readiness_probe_reads_a_file_in_a_volume() {
    let help = help("ready");
    let (_, file) = help.split_once("[default: ").unwrap();
    let (file, _) = file.split_once(']').unwrap();
    let folder = Path::new(file).parent().unwrap().display().to_string();
    let daemonset = read("base/daemonset.yaml");
    assert!(daemonset.contains(&format!(
        "- name: ready\n              mountPath: {folder}\n"
    )));
    assert!(daemonset.contains("command: [/node-installer, ready]\n"));
}

#[test]
fn the_root_of_the_node_is_read_only_with_all_mounts_below_it() {
    let daemonset = read("base/daemonset.yaml");
    let (_, root) = daemonset.split_once("mountPath: /host\n").unwrap();
    let (root, _) = root.split_once("- name: ").unwrap();
    assert!(root.contains("readOnly: true\n"));
    assert!(root.contains("recursiveReadOnly: IfPossible\n"));
    // The API server refuses any other propagation together with recursiveReadOnly.
    assert!(!daemonset.contains("mountPropagation: "));
}

#[test]
fn uninstall_is_a_patch_of_the_daemonset_with_another_verb() {
    let (daemonset, patch) = (read("base/daemonset.yaml"), read("uninstall.yaml"));
    for line in [
        "kind: DaemonSet\n",
        "  name: node-installer\n  namespace: swiss-node-installer\n",
        "        - name: node-installer\n",
    ] {
        assert!(daemonset.contains(line) && patch.contains(line), "{line}");
    }
    assert!(daemonset.contains("args: [watch]\n"));
    assert!(patch.contains("args: [uninstall, --stay]\n"));
    assert!(help("uninstall").contains("--stay"));
    assert!(read("README.md").contains("--patch-file runtime-class/uninstall.yaml"));
}

#[test]
fn the_image_has_the_shim_at_the_default_path_and_the_projects_rust() {
    let image = read("Dockerfile");
    let source = default_of("shim-source");
    assert!(
        image.contains("COPY --from=shim /shim/ /\n")
            && image.contains(&format!("tar -xzf /archive/shim.tar.gz {}", &source[1..]))
    );
    let toolchain = read("../rust-toolchain.toml");
    let rust = toolchain
        .split("channel = \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert!(
        image.contains(&format!("rust:{rust}-alpine"))
            && image.contains(&format!("RUSTUP_TOOLCHAIN={rust}"))
    );
}

#[test]
fn the_readme_shows_the_added_configuration() {
    use swiss_node_installer::config::{Runtime, add};
    let runtime = Runtime {
        handler: "spin".to_owned(),
        shim: default_of("shim"),
        systemd_cgroup: Some(true),
        local_image_pull: true,
    };
    let added = String::from_utf8(add(b"version = 2\n", &runtime).unwrap()).unwrap();
    let shown = added.strip_prefix("version = 2\n\n").unwrap();
    assert!(read("README.md").contains(shown), "{shown}");
}
