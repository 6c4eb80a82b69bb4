//! The configuration as a file: links, owners and labels, and other processes that write it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use rustix::fs::XattrFlags;
use swiss_node_installer::config_file::ConfigFile;
use swiss_node_installer::host::Host;

use crate::support::containerd::{Containerd, Style, gke};
use crate::support::{Node, Watch, containerds, printed};

fn newest() -> Containerd {
    containerds().pop().unwrap()
}

fn gke_node() -> Node {
    Node::start(&newest(), |folder| gke(Some(2), Style::Gke, folder))
}

/// Runs the installer with another path of the same root, as in a container.
fn in_container(node: &Node, verb: &str) -> Output {
    let mut installer = node.installer(verb);
    installer
        .env("HOST_ROOT", "/proc/self/root")
        .output()
        .unwrap()
}

#[test]
fn a_link_stays_a_link_and_its_target_is_edited() {
    let node = gke_node();
    let original = node.read_config();
    fs::create_dir(node.path("real")).unwrap();
    let absolute = node.path("real/config.toml");
    for (target, link) in [
        (node.path("etc/real.toml"), Path::new("real.toml")),
        (absolute.clone(), absolute.as_path()),
    ] {
        fs::remove_file(node.config()).unwrap();
        fs::write(&target, &original).unwrap();
        symlink(link, node.config()).unwrap();
        for (verb, has_handler) in [("install", true), ("uninstall", false)] {
            let output = in_container(&node, verb);
            assert!(output.status.success(), "{}", printed(&output));
            assert_eq!(fs::read_link(node.config()).unwrap(), link);
            let text = fs::read_to_string(&target).unwrap();
            assert_eq!(text.contains("swiss-node-installer"), has_handler);
        }
        assert_eq!(fs::read_to_string(&target).unwrap(), original);
        fs::remove_file(&target).unwrap();
        assert_eq!(node.leftovers(), Vec::<String>::new());
        assert_eq!(fs::read_dir(node.path("real")).unwrap().count(), 0);
    }
}

#[test]
fn the_files_mode_group_and_selinux_label_stay() {
    const NAME: &str = "security.selinux";
    const LABEL: &[u8] = b"system_u:object_r:container_config_t:s0";
    let node = gke_node();
    let config = node.config();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o640)).unwrap();
    chown(&config, Some(0), Some(12)).unwrap();
    rustix::fs::setxattr(&config, NAME, LABEL, XattrFlags::empty()).unwrap();
    for verb in ["install", "uninstall"] {
        node.must(verb);
        let metadata = fs::metadata(&config).unwrap();
        assert_eq!(metadata.mode() & 0o7777, 0o640, "{verb}");
        assert_eq!((metadata.uid(), metadata.gid()), (0, 12), "{verb}");
        let mut label = [0; 100];
        let length = rustix::fs::getxattr(&config, NAME, &mut label).unwrap();
        assert_eq!(&label[..length], LABEL, "{verb}");
    }
}

#[test]
fn what_another_process_writes_during_the_restart_is_kept_and_installed_again() {
    let node = gke_node();
    // A GPU toolkit that rewrites the configuration when it sees containerd restart.
    let script = format!(
        "cd {}\n[ -f written ] || {{ cp original etc/config.toml; echo '# other' >>etc/config.toml; touch written; }}\n",
        node.folder.path().display()
    );
    fs::write(node.path("original"), node.read_config()).unwrap();
    fs::write(node.path("before-start"), script).unwrap();
    let mut watch = Watch::start(&node);
    watch.wait_until(|| {
        node.read_config().contains("# other")
            && node.read_config().contains("swiss-node-installer")
            && has_handler(&node)
    });
    watch.stop();
    assert!(node.restarts() <= 2, "{}", node.restarts());
    node.must("verify");
}

#[test]
fn the_rollback_keeps_what_another_process_wrote_in_the_meantime() {
    let node = gke_node();
    let before = node.read_config();
    let script = format!(
        "grep -q other {0} || echo '# other' >>{0}\n",
        node.config().display()
    );
    fs::write(node.path("before-start"), script).unwrap();
    fs::write(node.path("refuse-to-start"), "").unwrap();
    let output = node
        .installer("install")
        .env("HEALTH_TIMEOUT", "2")
        .output()
        .unwrap();
    let error = printed(&output);
    assert!(
        error.contains("has its previous configuration again, and is healthy"),
        "{error}"
    );
    assert_eq!(node.read_config(), before + "# other\n");
    assert!(!node.is_rollback_armed());
}

