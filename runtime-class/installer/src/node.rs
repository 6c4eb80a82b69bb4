//! A node: the paths of its files and programs, and the calls of its containerd.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::budget::Budget;
use crate::config::Runtime;
use crate::cri;
use crate::dump::Dump;
use crate::files::{Access, beside};
use crate::host::Host;

/// Every path except `host_root` is a path on the node.
#[derive(Args, Clone, Debug)]
pub struct Node {
    /// Where the node's root is mounted
    #[arg(long, env = "HOST_ROOT", value_name = "FOLDER", default_value = "/")]
    pub host_root: PathBuf,

    /// The handler's name, as the RuntimeClass has it
    #[arg(long, env, value_name = "NAME", default_value = "spin", value_parser = handler_name)]
    pub handler: String,

    /// Where to install the shim; the file system must allow execution
    #[arg(long, env, value_name = "FILE", default_value = "/home/kubernetes/bin/spin/containerd-shim-spin-v2", value_parser = absolute)]
    pub shim: PathBuf,

    /// containerd's main configuration
    #[arg(long, env = "CONTAINERD_CONFIG", value_name = "FILE", default_value = "/etc/containerd/config.toml", value_parser = absolute)]
    pub config: PathBuf,

    /// The node's containerd
    #[arg(long, env, value_name = "FILE", default_value = "/usr/bin/containerd")]
    pub containerd: PathBuf,

    /// containerd's socket
    #[arg(long, env = "CONTAINERD_SOCKET", value_name = "FILE", default_value = "/run/containerd/containerd.sock", value_parser = absolute)]
    pub socket: PathBuf,

    /// The node's command that restarts containerd; spaces separate its arguments
    #[arg(
        long,
        env = "RESTART_COMMAND",
        value_name = "COMMAND",
        default_value = "systemctl restart containerd"
    )]
    pub restart: String,

    /// How long containerd may take to become healthy after a restart
    #[arg(
        long,
        env = "HEALTH_TIMEOUT",
        value_name = "SECONDS",
        default_value_t = 60
    )]
    pub health_timeout: u64,
}

/// RuntimeClass handlers are DNS labels (RFC 1123).
fn handler_name(name: &str) -> Result<String> {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_label = (1..=63).contains(&name.len())
        && name.chars().all(|c| is_inner(c) || c == '-')
        && name.starts_with(is_inner)
        && name.ends_with(is_inner);
    ensure!(is_label, "a handler's name has a-z, 0-9 and -");
    Ok(name.to_owned())
}

fn absolute(path: &str) -> Result<PathBuf> {
    ensure!(path.starts_with('/'), "the path must begin with /");
    Ok(path.into())
}

impl Node {
    #[must_use]
    pub fn host(&self) -> Host {
        Host {
            root: self.host_root.clone(),
        }
    }

    /// The bytes of the main configuration.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_config(&self) -> Result<Vec<u8>> {
        let path = self.host().path(&self.config);
        fs::read(&path)
            .with_context(|| format!("cannot read containerd's configuration {}", path.display()))
    }

    /// The mode and the owner of the main configuration.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn config_access(&self) -> Result<Access> {
        let path = self.host().path(&self.config);
        let metadata =
            fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Access {
            mode: metadata.mode() & 0o7777,
            owner: metadata.uid(),
            group: metadata.gid(),
        })
    }

    /// The path of the candidate. It is beside the main file, because relative
    /// imports start from that folder.
    #[must_use]
    pub fn candidate(&self) -> PathBuf {
        beside(&self.config, ".swiss-candidate")
    }

    /// The path of the copy of the original configuration.
    #[must_use]
    pub fn original(&self) -> PathBuf {
        beside(&self.config, ".swiss-original")
    }

    #[must_use]
    pub fn budget(&self) -> Budget {
        Budget::in_folder(
            self.host()
                .path(&self.shim)
                .parent()
                .unwrap_or(Path::new("/")),
        )
    }

    /// The node's containerd's dump of the configuration at `config`.
    ///
    /// # Errors
    /// When containerd refuses the configuration, with its error.
    pub async fn dump(&self, config: &Path) -> Result<Dump> {
        let arguments =
            [&self.containerd, Path::new("-c"), config].map(|path| path.display().to_string());
        let command = [&arguments[..], &["config".to_owned(), "dump".to_owned()]].concat();
        let output = self.host().run(&command, DUMP_TIMEOUT).await?;
        Dump::read(&output.stdout, config)
    }

    /// The dump of a configuration that is in no file of the node.
    ///
    /// # Errors
    /// When containerd refuses the configuration.
    pub async fn dump_of(&self, config: &[u8]) -> Result<Dump> {
        // The child inherits it, since it is not close-on-exec. It has no name, so it
        // leaves no file.
        let memory: OwnedFd = rustix::fs::memfd_create("config", rustix::fs::MemfdFlags::empty())?;
        let mut file = File::from(memory);
        file.write_all(config)?;
        self.dump(Path::new(&format!("/proc/self/fd/{}", file.as_raw_fd())))
            .await
    }

    /// The runtime to add on this node, whose containerd has the settings `before`.
    #[must_use]
    pub fn runtime(&self, before: &Dump) -> Runtime {
        Runtime {
            handler: self.handler.clone(),
            shim: self.shim.display().to_string(),
            // `false` is the shim's default.
            systemd_cgroup: before.systemd_cgroup_of_default().filter(|wanted| *wanted),
            local_image_pull: before.local_image_pull().is_some(),
        }
    }

    /// The status of the running containerd.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn status(&self) -> Result<cri::Status> {
        cri::status(&self.host().path(&self.socket)).await
    }
}

const DUMP_TIMEOUT: Duration = Duration::from_secs(30);
