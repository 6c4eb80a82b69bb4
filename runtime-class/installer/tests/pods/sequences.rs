//! Random sequences of what happens to a node: the installer and its kills, other
//! processes that write the configuration, full and read-only disks, reboots and pods.
//! What must hold at any time is checked after each step, and at the end the faults stop
//! and the node must come to the desired state.
//!
//! `SEQUENCES` is how many are played, instead of as many as fit in two minutes. Without
//! `SEED` they are the same in each run, so that a failure comes from a change; with
//! another one they are others. proptest shrinks a sequence that fails to the shortest one.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use serde_json::Value;

use super::support::{Containerd, Node, containerds, printed};
use super::{Cri, IMAGE, config, import_image};

#[derive(Clone, Debug)]
enum Step {
    Install,
    /// At this crash point.
    KillInstall(u8),
    InstallWithoutApi,
    Uninstall,
    KillUninstall(u8),
    UpdateShim,
    KillContainerd,
    /// Another process writes its own file, without the handler.
    Rewrite,
    /// Another process adds a setting to the file as it is.
    Append,
    /// Another process reads the file and writes it without its comments.
    StripComments,
    /// Another process moves the file, and leaves a link.
    Link,
    FillDisk(bool),
    MakeReadOnly(bool),
    /// containerd does not start with the handler.
    BreakStart(bool),
    StartPod,
    StopPods,
    Reboot,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Install),
        4 => (0..40_u8).prop_map(Step::KillInstall),
        1 => Just(Step::InstallWithoutApi),
        2 => Just(Step::Uninstall),
        2 => (0..30_u8).prop_map(Step::KillUninstall),
        1 => Just(Step::UpdateShim),
        1 => Just(Step::KillContainerd),
        2 => Just(Step::Rewrite),
        2 => Just(Step::Append),
        1 => Just(Step::StripComments),
        1 => Just(Step::Link),
        1 => any::<bool>().prop_map(Step::FillDisk),
        1 => any::<bool>().prop_map(Step::MakeReadOnly),
        2 => any::<bool>().prop_map(Step::BreakStart),
        2 => Just(Step::StartPod),
        1 => Just(Step::StopPods),
        1 => Just(Step::Reboot),
    ]
}

const SECRET: &str = "not-for-logs";

/// A node, and what the test expects of it.
struct World {
    node: Node,
    /// The settings of the file that another process wrote last, without the installer's.
    others: Value,
    written: usize,
    pods: Vec<String>,
    /// Restarts by the installer since the last uninstallation.
    restarts: usize,
}

/// Small file systems of their own for the configuration and the shim.
const DISKS: [(&str, &str); 2] = [("etc", "256k"), ("home/kubernetes/bin", "64m")];

impl World {
    fn new(containerd: &Containerd) -> Self {
        let mut node = Node::prepare(containerd, |folder| {
            let auth = format!(
                "[plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"registry.example\".auth]\n\
                 password = \"{SECRET}\"\n[timeouts]\n"
            );
            config(folder) + &auth
        });
        let text = node.read_config();
        for (folder, size) in DISKS {
            fs::create_dir_all(node.path(folder)).unwrap();
            mount(
                &["-t", "tmpfs", "-o", &format!("size={size}"), "none"],
                &node.path(folder),
            );
        }
        fs::create_dir(node.path("etc/conf.d")).unwrap();
        fs::write(node.config(), &text).unwrap();
        let shim = containerd.binary.with_file_name("containerd-shim-runc-v2");
        node.write_shim_source(&fs::read(shim).unwrap());
        node.restart();
        import_image(&node);
        let mut world = Self {
            node,
            others: Value::Null,
            written: 0,
            pods: Vec::new(),
            restarts: 0,
        };
        world.others = world.settings();
        world
    }

    /// The settings of the file, without those that the installer adds.
    fn settings(&self) -> Value {
        let mut settings: Value = toml_edit::de::from_str(&self.node.read_config()).unwrap();
        let plugins = &mut settings["plugins"];
        if let Some(images) = plugins["io.containerd.cri.v1.images"].as_object_mut() {
            images.remove("use_local_image_pull");
        }
        let cri = &mut plugins["io.containerd.grpc.v1.cri"]["containerd"]["runtimes"];
        cri.as_object_mut().unwrap().remove("spin");
        let plugins = plugins.as_object_mut().unwrap();
        plugins.retain(|_, table| table.as_object().is_some_and(|table| !table.is_empty()));
        settings
    }

