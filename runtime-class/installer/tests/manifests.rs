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

/// The default of one of the installer's options, from its help.
fn default_of(option: &str) -> String {
    let installer = Command::new(env!("CARGO_BIN_EXE_node-installer"))
        .args(["watch", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(installer.stdout).unwrap();
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
fn the_runtime_class_and_the_pods_have_the_default_handler() {
    let handler = default_of("handler");
    assert!(read("base/runtimeclass.yaml").contains(&format!("\nhandler: {handler}\n")));
    let value = format!("- name: HANDLER\n              value: {handler}\n");
    assert_eq!(read("base/daemonset.yaml").matches(&value).count(), 2);
    assert_eq!(read("uninstall/job.yaml").matches(&value).count(), 1);
}

#[test]
fn the_image_is_named_in_one_place() {
    assert!(read("image/kustomization.yaml").contains("name: node-installer\n    newName: "));
    for (file, component) in [
        ("kustomization.yaml", "image"),
        ("spin-v2/kustomization.yaml", "../image"),
        ("uninstall/kustomization.yaml", "../image"),
    ] {
        let file = read(file);
        assert!(file.contains(&format!("components:\n  - {component}\n")));
        assert!(!file.contains("newName"));
    }
}

#[test]
fn the_pods_mount_the_folders_that_the_installer_writes() {
    for manifest in ["base/daemonset.yaml", "uninstall/job.yaml"] {
        let manifest = read(manifest);
        for (option, folder) in [
            ("config", "/etc/containerd"),
            ("shim", "/home/kubernetes/bin"),
        ] {
            assert!(default_of(option).starts_with(&format!("{folder}/")));
            assert!(manifest.contains(&format!("mountPath: /host{folder}\n")));
            assert!(manifest.contains(&format!("path: {folder}\n")));
        }
    }
    assert!(read("README.md").contains(&format!("`{}`", default_of("shim"))));
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
