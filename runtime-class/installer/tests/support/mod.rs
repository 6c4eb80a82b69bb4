//! A node in a temporary folder: a real containerd with a configuration like GKE's and
//! a socket of its own, run by a real systemd, and the installer as a process.

#![allow(dead_code, reason = "each test crate uses only a part of this module")]

pub mod containerd;
pub mod images;
pub mod systemd;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub use containerd::{Containerd, containerds};
use systemd::Systemd;

pub struct Node {
    // Ends before its folder is removed.
    pub systemd: Systemd,
    pub folder: TempDir,
    pub containerd: Containerd,
    layout: Layout,
}

/// Files of a node, in its folder.
pub struct Layout {
    pub config: &'static str,
    pub socket: &'static str,
    pub network: &'static str,
    pub shim: String,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            config: "etc/config.toml",
            socket: "containerd.sock",
            network: "cni",
            shim: "home/kubernetes/bin/spin/containerd-shim-spin-v2".to_owned(),
        }
    }
}

impl Node {
    /// A node whose containerd runs with the configuration that `config` returns for
    /// the node's folder.
    pub fn start(containerd: &Containerd, config: impl Fn(&Path) -> String) -> Self {
        let mut node = Self::prepare(containerd, config);
        node.restart();
        node
    }

    /// A node whose containerd does not run yet.
    pub fn prepare(containerd: &Containerd, config: impl Fn(&Path) -> String) -> Self {
        Self::prepare_with(Layout::default(), containerd, config)
    }

