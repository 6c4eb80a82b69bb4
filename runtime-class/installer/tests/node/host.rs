//! What a container adds: another root, and nothing but the node's folders.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::containerd::{Style, gke};
use crate::support::{Node, containerds, words};

fn usual() -> Node {
    Node::start(&containerds().pop().unwrap(), |folder| {
        gke(Some(2), Style::Gke, folder)
    })
}

#[test]
fn the_nodes_programs_run_with_the_nodes_root() {
    let node = usual();
    // The same root by another name, which the installer cannot know.
    let installer = |verb: &str| {
        let mut installer = node.installer(verb);
        let output = installer
            .env("HOST_ROOT", "/proc/self/root")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", words(&output));
    };
    for verb in ["plan", "install", "verify", "uninstall"] {
        installer(verb);
    }
    assert_eq!(node.restarts(), 2);
    assert_eq!(node.leftovers(), Vec::<String>::new());
}

#[test]
fn plan_prints_the_exact_diff_and_changes_nothing() {
    let node = usual();
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
    assert!(patched.status.success(), "{}", words(&patched));
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
    let node = usual();
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
fn a_full_disk_is_refused_and_nothing_is_left() {
    let node = usual();
    let before = node.read_config();
    for (folder, size) in [("home/kubernetes/bin", "64k"), ("etc", "8k")] {
        let place = node.path(folder);
        fs::create_dir_all(&place).unwrap();
        let error = with_small_disk(&node, &place, size);
        assert!(error.contains("No space left on device"), "{error}");
        assert_eq!(node.read_config(), before);
        assert_eq!(node.leftovers(), Vec::<String>::new());
        assert_eq!(node.restarts(), 0);
    }
}

/// Installs with a file system of that size at `place`, which only the
/// installer sees.
fn with_small_disk(node: &Node, place: &Path, size: &str) -> String {
    let script = "cp -a $PLACE $PLACE.copy && mount -t tmpfs -o size=$SIZE none $PLACE && \
                  cp -a $PLACE.copy/. $PLACE && rm -r $PLACE.copy && head -c 1M /dev/zero >$PLACE/ballast 2>/dev/null; \
                  $INSTALLER install; status=$?; ls -A $PLACE >&2; exit $status";
    let installer = node.installer("install");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]);
    for (name, value) in installer.get_envs() {
        command.env(name, value.unwrap());
    }
    let program = installer.get_program().to_owned();
    let command = command
        .env("INSTALLER", program)
        .env("PLACE", place)
        .env("SIZE", size);
    let output = command.output().unwrap();
    assert!(!output.status.success());
    words(&output)
}

#[test]
fn the_right_to_change_the_root_is_enough() {
    let node = usual();
    // The node's init, which the restart command only asks.
    let script = "mkfifo ask; echo 'echo >$(dirname $0)/ask' >systemctl";
    let made = Command::new("sh")
        .args(["-c", script])
        .current_dir(node.folder.path())
        .status();
    assert!(made.unwrap().success());
    let init = "while read -r _ <ask; do sh restart; done";
    let mut init = Command::new("sh")
        .args(["-c", init])
        .current_dir(node.folder.path())
        .spawn()
        .unwrap();

    // As the containers of the DaemonSet.
    let installer = node.installer("install");
    let mut command = Command::new("setpriv");
    command
        .args([
            "--no-new-privs",
            "--inh-caps=-all",
            "--bounding-set=-all,+sys_chroot",
        ])
        .arg(installer.get_program())
        .arg("install");
    for (name, value) in installer.get_envs() {
        command.env(name, value.unwrap());
    }
    let restart = format!("sh {}", node.path("systemctl").display());
    let command = command
        .env("HOST_ROOT", "/proc/self/root")
        .env("RESTART_COMMAND", restart);
    let output = command.output().unwrap();
    init.kill().unwrap();
    init.wait().unwrap();
    assert!(output.status.success(), "{}", words(&output));
    node.must("verify");
    assert_eq!(node.restarts(), 1);
}