    fn run(&mut self, verb: &str, change: impl Fn(&mut Command)) {
        let had_pods = !self.pods.is_empty();
        let had_record = self.record().exists();
        let starts = self.node.restarts();
        let mut installer = self.node.installer(verb);
        installer.env("HEALTH_TIMEOUT", "2");
        change(&mut installer);
        let output = installer.output().unwrap();
        let printed = printed(&output);
        println!("    {}", printed.lines().last().unwrap_or_default());
        assert!(!printed.contains(SECRET), "{printed}");
        self.restarts += printed.matches("\"restarted containerd\"").count();
        assert!(
            self.restarts <= 3,
            "containerd was restarted {} times",
            self.restarts
        );
        if had_pods && self.pods_run() {
            assert_eq!(
                self.node.restarts(),
                starts,
                "restarted with pods: {printed}"
            );
        }
        if verb == "uninstall" && had_record && !self.record().exists() {
            assert!(
                !self.node.shim().exists(),
                "the record must be the last file"
            );
            self.restarts = 0;
        }
    }

    /// Where the installer counts its restarts.
    fn record(&self) -> PathBuf {
        self.node.shim().with_file_name("restarts")
    }

    fn answers(&self) -> bool {
        self.node.status().is_ok_and(|status| status.runtime_ready)
    }

    fn pods_run(&self) -> bool {
        let spin = |status: swiss_node_installer::cri::Status| status.pods.contains_key("spin");
        self.node.status().is_ok_and(spin)
    }

    /// Writes as another process does, if the disk lets it.
    fn write(&mut self, text: &str) {
        let new = self.node.path("etc/other.new");
        let written = fs::write(&new, text).and_then(|()| fs::rename(&new, self.node.config()));
        if written.is_ok() {
            self.others = self.settings();
        } else {
            let _ = fs::remove_file(&new);
        }
    }

    /// A setting that no other step writes.
    fn setting(&mut self) -> String {
        self.written += 1;
        format!("\"other.{}\" = \"1s\"", self.written)
    }

    fn play(&mut self, step: &Step) {
        let is_full = |full: bool| {
            for (folder, _) in DISKS {
                let ballast = self.node.path(folder).join("ballast");
                if full {
                    let script = format!("head -c 1G /dev/zero >{} 2>/dev/null", ballast.display());
                    let _ = Command::new("sh").args(["-c", &script]).status();
                } else {
                    let _ = fs::remove_file(ballast);
                }
            }
        };
        match step {
            Step::Install => self.run("install", |_| {}),
            Step::KillInstall(point) => self.run("install", |installer| {
                installer.env("CRASH_AT", point.to_string());
            }),
            Step::InstallWithoutApi => {
                let before = self.node.read_config();
                let kubeconfig = self.node.path("kubeconfig");
                let cluster = "{apiVersion: v1, kind: Config, current-context: a, clusters: [{name: a, cluster: {server: 'http://127.0.0.1:9'}}], contexts: [{name: a, context: {cluster: a}}]}";
                fs::write(&kubeconfig, cluster).unwrap();
                self.run("install", |installer| {
                    installer
                        .env("KUBECONFIG", &kubeconfig)
                        .env("NODE_NAME", "node");
                });
                assert_eq!(self.node.read_config(), before);
            }
            Step::Uninstall => self.run("uninstall", |_| {}),
            Step::KillUninstall(point) => self.run("uninstall", |installer| {
                installer.env("CRASH_AT", point.to_string());
            }),
            Step::UpdateShim => {
                let mut shim = fs::read(self.node.path("shim")).unwrap();
                shim.push(0);
                self.node.write_shim_source(&shim);
            }
            Step::KillContainerd => {
                self.node
                    .systemd
                    .systemctl(&["kill", "--signal=KILL", "containerd"]);
            }
            Step::Rewrite => {
                let text = config(self.node.folder.path());
                let setting = self.setting();
                self.write(&format!("{text}[timeouts]\n{setting}\n"));
            }
            Step::Append => {
                let text = self.node.read_config();
                let setting = self.setting();
                self.write(&text.replace("[timeouts]\n", &format!("[timeouts]\n{setting}\n")));
            }
            Step::StripComments => {
                let values: Value = toml_edit::de::from_str(&self.node.read_config()).unwrap();
                self.write(&toml_edit::ser::to_string_pretty(&values).unwrap());
            }
            Step::Link => {
                let (file, real) = (self.node.config(), self.node.path("etc/real.toml"));
                let is_link = fs::symlink_metadata(&file).unwrap().is_symlink();
                if !is_link && fs::copy(&file, &real).is_ok() {
                    let link = self.node.path("etc/link");
                    if symlink("real.toml", &link).is_ok() {
                        fs::rename(link, file).unwrap();
                    }
                }
            }
            Step::FillDisk(full) => is_full(*full),
            Step::MakeReadOnly(read_only) => {
                let option = if *read_only {
                    "remount,ro"
                } else {
                    "remount,rw"
                };
                for (folder, size) in DISKS {
                    mount(
                        &["-o", &format!("{option},size={size}"), "none"],
                        &self.node.path(folder),
                    );
                }
            }
            Step::BreakStart(broken) => {
                let file = self.node.path("refuse-to-start");
                if *broken {
                    fs::write(file, "").unwrap();
                } else {
                    let _ = fs::remove_file(file);
                }
            }
            Step::StartPod => {
                let status = self.node.status().unwrap_or_default();
                if status.handlers.contains(&"spin".to_owned()) && self.pods.is_empty() {
                    let mut cri = Cri::connect(&self.node.path("containerd.sock"));
                    self.pods.push(cri.run_pod("spin", IMAGE));
                }
            }
            Step::StopPods => self.stop_pods(),
            Step::Reboot => {
                self.node.systemd.stop();
                let _ = fs::remove_file(self.node.path("refuse-to-start"));
                self.node.restart();
                // As the kubelet does with pods of before the boot.
                self.stop_pods();
            }
        }
    }

