//! Kills the installer at every point, and lets it run again: it always comes
//! to the same end, and never is there a configuration that containerd refuses.

// By this clippy knows that helpers, too, may panic to fail: see clippy.toml.
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::os::unix::process::ExitStatusExt;

use swiss_node_installer::config::{Runtime, add};

use support::containerd::{Style, gke};
use support::{Node, containerds, words};

const KILL: i32 = 9;

/// Runs the verb, killed at one point after the other, each time on a node as
/// `prepare` leaves it; after each it runs again, and then `check`s the node.
fn kill_everywhere(verb: &str, fewest: usize, prepare: impl Fn(&Node), check: impl Fn(&Node)) {
    let containerd = containerds().pop().unwrap();
    for point in 0.. {
        let node = Node::prepare(&containerd, |folder| gke(Some(2), Style::Imports, folder));
        prepare(&node);
        node.restart();
        let output = node
            .installer(verb)
            .env("CRASH_AT", point.to_string())
            .output()
            .unwrap();
        let what = words(&output);
        if output.status.signal() != Some(KILL) {
            assert!(output.status.success(), "{what}");
            assert!(point >= fewest, "only {point} points were passed");
            println!("{verb} was killed at {point} points");
            return;
        }
        println!(
            "{verb}, {point}: {}",
            what.lines().last().unwrap_or_default()
        );
        // At any moment the node may boot with what is there.
        containerd.dump(&node.config()).expect(&what);
        node.must(verb);
        check(&node);
    }
}

fn is_installed(node: &Node) {
    assert!(node.ask().unwrap().handlers.contains(&"spin".to_owned()));
    node.must("verify");
    assert_eq!(
        node.leftovers(),
        [
            "config.toml.swiss-original",
            "containerd-shim-spin-v2",
            "restarts",
            "spin"
        ]
    );
    assert_eq!(
        node.read_config()
            .matches(">>> swiss-node-installer")
            .count(),
        2
    );
}

#[test]
fn install_can_be_killed_anywhere() {
    kill_everywhere("install", 20, |_| {}, is_installed);
}

#[test]
fn uninstall_can_be_killed_anywhere() {
    let original = |node: &Node| gke(Some(2), Style::Imports, node.folder.path());
    kill_everywhere(
        "uninstall",
        15,
        |node| {
            // As `install` leaves it, which the test above has seen.
            let runtime = Runtime {
                handler: "spin".to_owned(),
                shim: node.shim().display().to_string(),
                systemd_cgroup: Some(true),
                local_image_pull: node.containerd.version >= (2, 1, 0),
            };
            let installed = add(original(node).as_bytes(), &runtime).unwrap();
            fs::write(node.config(), installed).unwrap();
            fs::write(node.path("etc/config.toml.swiss-original"), original(node)).unwrap();
            fs::create_dir_all(node.shim().parent().unwrap()).unwrap();
            fs::copy(node.path("shim"), node.shim()).unwrap();
        },
        |node| {
            assert_eq!(node.read_config(), original(node));
            assert!(!node.ask().unwrap().handlers.contains(&"spin".to_owned()));
            assert_eq!(node.leftovers(), Vec::<String>::new());
        },
    );
}

/// Those before it are the same as those of an installation that goes well.
const FIRST_ON_THE_WAY_BACK: usize = 22;

#[test]
fn the_way_back_can_be_killed_anywhere() {
    let containerd = containerds().pop().unwrap();
    for point in FIRST_ON_THE_WAY_BACK.. {
        let node = Node::start(&containerd, |folder| gke(Some(2), Style::Gke, folder));
        let before = node.read_config();
        fs::write(node.path("refuse-to-start"), "").unwrap();
        let mut installer = node.installer("install");
        installer
            .env("HEALTH_TIMEOUT", "1")
            .env("CRASH_AT", point.to_string());
        let output = installer.output().unwrap();
        let what = words(&output);
        containerd.dump(&node.config()).expect(&what);
        if output.status.signal() != Some(KILL) {
            assert!(
                words(&output).contains("from before again, and is well"),
                "{}",
                words(&output)
            );
            assert_eq!(node.read_config(), before);
            return;
        }
        println!(
            "{point}: {}",
            words(&output).lines().last().unwrap_or_default()
        );
        // Whatever it was that kept containerd down is over.
        fs::remove_file(node.path("refuse-to-start")).unwrap();
        // With its old configuration, init has started it again already.
        if node.read_config() == before && node.ask().is_err() {
            node.restart();
        }
        // And the next attempt may be twenty minutes later.
        let _ = fs::remove_file(node.shim().with_file_name("restarts"));
        node.must("install");
        is_installed(&node);
    }
}
