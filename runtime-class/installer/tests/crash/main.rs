//! Kills the installer at every crash point and runs it again. The second run always
//! finishes, and containerd accepts the configuration at every point.

// With this, clippy lets helpers panic, too: see clippy.toml.
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use swiss_node_installer::config::{Runtime, add};

use support::containerd::{Style, gke};
use support::{Node, containerds, printed};

const KILL: i32 = 9;

/// For each crash point: prepares a node, kills the installer at the point, runs it
/// again and checks the node. There must be at least `fewest` points.
fn kill_everywhere(verb: &str, fewest: usize, prepare: impl Fn(&Node), check: impl Fn(&Node)) {
    let containerd = containerds().pop().unwrap();
    for point in 0.. {
        let mut node = Node::prepare(&containerd, |folder| gke(Some(2), Style::Imports, folder));
        prepare(&node);
        node.restart();
        let output = node
            .installer(verb)
            .env("CRASH_AT", point.to_string())
            .output()
            .unwrap();
        let what = printed(&output);
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
        // The node may boot at any moment with this configuration.
        containerd.dump(&node.config()).expect(&what);
        node.must(verb);
        check(&node);
    }
}

fn is_installed(node: &Node) {
    assert!(node.status().unwrap().handlers.contains(&"spin".to_owned()));
    node.must("verify");
    assert_eq!(
        node.leftovers(),
        [
            "config.toml.swiss-original",
            "containerd-shim-spin-v2",
            "node-installer",
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
            // The state after `install`, which the test above checks.
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
            assert!(!node.status().unwrap().handlers.contains(&"spin".to_owned()));
            assert_eq!(node.leftovers(), Vec::<String>::new());
        },
    );
}

/// The points up to this one are before the restart of containerd. The test checks that no
/// containerd was restarted at this one, so that it misses none.
const LAST_POINT_BEFORE_RESTART: usize = 35;

/// The fault stays after the kill: with the installer gone, and no containerd to start the
/// next one, systemd alone must bring containerd back.
#[test]
fn systemd_rolls_back_when_the_installer_is_killed_anywhere() {
    let containerd = containerds().pop().unwrap();
    for point in LAST_POINT_BEFORE_RESTART.. {
        let node = Node::start(&containerd, |folder| gke(Some(2), Style::Gke, folder));
        let before = node.read_config();
        fs::write(node.path("refuse-to-start"), "").unwrap();
        let mut installer = node.installer("install");
        installer
            .env("HEALTH_TIMEOUT", "1")
            .env("CRASH_AT", point.to_string());
        let output = installer.output().unwrap();
        let what = printed(&output);
        containerd.dump(&node.config()).expect(&what);
        if output.status.signal() != Some(KILL) {
            assert!(
                what.contains("previous configuration again, and is healthy"),
                "{what}"
            );
            assert_eq!(node.read_config(), before);
            assert!(!node.is_rollback_armed());
            return;
        }
        println!("{point}: {}", what.lines().last().unwrap_or_default());
        if point == LAST_POINT_BEFORE_RESTART {
            assert_eq!(node.restarts(), 0, "a later point is the first to test");
        }
        if node.restarts() > 0 {
            let end = Instant::now() + Duration::from_secs(30);
            while node.status().is_err() || node.read_config() != before || node.is_rollback_armed()
            {
                assert!(Instant::now() < end, "{what}\n{}", node.read_config());
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        assert!(node.status().unwrap().runtime_ready);
        fs::remove_file(node.path("refuse-to-start")).unwrap();
        // The next attempt may be twenty minutes later.
        let _ = fs::remove_file(node.shim().with_file_name("restarts"));
        let again = node.installer("install").env("ATTEMPT", "2").output();
        let again = again.unwrap();
        assert!(again.status.success(), "{}", printed(&again));
        is_installed(&node);
    }
}