#[test]
fn what_was_rolled_back_is_tried_again_only_if_asked_for() {
    let node = gke_node();
    let before = node.read_config();
    fs::write(node.path("refuse-to-start"), "").unwrap();
    let install = |attempt: &str| {
        let mut installer = node.installer("install");
        installer.env("HEALTH_TIMEOUT", "2").env("ATTEMPT", attempt);
        installer.output().unwrap()
    };
    assert!(!install("").status.success());
    fs::remove_file(node.path("refuse-to-start")).unwrap();
    // Twenty minutes later.
    fs::remove_file(node.shim().with_file_name("restarts")).unwrap();
    let restarts = node.restarts();
    let refused = printed(&install(""));
    assert!(refused.contains("was rolled back at"), "{refused}");
    assert_eq!((node.read_config(), node.restarts()), (before, restarts));
    let installed = install("2");
    assert!(installed.status.success(), "{}", printed(&installed));
    assert!(has_handler(&node));
    assert!(!node.leftovers().iter().any(|name| name.contains("trial")));
}

#[test]
fn a_change_with_which_another_process_restarts_containerd_is_rolled_back() {
    let node = gke_node();
    let before = node.read_config();
    let killed = node
        .installer("install")
        .env("HEALTH_TIMEOUT", "1")
        .env("CRASH_AT", "after the configuration is replaced")
        .output()
        .unwrap();
    assert!(!killed.status.success());
    assert_ne!(node.read_config(), before);
    fs::write(node.path("refuse-to-start"), "").unwrap();
    let restart = ["restart", "--no-block", "containerd"];
    assert!(node.systemd.systemctl(&restart).status.success());
    let end = Instant::now() + Duration::from_secs(30);
    while node.status().is_err() || node.read_config() != before {
        assert!(Instant::now() < end, "it is not rolled back");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_named_pipe_in_the_place_of_the_configuration_is_refused_at_once() {
    let node = gke_node();
    fs::remove_file(node.config()).unwrap();
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
    rustix::fs::mknodat(rustix::fs::CWD, node.config(), kind, mode, 0).unwrap();
    let installer = node.installer("install");
    // A process that waits for a writer of the pipe does not end with SIGTERM.
    let mut limited = Command::new("timeout");
    limited.args(["--signal=KILL", "20"]);
    limited.arg(installer.get_program()).arg("install");
    for (name, value) in installer.get_envs() {
        limited.env(name, value.unwrap());
    }
    let error = printed(&limited.output().unwrap());
    assert!(error.contains("is not a file"), "{error}");
}

#[test]
fn a_configuration_that_was_rewritten_without_a_restart_needs_none() {
    let node = gke_node();
    let original = node.read_config();
    node.must("install");
    let restarts = node.restarts();
    fs::write(node.config(), &original).unwrap();
    node.must("install");
    assert!(node.read_config().contains("swiss-node-installer"));
    assert_eq!(
        node.restarts(),
        restarts,
        "the running containerd still has the handler"
    );
    node.must("verify");
}

fn has_handler(node: &Node) -> bool {
    node.status()
        .is_ok_and(|status| status.handlers.contains(&"spin".to_owned()))
}

#[test]
fn a_file_that_another_process_has_changed_since_it_was_read_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, "version = 2\n").unwrap();
    let host = Host { root: "/".into() };
    let file = ConfigFile::read(&host, &path).unwrap().unwrap();
    fs::write(&path, "version = 3\n").unwrap();
    let error = file.replace(b"version = 4\n").unwrap_err().to_string();
    assert!(error.contains("another process changed"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"version = 3\n");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// As on an image that keeps `/etc/containerd` elsewhere. The link's target is not at its
/// path in the installer's own root, as in a container.
#[test]
fn an_absolute_link_in_the_place_of_the_folder_leads_to_a_folder_of_the_node() {
    let node = gke_node();
    let original = node.read_config();
    let [etc, real, host] = ["etc", "real", "host"].map(|name| node.path(name));
    for folder in [&real, &host] {
        fs::create_dir(folder).unwrap();
    }
    fs::rename(&etc, real.join("etc")).unwrap();
    symlink(real.join("etc"), &etc).unwrap();
    let script = "mount --make-rprivate / && mount --rbind / $HOST_ROOT && \
                  mount -t tmpfs none $REAL && exec $INSTALLER $VERB";
    for (verb, has_handler) in [("install", true), ("uninstall", false)] {
        let installer = node.installer(verb);
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script]);
        for (name, value) in installer.get_envs() {
            command.env(name, value.unwrap());
        }
        command.env("INSTALLER", installer.get_program());
        command
            .env("VERB", verb)
            .env("HOST_ROOT", &host)
            .env("REAL", &real);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", printed(&output));
        let text = fs::read_to_string(real.join("etc/config.toml")).unwrap();
        assert_eq!(text.contains("swiss-node-installer"), has_handler);
    }
    assert_eq!(node.read_config(), original);
    assert_eq!(node.leftovers(), Vec::<String>::new());
}
