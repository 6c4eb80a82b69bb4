//! The containerds under test, and configurations like those of their nodes.

use std::path::{Path, PathBuf};
use std::process::Command;

use swiss_node_installer::dump::Dump;

#[derive(Clone, Debug)]
pub struct Containerd {
    pub binary: PathBuf,
    pub version: (u32, u32, u32),
}

/// The containerds of `CONTAINERDS`, oldest first. `make test-installer` sets it to
/// paths that are separated by colons.
pub fn containerds() -> Vec<Containerd> {
    let list =
        std::env::var("CONTAINERDS").expect("CONTAINERDS is not set: run `make test-installer`");
    list.split(':')
        .map(|binary| Containerd::at(binary.into()))
        .collect()
}

impl Containerd {
    fn at(binary: PathBuf) -> Self {
        let output = Command::new(&binary)
            .arg("--version")
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        let line = String::from_utf8(output.stdout).unwrap();
        let version = line
            .split_whitespace()
            .nth(2)
            .unwrap()
            .trim_start_matches('v');
        let mut numbers = version
            .split(|c: char| !c.is_ascii_digit())
            .map(|number| number.parse().unwrap());
        let version = std::array::from_fn(|_| numbers.next().unwrap());
        let [major, minor, patch] = version;
        Self {
            binary,
            version: (major, minor, patch),
        }
    }

    /// The versions of the configuration whose CRI settings it reads.
    pub fn config_versions(&self) -> &'static [Option<u8>] {
        match self.version {
            (1, ..) => &[None, Some(1), Some(2)],
            (2, 0..=2, _) => &[Some(2), Some(3)],
            _ => &[Some(2), Some(3), Some(4)],
        }
    }

    pub fn dump(&self, config: &Path) -> Result<Dump, String> {
        let output = Command::new(&self.binary)
            .arg("-c")
            .arg(config)
            .args(["config", "dump"])
            .output()
            .unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Dump::read(&output.stdout, config).map_err(|error| format!("{error:#}"))
    }
}

/// How a node's configuration differs from GKE's usual one.
#[derive(Clone, Copy, Debug)]
pub enum Style {
    Gke,
    ImageStreaming,
    Mirrors,
    Imports,
    Odd,
    Crlf,
    Inline,
    Dotted,
    PullTable,
    NoFinalNewline,
}

impl Style {
    pub const ALL: [Self; 10] = [
        Self::Gke,
        Self::ImageStreaming,
        Self::Mirrors,
        Self::Imports,
        Self::Odd,
        Self::Crlf,
        Self::Inline,
        Self::Dotted,
        Self::PullTable,
        Self::NoFinalNewline,
    ];
}

/// A configuration as GKE writes it, in the given version, for a containerd with all
/// its files in `folder`.
pub fn gke(version: Option<u8>, style: Style, folder: &Path) -> String {
    let (cri, images, runtime) = match version {
        None | Some(1) => ["cri"; 3].into(),
        Some(2) => ["io.containerd.grpc.v1.cri"; 3].into(),
        _ => (
            "io.containerd.grpc.v1.cri",
            "io.containerd.cri.v1.images",
            "io.containerd.cri.v1.runtime",
        ),
    };
    // From 2.0 on, NRI has one socket for all containerds of a machine, and the tests
    // run several.
    let disabled = if cri == "cri" {
        r#""restart""#
    } else {
        r#""io.containerd.internal.v1.restart", "io.containerd.nri.v1.nri""#
    };
    let folder = folder.display();
    // Version 4 configures the sockets as plugins, and has `bin_dirs` for `bin_dir`.
    let (sockets, bin_dir) = if version == Some(4) {
        (
            ["grpc", "ttrpc"].map(|server| format!("[plugins.\"io.containerd.server.v1.{server}\"]\n  address = \"{folder}/{}\"\n", if server == "grpc" { "containerd.sock" } else { "containerd.sock.ttrpc" })).concat(),
            "bin_dirs = [\"/home/kubernetes/bin\"]",
        )
    } else {
        (
            format!("[grpc]\n  address = \"{folder}/containerd.sock\"\n"),
            "bin_dir = \"/home/kubernetes/bin\"",
        )
    };
    let line = version
        .map(|version| format!("version = {version}\n"))
        .unwrap_or_default();
    let imports = match style {
        Style::Imports => format!("imports = ['{folder}/etc/conf.d/*.toml']\n"),
        _ => String::new(),
    };
    let runc = match style {
        Style::Inline => format!(
            "[plugins.\"{runtime}\".containerd]\ndefault_runtime_name = \"runc\"\n\
             runtimes = {{ runc = {{ runtime_type = \"io.containerd.runc.v2\", options = {{ SystemdCgroup = true }} }} }}\n"
        ),
        Style::Dotted => format!(
            "[plugins.\"{runtime}\".containerd]\ndefault_runtime_name = \"runc\"\n\
             runtimes.runc.runtime_type = \"io.containerd.runc.v2\"\nruntimes.runc.options.SystemdCgroup = true\n"
        ),
        _ => format!(
            "[plugins.\"{runtime}\".containerd]\n  default_runtime_name = \"runc\"\n\
             [plugins.\"{runtime}\".containerd.runtimes.runc]\n  runtime_type = \"io.containerd.runc.v2\"\n\
             [plugins.\"{runtime}\".containerd.runtimes.runc.options]\n  SystemdCgroup = true\n"
        ),
    };
    let more = match style {
        Style::ImageStreaming => format!(
            "[plugins.\"{images}\".registry]\n  config_path = \"/etc/containerd/hosts.d\"\n\
             [proxy_plugins]\n  [proxy_plugins.gcfs]\n    type = \"snapshot\"\n    address = \"/run/containerd-gcfs-grpc/containerd-gcfs-grpc.sock\"\n"
        ),
        Style::Mirrors => format!(
            "[plugins.\"{images}\".registry.mirrors.\"docker.io\"]\n  endpoint = [\"https://mirror.gcr.io\",\"https://registry-1.docker.io\"]\n"
        ),
        Style::Odd => format!(
            "\n\n#  the node's   metrics\n\t[ metrics ]   # [plugins]\n\taddress=\"127.0.0.1:1338\"\n\n[ plugins . \"{images}\" . registry ] # {{}}\n\n"
        ),
        Style::PullTable => {
            "[plugins.\"io.containerd.cri.v1.images\"] # images\n  max_concurrent_downloads = 4\n"
                .to_owned()
        }
        _ => String::new(),
    };
    let text = format!(
        "{line}{imports}# Kubernetes doesn't use containerd restart manager.\n\
         disabled_plugins = [{disabled}]\n\
         root = \"{folder}/root\"\nstate = \"{folder}/state\"\noom_score = -999\n\n\
         [debug]\n  level = \"info\"\n\n\
         {sockets}\n\
         [plugins.\"{cri}\"]\n  stream_server_address = \"127.0.0.1\"\n  stream_server_port = \"0\"\n\
         [plugins.\"{runtime}\".cni]\n  {bin_dir}\n  conf_dir = \"{folder}/cni\"\n\
         {runc}{more}",
    );
    match style {
        Style::Crlf => text.replace('\n', "\r\n"),
        Style::NoFinalNewline => text.trim_end().to_owned(),
        _ => text,
    }
}
