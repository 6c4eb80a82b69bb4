//! The installer as in its container: with another root and one capability, and its
//! output and errors.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::containerd::{Style, gke};
use crate::support::{Node, Watch, containerds, printed};

fn gke_node() -> Node {
    Node::start(&containerds().pop().unwrap(), |folder| {
        gke(Some(2), Style::Gke, folder)
    })
}

#[test]
fn the_nodes_programs_run_with_the_nodes_root() {
    let node = gke_node();
    // Another path of the same root: the installer treats it as another root.
    let installer = |verb: &str| {
        let mut installer = node.installer(verb);
        let output = installer
            .env("HOST_ROOT", "/proc/self/root")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", printed(&output));
    };
    for verb in ["plan", "install", "verify", "uninstall"] {
        installer(verb);
    }
    assert_eq!(node.restarts(), 2);
    assert_eq!(node.leftovers(), Vec::<String>::new());
}

#[test]
fn plan_prints_the_exact_diff_and_changes_nothing() {
    let node = gke_node();
    let before = node.read_config();
    let plan = node.must("plan");
    assert_eq!(node.read_config(), before);
    assert_eq!(node.leftovers(), Vec::<String>::new());
    assert_eq!(node.restarts(), 0);

    node.must("install");
    let patch = node.path("plan.patch");
    fs::write(&patch, &plan).unwrap();
    fs::write(node.path("patched"), &before).unwrap();
    let mut command = Command::new("patch");
    let patched = command
        .arg(node.path("patched"))
        .arg(&patch)
        .output()
        .unwrap();
    assert!(patched.status.success(), "{}", printed(&patched));
    assert_eq!(
        fs::read_to_string(node.path("patched")).unwrap(),
        node.read_config()
    );
    assert!(
        plan.contains(&format!("place {}", node.shim().display())),
        "{plan}"
    );
    assert_eq!(node.must("plan"), "nothing to do\n");
}

#[test]
fn verify_says_what_is_missing() {
    let node = gke_node();
    let error = node.must_fail("verify");
    assert!(error.contains("has the handler: NO"), "{error}");
    node.must("install");
    fs::remove_file(node.shim()).unwrap();
    let error = node.must_fail("verify");
    assert!(error.contains("containerd-shim-spin-v2: NO"), "{error}");
    assert!(
        error.contains("the running containerd has the handler: yes"),
        "{error}"
    );
}

#[test]
fn on_a_full_disk_the_install_fails_and_leaves_nothing() {
    let node = gke_node();
    let before = node.read_config();
    for (folder, size) in [("home/kubernetes/bin", "64k"), ("etc", "8k")] {
        let mount = node.path(folder);
        fs::create_dir_all(&mount).unwrap();
        let error = install_with_mount(&node, &mount, &format!("size={size}"));
        assert!(error.contains("No space left on device"), "{error}");
        assert_eq!(node.read_config(), before);
        assert_eq!(node.leftovers(), Vec::<String>::new());
        assert_eq!(node.restarts(), 0);
    }
}

#[test]
fn on_a_file_system_that_runs_no_programs_the_install_fails_and_leaves_nothing() {
    let node = gke_node();
    let before = node.read_config();
    let mount = node.path("home/kubernetes/bin");
    fs::create_dir_all(&mount).unwrap();
    let error = install_with_mount(&node, &mount, "noexec");
    assert!(error.contains("is mounted with noexec"), "{error}");
    assert_eq!(node.read_config(), before);
    assert_eq!(node.leftovers(), Vec::<String>::new());
    assert_eq!(node.restarts(), 0);
}

/// Installs with another, small file system at `mount`, in the installer's mount
/// namespace only.
fn install_with_mount(node: &Node, mount: &Path, options: &str) -> String {
    let script = "cp -a $MOUNT $MOUNT.copy && mount -t tmpfs -o $OPTIONS none $MOUNT && \
                  cp -a $MOUNT.copy/. $MOUNT && rm -r $MOUNT.copy && head -c 1M /dev/zero >$MOUNT/ballast 2>/dev/null; \
                  $INSTALLER install; status=$?; ls -A $MOUNT >&2; exit $status";
    let installer = node.installer("install");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]);
    for (name, value) in installer.get_envs() {
        command.env(name, value.unwrap());
    }
    let program = installer.get_program().to_owned();
    let command = command
        .env("INSTALLER", program)
        .env("MOUNT", mount)
        .env("OPTIONS", options);
    let output = command.output().unwrap();
    assert!(!output.status.success());
    printed(&output)
}

#[test]
fn the_capabilities_sys_chroot_and_chown_are_enough() {
    let node = gke_node();
    // With the capabilities of the DaemonSet's container.
    let installer = node.installer("install");
    let mut command = Command::new("setpriv");
    command
        .args([
            "--no-new-privs",
            "--inh-caps=-all",
            "--bounding-set=-all,+sys_chroot,+chown",
        ])
        .arg(installer.get_program())
        .arg("install");
    for (name, value) in installer.get_envs() {
        command.env(name, value.unwrap());
    }
    let output = command
        .env("HOST_ROOT", "/proc/self/root")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", printed(&output));
    node.must("verify");
    assert_eq!(node.restarts(), 1);
}

#[test]
fn a_restart_that_has_begun_is_finished_after_sigterm() {
    let node = gke_node();
    let script = format!(
        "cd {}; touch begun; while [ -f hold ]; do sleep 0.05; done\n",
        node.folder.path().display()
    );
    fs::write(node.path("before-start"), script).unwrap();
    fs::write(node.path("hold"), "").unwrap();
    let mut watch = Watch::start(&node);
    watch.wait_until(|| node.path("begun").exists());
    watch.terminate();
    fs::remove_file(node.path("hold")).unwrap();
    watch.stop();
    node.must("verify");
    assert_eq!(node.restarts(), 1);
}