    pub fn prepare_with(
        layout: Layout,
        containerd: &Containerd,
        config: impl Fn(&Path) -> String,
    ) -> Self {
        let folder = tempfile::Builder::new().prefix("node").tempdir().unwrap();
        let node = Self {
            systemd: Systemd::prepare(folder.path()),
            folder,
            containerd: containerd.clone(),
            layout,
        };
        fs::create_dir_all(node.path("etc/conf.d")).unwrap();
        let network_folder = node.path(node.layout.network);
        fs::create_dir_all(&network_folder).unwrap();
        // With the loopback plugin, containerd reports that the network is ready.
        let network =
            r#"{"cniVersion": "0.4.0", "name": "test", "plugins": [{"type": "loopback"}]}"#;
        fs::write(network_folder.join("10.conflist"), network).unwrap();
        fs::create_dir_all(node.config().parent().unwrap()).unwrap();
        fs::write(node.config(), config(node.folder.path())).unwrap();
        node.write_shim_source(&fs::read("/proc/self/exe").unwrap()[..100_000]);
        // As in containerd's own unit, but quick, and without a limit of its own. A test
        // writes `refuse-to-start` or the script `before-start`.
        let unit = format!(
            "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=notify\nKillMode=process\nRestart=always\n\
             RestartSec=100ms\nTimeoutStopSec=5\nUnsetEnvironment=LD_LIBRARY_PATH\nEnvironment=PATH={runc}:/usr/sbin:/usr/bin:/sbin:/bin\n\
             StandardOutput=append:{folder}/log\nStandardError=append:{folder}/log\n\
             ExecStartPre=sh -c 'echo >>{folder}/starts; [ ! -f {folder}/before-start ] || sh {folder}/before-start; ! {{ [ -f {folder}/refuse-to-start ] && grep -q swiss-node-installer {config}; }}'\n\
             ExecStart={containerd} -c {config}\n",
            folder = node.folder.path().display(),
            runc = std::env::var("RUNC")
                .unwrap_or_default()
                .trim_end_matches("/runc"),
            containerd = containerd.binary.display(),
            config = node.config().display(),
        );
        node.systemd.write_unit("containerd.service", &unit);
        node
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn config(&self) -> PathBuf {
        self.path(self.layout.config)
    }

    pub fn socket(&self) -> PathBuf {
        self.path(self.layout.socket)
    }

    pub fn read_config(&self) -> String {
        fs::read_to_string(self.config()).unwrap()
    }

    pub fn shim(&self) -> PathBuf {
        self.path(&self.layout.shim)
    }

    /// Writes the shim to install, and its digest, as the image has them.
    pub fn write_shim_source(&self, content: &[u8]) {
        fs::write(self.path("shim"), content).unwrap();
        let sum = Command::new("sha256sum")
            .arg("shim")
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        fs::write(self.path("shim.sha256"), sum.stdout).unwrap();
    }

    /// Boots the node, or restarts its containerd as a person does, and waits until it
    /// answers.
    pub fn restart(&mut self) {
        if !self.systemd.is_running() {
            self.systemd.start();
        }
        let restarted = self.systemd.systemctl(&["restart", "containerd"]);
        let log = || fs::read_to_string(self.path("log")).unwrap_or_default();
        assert!(
            restarted.status.success(),
            "{}{}",
            printed(&restarted),
            log()
        );
        let end = Instant::now() + Duration::from_secs(20);
        while self.status().is_err() {
            assert!(Instant::now() < end, "{}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        fs::remove_file(self.path("starts")).unwrap();
    }

    /// A power failure and a boot.
    pub fn reboot(&mut self) {
        self.systemd.stop();
        self.restart();
    }

    /// How often containerd was started since the last [`Node::restart`].
    pub fn restarts(&self) -> usize {
        fs::read_to_string(self.path("starts"))
            .unwrap_or_default()
            .lines()
            .count()
    }

    /// Whether systemd will take the handler out unless the installer prevents it.
    pub fn is_rollback_armed(&self) -> bool {
        let show = [
            "show",
            "--property=ActiveState",
            "node-installer-rollback.timer",
        ];
        let shown = self.systemd.systemctl(&show);
        String::from_utf8_lossy(&shown.stdout).trim() == "ActiveState=active"
    }

    pub fn status(&self) -> anyhow::Result<swiss_node_installer::cri::Status> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(swiss_node_installer::cri::status(&self.socket()))
    }

    pub fn installer(&self, verb: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_node-installer"));
        command.env_clear().arg(verb);
        command
            .env("SHIM", self.shim())
            .env("SHIM_SOURCE", self.path("shim"))
            .env("CONTAINERD_CONFIG", self.config())
            .env("CONTAINERD_SOCKET", self.socket())
            .env("SYSTEMCTL", self.path("systemctl"))
            .env("SYSTEMD_RUN", self.path("systemd-run"))
            .env("HEALTH_TIMEOUT", "30");
        command
    }

    pub fn run(&self, verb: &str) -> Output {
        self.installer(verb).output().unwrap()
    }

    /// Runs the installer, which must succeed.
    pub fn must(&self, verb: &str) -> String {
        let output = self.run(verb);
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        assert!(
            output.status.success(),
            "{verb}: {}\n{log}",
            printed(&output)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the installer, which must fail, and returns its output.
    pub fn must_fail(&self, verb: &str) -> String {
        let output = self.run(verb);
        assert!(
            !output.status.success(),
            "{verb} should have failed: {}",
            printed(&output)
        );
        printed(&output)
    }

    /// The files that the installer has created; none after `uninstall`.
    pub fn leftovers(&self) -> Vec<String> {
        let mut names = Vec::new();
        for folder in ["etc", "home/kubernetes/bin", "home/kubernetes/bin/spin"] {
            let Ok(entries) = fs::read_dir(self.path(folder)) else {
                continue;
            };
            names.extend(entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()));
        }
        names.retain(|name| !["config.toml", "conf.d"].contains(&name.as_str()));
        names.sort();
        names
    }
}

/// `node-installer watch`, which ends with the test.
pub struct Watch(Child);

impl Watch {
    pub fn start(node: &Node) -> Self {
        Self::spawn(&mut node.installer("watch"))
    }

    pub fn spawn(installer: &mut Command) -> Self {
        let installer = installer.args(["--interval", "1"]).stdout(Stdio::null());
        Self(installer.spawn().unwrap())
    }

    pub fn wait_until(&mut self, condition: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !condition() {
            assert!(Instant::now() < end, "the condition did not become true");
            assert!(self.0.try_wait().unwrap().is_none(), "watch has ended");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Sends SIGTERM, after which it must end without an error.
    pub fn stop(mut self) {
        self.terminate();
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Fails after `stop`, when the process is gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// stdout and stderr.
pub fn printed(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|bytes| String::from_utf8_lossy(bytes))
        .concat()
}
