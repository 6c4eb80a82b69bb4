//! Configurations of containerd like those of the node images in README's table.
//!
//! They differ from an image's in this: NRI is off, and metrics have no fixed port,
//! because several containerds run on the machine of the tests. [`below`] puts every path
//! below the node's folder, for which root, state and socket must be set.

use std::path::Path;
use std::process::Command;

use super::Containerd;

/// The configuration with its paths below the node's folder.
pub fn below(folder: &Path, config: &str) -> String {
    ["\"", "'"].iter().fold(config.to_owned(), |text, quote| {
        let path = format!("{quote}{}/", folder.display());
        text.replace(&format!("{quote}/"), &path)
    })
}

const PLUGINS_AND_FOLDERS: &str = r#"disabled_plugins = ["io.containerd.nri.v1.nri"]
root = "/var/lib/containerd"
state = "/run/containerd"
"#;

/// What GKE's boot script writes on both of its images. The options of runc come before
/// the tables that they are in.
fn gke(registry: &str, images: &str, proxy_plugins: &str) -> String {
    format!(
        r#"version = 2
required_plugins = ["io.containerd.grpc.v1.cri"]
disabled_plugins = ["io.containerd.internal.v1.restart", "io.containerd.nri.v1.nri"]
oom_score = -999
root = "/var/lib/containerd"
state = "/run/containerd"

[debug]
  level = "info"

[grpc]
  gid = 412
  address = "/run/containerd/containerd.sock"

[plugins."io.containerd.grpc.v1.cri"]
  stream_server_address = "127.0.0.1"
  max_container_log_line_size = 262144
  sandbox_image = "gke.gcr.io/pause:3.8"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/home/kubernetes/bin"
  conf_dir = "/etc/cni/net.d"
  conf_template = "/home/containerd/cni.template"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = true
[plugins."io.containerd.grpc.v1.cri".registry{registry}
[metrics]
 address = "127.0.0.1:0"
[plugins."io.containerd.grpc.v1.cri".containerd]
  default_runtime_name = "runc"
{images}  discard_unpacked_layers = true
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
{proxy_plugins}"#
    )
}

/// With image streaming.
pub fn gke_container_optimized_os(_: &Containerd) -> String {
    gke(
        "]\n  config_path = \"/etc/containerd/hosts.d\"",
        "  snapshotter = \"gcfs\"\n  disable_snapshot_annotations = false\n",
        r#"[proxy_plugins]
  [proxy_plugins.gcfs]
    type = "snapshot"
    address = "/run/containerd-gcfs-grpc/containerd-gcfs-grpc.sock"
"#,
    )
}

/// With the older table of registries.
pub fn gke_ubuntu(_: &Containerd) -> String {
    gke(
        ".mirrors.\"docker.io\"]\n  endpoint = [\"https://mirror.gcr.io\",\"https://registry-1.docker.io\"]",
        "",
        "",
    )
}

/// As Kubernetes' documentation says: `containerd config default`, and the cgroup driver
/// of systemd.
pub fn kubeadm(containerd: &Containerd) -> String {
    let mut command = Command::new(&containerd.binary);
    let output = command.args(["config", "default"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.matches("SystemdCgroup = false").count(), 1, "{text}");
    text.replace("SystemdCgroup = false", "SystemdCgroup = true")
}

/// The file of Debian's package. Ubuntu's package has none.
pub fn debian(_: &Containerd) -> String {
    format!(
        r#"version = 2
{PLUGINS_AND_FOLDERS}[grpc]
  address = "/run/containerd/containerd.sock"

[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/usr/lib/cni"
      conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.internal.v1.opt"]
    path = "/var/lib/containerd/opt"
"#
    )
}

/// What nodeadm writes on Amazon Linux 2023: version 2 for containerd 1.x, and version 3
/// for 2.x, with both kinds of quotes.
pub fn eks(containerd: &Containerd) -> String {
    let (version, cri) = match containerd.version {
        (1, ..) => (
            2,
            r#"[plugins."io.containerd.grpc.v1.cri".containerd]
default_runtime_name = "runc"
discard_unpacked_layers = true

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "localhost/kubernetes/pause"

[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "/etc/containerd/certs.d:/etc/docker/certs.d"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
base_runtime_spec = "/etc/containerd/base-runtime-spec.json"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = "/usr/sbin/runc"
SystemdCgroup = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/opt/cni/bin"
conf_dir = "/etc/cni/net.d"
"#,
        ),
        _ => (
            3,
            r#"[plugins.'io.containerd.cri.v1.images']
discard_unpacked_layers = true

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = "localhost/kubernetes/pause"

[plugins."io.containerd.cri.v1.images".registry]
config_path = "/etc/containerd/certs.d:/etc/docker/certs.d"

[plugins.'io.containerd.cri.v1.runtime']
enable_cdi = true

[plugins.'io.containerd.cri.v1.runtime'.containerd]
default_runtime_name = "runc"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
base_runtime_spec = "/etc/containerd/base-runtime-spec.json"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = "/usr/sbin/runc"
SystemdCgroup = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['/opt/cni/bin']
conf_dir = "/etc/cni/net.d"
"#,
        ),
    };
    format!(
        "version = {version}\n{PLUGINS_AND_FOLDERS}\n\
         [grpc]\naddress = \"/run/containerd/containerd.sock\"\n\n{cri}"
    )
}

/// AKS writes version 2 for containerd 1.x. For 2.0 to 2.2 it writes version 2 with the
/// names of version 3, and for later releases version 4.
pub fn aks(containerd: &Containerd) -> String {
    let socket = "[grpc]\n  address = \"/run/containerd/containerd.sock\"\n";
    let sockets = "[plugins.\"io.containerd.server.v1.grpc\"]\n  address = \"/run/containerd/containerd.sock\"\n\
                   [plugins.\"io.containerd.server.v1.ttrpc\"]\n  address = \"/run/containerd/containerd.sock.ttrpc\"\n";
    let (version, images, runtime, socket) = match containerd.version {
        (1, ..) => (2, "grpc.v1.cri", "grpc.v1.cri", socket),
        (2, 0..=2, _) => (2, "cri.v1.images", "cri.v1.runtime", socket),
        _ => (4, "cri.v1.images", "cri.v1.runtime", sockets),
    };
    let pause = match containerd.version {
        (1, ..) => "  sandbox_image = \"mcr.microsoft.com/pause:3.6\"".to_owned(),
        _ => format!(
            "  [plugins.\"io.containerd.{images}\".pinned_images]\n    sandbox = \"mcr.microsoft.com/pause:3.6\""
        ),
    };
    format!(
        r#"version = {version}
oom_score = -999
{PLUGINS_AND_FOLDERS}[plugins."io.containerd.{images}"]
{pause}
  [plugins."io.containerd.{images}".registry]
    config_path = "/etc/containerd/certs.d"
  [plugins."io.containerd.{images}".registry.headers]
    X-Meta-Source-Client = ["azure/aks"]
[plugins."io.containerd.{runtime}".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.{runtime}".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.{runtime}".containerd.runtimes.runc.options]
      BinaryName = "/usr/bin/runc"
      SystemdCgroup = true
    [plugins."io.containerd.{runtime}".containerd.runtimes.untrusted]
      runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.{runtime}".containerd.runtimes.untrusted.options]
      BinaryName = "/usr/bin/runc"
  [plugins."io.containerd.{runtime}".cni]
    bin_dir = "/opt/cni/bin"
    conf_dir = "/etc/cni/net.d"
    conf_template = "/etc/containerd/kubenet_template.conf"
[metrics]
  address = "127.0.0.1:0"
{socket}"#
    )
}

/// What k3s and RKE2 write at each start.
pub fn k3s(name: &str) -> String {
    format!(
        r#"# File generated by {name}. DO NOT EDIT. Use config-v3.toml.tmpl instead.
version = 3
imports = ["/var/lib/rancher/{name}/agent/etc/containerd/config-v3.toml.d/*.toml"]
root = "/var/lib/rancher/{name}/agent/containerd"
state = "/run/k3s/containerd"

[grpc]
  address = "/run/k3s/containerd/containerd.sock"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  SystemdCgroup = true
"#
    )
}
