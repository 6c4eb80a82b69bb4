//! etcd and a kube-apiserver on free ports, with all their files in a temporary
//! folder.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

pub struct ControlPlane {
    folder: TempDir,
    port: u16,
    etcd: String,
    processes: Vec<Child>,
}

/// The program that the variable names. `make test-installer-cluster` sets it.
fn program(variable: &str) -> PathBuf {
    std::env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} is not set: run `make test-installer-cluster`"))
        .into()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// `audit.log` has the installers' requests.
fn audit_policy() -> String {
    let installer = "system:serviceaccount:swiss-node-installer:node-installer";
    json!({
        "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
        "rules": [{ "level": "Metadata", "users": [installer] }, { "level": "None" }],
    })
    .to_string()
}

impl ControlPlane {
    pub fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("control-plane")
            .tempdir()
            .unwrap();
        let [port, etcd, peers] = [free_port(), free_port(), free_port()];
        let mut cluster = Self {
            folder,
            port,
            etcd: format!("http://127.0.0.1:{etcd}"),
            processes: Vec::new(),
        };
        cluster.write("tokens.csv", "admin,admin,admin,system:masters\n");
        cluster.must(Command::new("openssl").args(["genrsa", "-out", "account.key", "2048"]));
        cluster.write("audit-policy.json", &audit_policy());
        let etcd = cluster.etcd.clone();
        let peers = format!("http://127.0.0.1:{peers}");
        cluster.spawn(
            "etcd",
            Command::new(program("ETCD")).args([
                "--data-dir=etcd",
                "--unsafe-no-fsync",
                "--log-level=warn",
                &format!("--listen-client-urls={etcd}"),
                &format!("--advertise-client-urls={etcd}"),
                &format!("--listen-peer-urls={peers}"),
                &format!("--initial-advertise-peer-urls={peers}"),
                &format!("--initial-cluster=default={peers}"),
            ]),
        );
        cluster.start_api_server();
        cluster
    }

    /// Starts the API server, also after [`Self::stop_api_server`], and waits until it is
    /// ready.
    pub fn start_api_server(&mut self) {
        self.spawn(
            "apiserver",
            Command::new(program("KUBE_APISERVER")).args([
                &format!("--etcd-servers={}", self.etcd),
                "--bind-address=127.0.0.1",
                &format!("--secure-port={}", self.port),
                "--cert-dir=certificates",
                "--token-auth-file=tokens.csv",
                "--audit-policy-file=audit-policy.json",
                "--audit-log-path=audit.log",
                "--authorization-mode=RBAC",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-account-key-file=account.key",
                "--service-account-signing-key-file=account.key",
                "--service-cluster-ip-range=10.96.0.0/16",
                // No controller creates the service accounts that the plugin expects.
                "--disable-admission-plugins=ServiceAccount",
            ]),
        );
        self.write("admin.conf", &self.kubeconfig("admin"));
        let end = Instant::now() + Duration::from_secs(60);
        while self.try_kubectl(&["get", "--raw", "/readyz"], "").is_err() {
            assert!(
                Instant::now() < end,
                "{}",
                fs::read_to_string(self.path("apiserver.log")).unwrap()
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Ends the API server. etcd keeps its objects.
    pub fn stop_api_server(&mut self) {
        let mut server = self.processes.pop().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    fn must(&self, command: &mut Command) {
        let output = command.current_dir(self.folder.path()).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn spawn(&mut self, name: &str, command: &mut Command) {
        let log = fs::File::create(self.path(&format!("{name}.log"))).unwrap();
        let child = command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        self.processes.push(child.spawn().unwrap());
    }

    fn stop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    pub fn kubeconfig(&self, token: &str) -> String {
        let certificate = self
            .path("certificates/apiserver.crt")
            .display()
            .to_string();
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{ "name": "test", "cluster": {
                "server": format!("https://127.0.0.1:{}", self.port), "certificate-authority": certificate,
            } }],
            "users": [{ "name": "test", "user": { "token": token } }],
            "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
        })
        .to_string()
    }

    pub fn kubectl(&self, arguments: &[&str]) -> String {
        self.try_kubectl(arguments, "").unwrap()
    }

    pub fn try_kubectl(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        self.kubectl_as(&self.path("admin.conf"), arguments, input)
    }

    pub fn kubectl_as(
        &self,
        kubeconfig: &Path,
        arguments: &[&str],
        input: &str,
    ) -> Result<String, String> {
        self.write("input", input);
        let output = Command::new(program("KUBECTL"))
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .args(arguments)
            .env("HOME", self.folder.path())
            .stdin(fs::File::open(self.path("input")).unwrap())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&output.stderr))
        }
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.stop();
    }
}
