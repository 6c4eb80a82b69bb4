//! Nodes that are cheap enough for hundreds of them on one machine. Each has a folder,
//! credentials and an installer of its own. Its containerd is one of two that all nodes
//! share: a stub of systemctl "restarts" it by leading the node's socket from the one
//! without the handler to the one with it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Node as NodeObject;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tempfile::TempDir;

use crate::api::{self, block_on};
use crate::control_plane::ControlPlane;
use crate::support::containerd::{Style, gke};
use crate::support::{Node, containerds};

/// How long a restart takes. That of a real containerd takes longer.
pub const RESTART: Duration = Duration::from_secs(1);

/// The kubelet reports a change of its handlers within this time.
const KUBELET_REPORTS_WITHIN: Duration = Duration::from_secs(10);

pub struct Fleet {
    folder: TempDir,
    without_handler: Node,
    _with_handler: Node,
    max_restarting: usize,
    admin: PathBuf,
    pub nodes: Vec<FakeNode>,
}

pub struct FakeNode {
    name: String,
    folder: PathBuf,
    installer: Option<Child>,
    kubelet_reports: Option<Instant>,
    has_reported: bool,
}

impl Fleet {
    pub fn prepare(cluster: &ControlPlane, count: usize, max_restarting: usize) -> Self {
        let folder = tempfile::Builder::new().prefix("fleet").tempdir().unwrap();
        let containerd = containerds().pop().unwrap();
        let shim = folder.path().join("node/bin/shim");
        let handler = format!(
            "\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.spin]\n  runtime_type = \"{}\"\n\
             [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.spin.options]\n  SystemdCgroup = true\n",
            shim.display()
        );
        let mut fleet = Self {
            without_handler: Node::start(&containerd, |folder| gke(Some(2), Style::Gke, folder)),
            _with_handler: Node::start(&containerd, |folder| {
                gke(Some(2), Style::Gke, folder) + &handler
            }),
            folder,
            max_restarting,
            admin: cluster.path("admin.conf"),
            nodes: Vec::new(),
        };
        // Each node's folder is mounted there, since a containerd that they share has one
        // path of the shim.
        fs::create_dir(fleet.path("node")).unwrap();
        fs::copy(
            env!("CARGO_BIN_EXE_node-installer"),
            fleet.path("node-installer"),
        )
        .unwrap();
        fleet.write_stubs(&fleet._with_handler.path("containerd.sock"));
        let names: Vec<_> = (0..count).map(|number| format!("node-{number}")).collect();
        let tokens = block_on(api::create(&fleet.admin, &names));
        for (name, token) in names.iter().zip(tokens) {
            let node = fleet.prepare_node(name, &cluster.kubeconfig(&token));
            fleet.nodes.push(node);
        }
        fleet
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `systemctl` and `systemd-run`, which see the folder of the node that calls them.
    fn write_stubs(&self, with_handler: &Path) {
        let node = self.path("node").display().to_string();
        let microseconds = "$(awk '{ printf \"%d\", $1 * 1000000 }' /proc/uptime)";
        let containerd = self.without_handler.containerd.binary.display();
        let systemctl = format!(
            "#!/bin/sh\ncase $1 in\n\
             show)\n\
             echo 'ExecStart={{ path={containerd} ; argv[]={containerd} -c {node}/etc/config.toml ; ignore_errors=no }}'\n\
             echo ExecMainStartTimestampMonotonic=$(cat {node}/restarted)\necho\n\
             if [ -f {node}/armed ]; then echo ActiveState=active; else echo ActiveState=inactive; fi\n\
             echo ActiveEnterTimestampMonotonic=$(cat {node}/armed) ;;\n\
             restart)\nsleep {seconds}\nln -sfn {with_handler} {node}/containerd.sock\necho {microseconds} >{node}/restarted ;;\n\
             stop)\nrm {node}/armed ;;\n\
             esac 2>/dev/null\n",
            seconds = RESTART.as_secs_f64(),
            with_handler = with_handler.display(),
        );
        let systemd_run = format!("#!/bin/sh\necho {microseconds} >{node}/armed\n");
        for (name, text) in [("systemctl", systemctl), ("systemd-run", systemd_run)] {
            fs::write(self.path(name), text).unwrap();
            fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    fn prepare_node(&self, name: &str, kubeconfig: &str) -> FakeNode {
        let folder = self.path(name);
        for part in ["etc", "bin", "run"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        let shared = self.without_handler.folder.path();
        fs::write(
            folder.join("etc/config.toml"),
            gke(Some(2), Style::Gke, shared),
        )
        .unwrap();
        symlink(
            shared.join("containerd.sock"),
            folder.join("containerd.sock"),
        )
        .unwrap();
        fs::write(folder.join("kubeconfig"), kubeconfig).unwrap();
        // A copy for each node would fill the disk.
        fs::hard_link(
            self.path("node-installer"),
            folder.join("bin/node-installer"),
        )
        .unwrap();
        FakeNode {
            name: name.to_owned(),
            folder,
            installer: None,
            kubelet_reports: None,
            has_reported: false,
        }
    }

    /// Starts all installers.
    pub fn start(&mut self) {
        for number in 0..self.nodes.len() {
            let installer = self.installer(&self.nodes[number].folder).spawn().unwrap();
            self.nodes[number].installer = Some(installer);
        }
    }

    /// Replaces all installers, as an update of the DaemonSet does.
    pub fn restart(&mut self) {
        self.stop();
        for node in &self.nodes {
            fs::remove_file(node.folder.join("run/ready")).unwrap();
        }
        self.start();
    }

    fn stop(&mut self) {
        for installer in self
            .nodes
            .iter_mut()
            .filter_map(|node| node.installer.as_mut())
        {
            let _ = installer.kill();
            let _ = installer.wait();
        }
    }

    fn installer(&self, folder: &Path) -> Command {
        let (node, log) = (
            self.path("node"),
            fs::File::create(folder.join("log")).unwrap(),
        );
        let mut command = Command::new("unshare");
        command
            .args([
                "--mount",
                "sh",
                "-c",
                "mount --bind \"$1\" \"$2\" && exec \"$3\" watch",
                "sh",
            ])
            .args([folder, &node, &self.path("node-installer")])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("SHIM", node.join("bin/shim"))
            .env("SHIM_SOURCE", self.without_handler.path("shim"))
            .env("CONTAINERD_CONFIG", node.join("etc/config.toml"))
            .env("CONTAINERD_SOCKET", node.join("containerd.sock"))
            .env("SYSTEMCTL", self.path("systemctl"))
            .env("SYSTEMD_RUN", self.path("systemd-run"))
            .env("READY_FILE", node.join("run/ready"))
            .env("KUBECONFIG", node.join("kubeconfig"))
            .env("NODE_NAME", folder.file_name().unwrap())
            .env("MAX_RESTARTING", self.max_restarting.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        command
    }

    /// How many nodes are ready, as the pods' readiness probes tell.
    pub fn ready(&self) -> usize {
        let is_ready = |node: &&FakeNode| node.folder.join("run/ready").exists();
        self.nodes.iter().filter(is_ready).count()
    }

    /// Reports the handlers of nodes whose containerd was restarted, as their kubelets do,
    /// until `is_over` says so. It is asked five times a second.
    pub fn run_kubelets_until(&mut self, is_over: impl Fn(&Self) -> bool) {
        block_on(async {
            let nodes: Api<NodeObject> = Api::all(api::client(&self.admin).await);
            while !is_over(self) {
                for node in &mut self.nodes {
                    let Some(name) = node.handlers_to_report() else {
                        continue;
                    };
                    let handlers = ["", "runc", "spin"].map(|name| json!({ "name": name }));
                    let patch = json!({ "status": { "runtimeHandlers": handlers } });
                    let parameters = PatchParams::default();
                    nodes
                        .patch_status(&name, &parameters, &Patch::Merge(patch))
                        .await
                        .unwrap();
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.stop();
    }
}

impl FakeNode {
    /// The Node's name, once, some time after containerd was restarted.
    fn handlers_to_report(&mut self) -> Option<String> {
        if self.has_reported || !self.folder.join("restarted").exists() {
            return None;
        }
        let delay = KUBELET_REPORTS_WITHIN.mul_f64(fastrand::f64());
        let due = *self
            .kubelet_reports
            .get_or_insert_with(|| Instant::now() + delay);
        self.has_reported = due <= Instant::now();
        self.has_reported.then(|| self.name.clone())
    }
}
