//! The node's own file system and programs, as a container sees them.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// The folder at which the node's root is mounted; `/` outside a container.
#[derive(Clone, Debug)]
pub struct Host {
    pub root: PathBuf,
}

impl Host {
    /// Where a path of the node is to be found here.
    #[must_use]
    pub fn path(&self, on_node: &Path) -> PathBuf {
        self.root.join(on_node.strip_prefix("/").unwrap_or(on_node))
    }

    /// Runs a program of the node in the node's root, for at most `timeout`.
    ///
    /// # Errors
    /// When it cannot be run, takes too long, or fails; with its last words.
    pub async fn run(&self, command: &[String], timeout: Duration) -> Result<Output> {
        let line = command.join(" ");
        let mut process = if self.root == Path::new("/") {
            let (program, arguments) = command.split_first().context("the command is empty")?;
            let mut process = Command::new(program);
            process.args(arguments);
            process
        } else {
            let mut process = Command::new("/proc/self/exe");
            process.arg(ENTER).arg(&self.root).args(command);
            process
        };
        process.stdin(Stdio::null());
        let mut process = tokio::process::Command::from(process);
        let output = process.kill_on_drop(true).output();
        let output = tokio::time::timeout(timeout, output)
            .await
            .with_context(|| format!("`{line}` took longer than {} s", timeout.as_secs()))?
            .with_context(|| format!("cannot run `{line}`"))?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            let last = words.lines().rfind(|line| !line.trim().is_empty());
            bail!(
                "`{line}` failed: {}",
                last.unwrap_or("it gave no reason").trim()
            );
        }
        Ok(output)
    }
}

/// The hidden subcommand that [`enter`] is for: a process of its own, since the
/// root is changed for the whole process.
pub const ENTER: &str = "enter";

/// Becomes a program of the node, with the node's root as its root. It takes
/// the capability SYS_CHROOT and no more, unlike entering the node's namespaces.
///
/// # Errors
/// When it cannot; it does not come back otherwise.
pub fn enter(root: &Path, command: &[String]) -> Result<()> {
    let (program, arguments) = command.split_first().context("no command to run")?;
    rustix::process::chroot(root)
        .and_then(|()| rustix::process::chdir("/"))
        .with_context(|| format!("cannot change the root to {}", root.display()))?;
    let error = Command::new(program)
        .args(arguments)
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        // The container's processes have another root than the node's first, so
        // that systemctl would do nothing.
        .env("SYSTEMD_IGNORE_CHROOT", "1")
        .exec();
    ensure!(
        error.kind() != io::ErrorKind::NotFound,
        "{program} is not on the node"
    );
    Err(error).with_context(|| format!("cannot run {program}"))
}
