//! Conditions under which the installer fails, and leaves the node unchanged or
//! restores it.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::containerd::{Containerd, Style, gke};
use crate::support::{Node, containerds, printed};

/// The newest containerd under test.
fn newest() -> Containerd {
    containerds().pop().unwrap()
}

fn oldest() -> Containerd {
    containerds().remove(0)
}

fn gke_node(containerd: &Containerd) -> Node {
    Node::start(containerd, |folder| gke(Some(2), Style::Gke, folder))
}

/// Asserts that `install` fails with the texts in its error, and changes nothing.
fn refuses(node: &Node, expected: &[&str]) {
    let before = node.read_config();
    let error = node.must_fail("install");
    for text in expected {
        assert!(error.contains(text), "{text:?} is not in: {error}");
    }
    assert_eq!(error.lines().count(), 1, "{error}");
    assert_eq!(node.read_config(), before);
    assert_eq!(node.leftovers(), Vec::<String>::new());
    assert_eq!(node.restarts(), 0);
    assert!(node.status().is_ok());
}

#[test]
fn an_unknown_configuration_version_is_refused() {
    let node = gke_node(&oldest());
    fs::write(
        node.config(),
        node.read_config().replace("version = 2", "version = 5"),
    )
    .unwrap();
    refuses(&node, &["5"]);
}

#[test]
fn uninstall_ends_on_a_node_on_which_install_is_refused() {
    let node = gke_node(&newest());
    let before = node.read_config();
    for refused in [
        before.replace("version = 2", "version = 5"),
        format!("{before}not TOML\n"),
    ] {
        fs::write(node.config(), &refused).unwrap();
        node.must_fail("install");
        node.must("uninstall");
        assert_eq!(node.read_config(), refused);
    }
    fs::write(node.config(), before).unwrap();
    let mut uninstall = node.installer("uninstall");
    let output = uninstall.args(["--unit", "nothing"]).output().unwrap();
    assert!(output.status.success(), "{}", printed(&output));

    node.must("install");
    let output = uninstall.output().unwrap();
    assert!(!output.status.success(), "{}", printed(&output));
    node.must("uninstall");
}

#[test]
fn a_configuration_version_whose_runtimes_containerd_ignores_is_refused() {
    // Earlier releases read version 1 natively, later ones migrate it.
    let ignores = |containerd: &Containerd| ((2, 0, 0)..(2, 3, 0)).contains(&containerd.version);
    for containerd in containerds()
        .iter()
        .filter(|containerd| ignores(containerd))
    {
        let node = gke_node(containerd);
        fs::write(node.config(), gke(Some(1), Style::Gke, node.folder.path())).unwrap();
        refuses(&node, &["would not have the handler spin"]);
    }
}

/// The first form is of version 1, whose settings some releases drop. The others are
/// errors, of which some releases quote the value.
#[test]
fn no_message_has_a_password_of_the_configuration() {
    let auth = "[plugins.cri.registry.configs.\"registry.example\".auth]\n  username = \"node\"\n";
    let forms = [
        (None, format!("{auth}  password = \"not-for-logs\"\n")),
        (Some(2), "[timeouts]\npassword = [\"not-for-logs\"]\n".to_owned()),
        (Some(2), "[timeouts]\npassword = not-for-logs\n".to_owned()),
        (Some(2), "[timeouts]\npassword = \"not-for-logs\n".to_owned()),
        (Some(2), "[timeouts]\npassword \"not-for-logs\"\n".to_owned()),
        (Some(2), "[plugins.\"io.containerd.grpc.v1.cri\".x]\nx = \"not-for-logs\"\n[ttrpc]\nuid = \"not-for-logs\"\n".to_owned()),
    ];
    for containerd in containerds() {
        let mut node = Node::start(&containerd, |folder| gke(Some(2), Style::Gke, folder));
        for (version, form) in &forms {
            let version = version.or(containerd.config_versions()[0]);
            let config = gke(version, Style::Gke, node.folder.path()) + "\n" + form;
            fs::write(node.config(), config).unwrap();
            for verb in ["plan", "install", "uninstall"] {
                let printed = printed(&node.run(verb));
                assert!(!printed.contains("not-for-logs"), "{verb}: {printed}");
            }
        }
        node.systemd.stop();
    }
}

/// containerd 1.x quotes a value of a wrong type, also of a number, and also of a file that
/// an imported file imports.
#[test]
fn no_message_has_a_password_that_is_a_number_or_far_away() {
    let number = "[plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"registry.example\".auth]\npassword = 48151623\n";
    let nested = "version = 2\n[ttrpc]\nuid = \"48151623\"\n";
    let lines = "[ttrpc]\nuid = \"\"\"a\n48151623\"\"\"\n";
    for containerd in containerds() {
        let mut node = Node::start(&containerd, |folder| gke(Some(2), Style::Imports, folder));
        let original = node.read_config();
        let import = "version = 2\nimports = [\"far/*.toml\"]\n";
        for (more, far) in [(number, ""), (lines, ""), ("", nested)] {
            fs::write(node.config(), format!("{original}\n{more}")).unwrap();
            fs::create_dir_all(node.path("etc/conf.d/far")).unwrap();
            fs::write(node.path("etc/conf.d/a.toml"), import).unwrap();
            fs::write(node.path("etc/conf.d/far/b.toml"), far).unwrap();
            for verb in ["plan", "install", "uninstall"] {
                let printed = printed(&node.run(verb));
                assert!(!printed.contains("48151623"), "{verb}: {printed}");
            }
        }
        node.systemd.stop();
    }
}