    fn stop_pods(&mut self) {
        if self.answers() {
            for pod in self.pods.drain(..) {
                Cri::connect(&self.node.path("containerd.sock")).remove_pod(&pod);
            }
        }
    }

    /// What holds at any time.
    fn check(&self) {
        let dump = self.node.containerd.dump(&self.node.config());
        assert!(
            dump.is_ok(),
            "containerd refuses its configuration: {dump:?}"
        );
        assert_eq!(
            self.settings(),
            self.others,
            "what another process wrote is lost"
        );
    }

    fn wait_until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !condition(self) {
            let log = fs::read_to_string(self.node.path("log")).unwrap_or_default();
            let last: Vec<_> = log.lines().rev().take(5).collect();
            assert!(Instant::now() < end, "{what} not within 60 s: {last:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The faults stop. The installer, which runs again as in a DaemonSet, brings the node
    /// to the desired state.
    fn settle(&mut self, verb: &str) {
        for step in [
            Step::MakeReadOnly(false),
            Step::FillDisk(false),
            Step::BreakStart(false),
        ] {
            self.play(&step);
        }
        self.wait_until("containerd is healthy", Self::answers);
        self.stop_pods();
        // Twenty minutes later.
        let _ = fs::remove_file(self.record());
        self.restarts = 0;
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            // What was rolled back is tried again only if a person asks for it.
            let attempt = self.node.installer(verb).env("ATTEMPT", "2").output();
            let output = attempt.unwrap();
            if output.status.success() {
                break;
            }
            assert!(
                Instant::now() < end,
                "{verb} does not succeed: {}",
                printed(&output)
            );
        }
        self.check();
        let handlers = self.node.status().unwrap().handlers;
        assert_eq!(handlers.contains(&"spin".to_owned()), verb == "install");
        assert!(!self.node.is_rollback_armed());
        let mut left = self.node.leftovers();
        left.retain(|name| name != "real.toml");
        assert_eq!(left.is_empty(), verb == "uninstall", "{left:?}");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.node.systemd.stop();
        for (folder, _) in DISKS {
            let _ = Command::new("umount")
                .arg("--lazy")
                .arg(self.node.path(folder))
                .status();
        }
    }
}

fn mount(options: &[&str], at: &PathBuf) {
    let status = Command::new("mount")
        .args(options)
        .arg(at)
        .status()
        .unwrap();
    assert!(status.success());
}

fn number(variable: &str) -> Option<u64> {
    Some(std::env::var(variable).ok()?.parse().unwrap())
}

fn play_sequences(containerd: &Containerd) {
    let seed = number("SEED").unwrap_or(20_261_128);
    let sequences = number("SEQUENCES");
    let end = Instant::now() + Duration::from_secs(120);
    let config = Config {
        cases: sequences.map_or(10_000, |count| count.try_into().unwrap()),
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let (played, failed) = (Cell::new(0), Cell::new(false));
    let case = |(first, mut steps, verb): (Option<Step>, Vec<Step>, &str)| {
        steps.splice(..0, first);
        if sequences.is_none() && !failed.get() && Instant::now() > end {
            return Ok(());
        }
        println!("sequence {}: {steps:?}, {verb}", played.get());
        let play = || {
            let mut world = World::new(containerd);
            for step in &steps {
                println!("  {step:?}");
                world.play(step);
                world.check();
            }
            world.settle(verb);
        };
        played.set(played.get() + 1);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(play)).map_err(|panic| {
            failed.set(true);
            let text = panic.downcast_ref::<String>().cloned();
            TestCaseError::fail(text.unwrap_or_default())
        })
    };
    let verb = prop_oneof![Just("install"), Just("uninstall")];
    // Most steps do little on a node on which nothing is installed.
    let first = proptest::option::of(Just(Step::Install));
    let result = TestRunner::new(config).run(&(first, vec(step(), 1..=10), verb), case);
    println!(
        "containerd {:?}: {} sequences, SEED={seed}",
        containerd.version,
        played.get()
    );
    assert!(result.is_ok(), "SEED={seed}: {}", result.unwrap_err());
}

#[test]
fn sequences_of_faults_end_well() {
    std::thread::scope(|scope| {
        for containerd in containerds() {
            if containerd.version >= (1, 7, 0) {
                scope.spawn(move || play_sequences(&containerd));
            }
        }
    });
}
