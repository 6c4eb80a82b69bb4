//! A node: the paths of its files and programs.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::Args;

use crate::budget::Budget;
use crate::config::Runtime;
use crate::cri;
use crate::dump::Dump;
use crate::files::beside;
use crate::host::Host;
use crate::unit::Unit;

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

    /// The containerd that dumps the configuration; the program of the unit by default
    #[arg(long, env, value_name = "FILE")]
    pub containerd: Option<PathBuf>,

    /// containerd's socket
    #[arg(long, env = "CONTAINERD_SOCKET", value_name = "FILE", default_value = "/run/containerd/containerd.sock", value_parser = absolute)]
    pub socket: PathBuf,

    /// The systemd unit that runs containerd
    #[arg(long, env, value_name = "NAME", default_value = "containerd")]
    pub unit: String,

    /// The node's systemctl
    #[arg(
        long,
        env,
        value_name = "FILE",
        default_value = "systemctl",
        hide = true
    )]
    pub systemctl: String,

    /// The node's systemd-run
    #[arg(
        long,
        env,
        value_name = "FILE",
        default_value = "systemd-run",
        hide = true
    )]
    pub systemd_run: String,

    /// Restart containerd although pods of the handler run
    #[arg(long, env = "RESTART_WITH_PODS")]
    pub restart_with_pods: bool,

    /// Any text: with another one, the installer tries again what was rolled back
    #[arg(long, env, value_name = "TEXT", default_value = "")]
    pub attempt: String,

    /// How long containerd may take to become healthy after a restart
    #[arg(
        long,
        env = "HEALTH_TIMEOUT",
        value_name = "SECONDS",
        default_value_t = 60
    )]
    pub health_timeout: u64,

    /// How long the Node may take to list the handler
    #[arg(
        long,
        env = "REPORT_TIMEOUT",
        value_name = "SECONDS",
        default_value_t = 120
    )]
    pub report_timeout: u64,
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

    /// The folder of the shim, in which the installer also keeps its own files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.shim.parent().unwrap_or(Path::new("/"))
    }

    /// The path of the program that rolls back when no pod can.
    #[must_use]
    pub fn rollback_program(&self) -> PathBuf {
        self.folder().join("node-installer")
    }

    /// The path of the record of what containerd was restarted with.
    #[must_use]
    pub fn trial(&self) -> PathBuf {
        self.folder().join("trial")
    }

    /// The path of the same record after a rollback.
    #[must_use]
    pub fn failed_trial(&self) -> PathBuf {
        self.folder().join("failed-trial")
    }

    /// The files that the installer makes on the node, or may leave when it is killed. The
    /// record of the restarts is the last one, because it counts until all others are gone.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let files = [
            self.shim.clone(),
            self.rollback_program(),
            self.original(),
            self.trial(),
            self.failed_trial(),
            Budget::file_in(self.folder()),
        ];
        let new = files.iter().map(|file| beside(file, ".new"));
        [self.candidate()]
            .into_iter()
            .chain(new)
            .chain(files.clone())
            .collect()
    }

    #[must_use]
    pub fn budget(&self) -> Budget {
        Budget::in_folder(&self.host().path(self.folder()))
    }

    /// The containerd that dumps the configuration, on the node.
    #[must_use]
    pub fn program<'n>(&'n self, unit: &'n Unit) -> &'n Path {
        self.containerd.as_deref().unwrap_or(&unit.program)
    }

    /// The command by which the node's systemd rolls back.
    #[must_use]
    pub fn rollback_command(&self) -> Vec<String> {
        let mut command = vec![
            self.rollback_program().display().to_string(),
            "roll-back".to_owned(),
        ];
        let program = self
            .containerd
            .as_ref()
            .map(|path| path.display().to_string());
        let options = [
            ("--handler", Some(self.handler.clone())),
            ("--shim", Some(self.shim.display().to_string())),
            ("--config", Some(self.config.display().to_string())),
            ("--socket", Some(self.socket.display().to_string())),
            ("--unit", Some(self.unit.clone())),
            ("--systemctl", Some(self.systemctl.clone())),
            ("--health-timeout", Some(self.health_timeout.to_string())),
            ("--containerd", program),
        ];
        for (name, value) in options {
            if let Some(value) = value {
                command.extend([name.to_owned(), value]);
            }
        }
        command
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