#[test]
fn a_handler_that_was_installed_with_another_name_is_refused() {
    let node = gke_node(&newest());
    node.must("install");
    let before = node.read_config();
    for verb in ["install", "uninstall"] {
        let mut installer = node.installer(verb);
        let error = printed(&installer.args(["--handler", "spin-v2"]).output().unwrap());
        assert!(
            error.contains("set HANDLER to spin and uninstall first"),
            "{error}"
        );
        assert_eq!(node.read_config(), before);
    }
    node.must("uninstall");
}

#[test]
fn a_handler_that_was_installed_with_another_path_of_the_shim_is_not_half_removed() {
    let node = gke_node(&newest());
    node.must("install");
    let before = (node.read_config(), node.leftovers());
    let mut installer = node.installer("uninstall");
    installer.arg("--shim").arg(node.path("other/shim"));
    let error = printed(&installer.output().unwrap());
    let expected = format!("set SHIM to {} and", node.shim().display());
    assert!(error.contains(&expected), "{error}");
    assert_eq!((node.read_config(), node.leftovers()), before);
    node.must("uninstall");
}

#[test]
fn a_handler_with_another_shim_is_refused() {
    let node = gke_node(&newest());
    let other = "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.spin]\nruntime_type = \"/opt/shim\"\n";
    fs::write(node.config(), node.read_config() + other).unwrap();
    refuses(&node, &["already has a handler spin", "/opt/shim"]);
}

#[test]
fn a_handler_with_another_shim_in_an_imported_file_is_refused() {
    let node = Node::start(&newest(), |folder| gke(Some(2), Style::Imports, folder));
    let other = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.spin]\nruntime_type = \"/opt/shim\"\n";
    fs::write(node.path("etc/conf.d/spin.toml"), other).unwrap();
    refuses(&node, &["already has a handler spin", "/opt/shim"]);
}

#[test]
fn a_missing_configuration_is_refused() {
    let node = gke_node(&newest());
    fs::remove_file(node.config()).unwrap();
    let error = node.must_fail("install");
    assert!(error.contains("containerd has no configuration"), "{error}");
    assert_eq!(node.leftovers(), Vec::<String>::new());
}

#[test]
fn a_shim_with_another_digest_is_refused() {
    let node = gke_node(&newest());
    fs::write(node.path("shim"), "\x7fELF but not that one").unwrap();
    refuses(&node, &["the image is broken"]);
}

#[test]
fn a_shim_for_another_machine_is_refused() {
    let node = gke_node(&newest());
    let mut shim = fs::read(node.path("shim")).unwrap();
    shim[18] = if shim[18] == 62 { 183 } else { 62 };
    node.write_shim_source(&shim);
    refuses(&node, &["this node is"]);
}

#[test]
fn a_folder_that_cannot_be_created_is_refused() {
    let node = gke_node(&newest());
    // File permissions do not stop root, but a file in the path does.
    fs::write(node.path("home"), "").unwrap();
    refuses(&node, &["home/kubernetes/bin/spin", "Not a directory"]);
}

#[test]
fn nothing_is_changed_when_containerd_does_not_answer() {
    let node = gke_node(&newest());
    let before = node.read_config();
    let mut installer = node.installer("install");
    let error = printed(&installer.args(["--socket", "/nowhere"]).output().unwrap());
    assert!(
        error.contains("containerd does not answer at /nowhere"),
        "{error}"
    );
    assert_eq!(node.read_config(), before);
}

#[test]
fn a_second_installer_is_refused_while_the_first_runs() {
    let node = gke_node(&newest());
    let folder = fs::File::open(node.path("etc")).unwrap();
    rustix::fs::flock(&folder, rustix::fs::FlockOperation::LockExclusive).unwrap();
    refuses(&node, &["another installer is running"]);
}

#[test]
fn the_previous_configuration_is_restored_when_containerd_does_not_start() {
    for containerd in containerds() {
        let node = gke_node(&containerd);
        let before = node.read_config();
        fs::write(node.path("refuse-to-start"), "").unwrap();
        let output = node
            .installer("install")
            .args(["--health-timeout", "2"])
            .output();
        let error = printed(&output.unwrap());
        assert!(
            error.contains("has its previous configuration again, and is healthy"),
            "{error}"
        );
        assert_eq!(node.read_config(), before);
        assert!(node.status().unwrap().runtime_ready);
    }
}

#[test]
fn containerd_is_restarted_at_most_three_times_in_twenty_minutes() {
    let mut node = gke_node(&newest());
    let original = node.read_config();
    let mut refusal = String::new();
    for _ in 0..4 {
        let output = node.run("install");
        if !output.status.success() {
            refusal = printed(&output);
            break;
        }
        // GKE's boot script rewrites the configuration.
        fs::write(node.config(), &original).unwrap();
        node.restart();
    }
    let log = fs::read_to_string(node.path("log")).unwrap();
    assert!(
        refusal.contains("was restarted 2 times within 20 minutes"),
        "{refusal}\n{log}"
    );
    assert_eq!(node.read_config(), original);
}

#[test]
fn a_symlink_at_the_path_of_a_temporary_file_is_not_followed() {
    let node = gke_node(&newest());
    fs::write(node.path("victim"), "precious").unwrap();
    symlink(
        node.path("victim"),
        node.path("etc/config.toml.swiss-original.new"),
    )
    .unwrap();
    node.must("install");
    assert_eq!(fs::read_to_string(node.path("victim")).unwrap(), "precious");
}
