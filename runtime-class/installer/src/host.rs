//! The node's file system and programs, as a container reaches them.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// The folder at which the node's root is mounted; `/` outside a container.
#[derive(Clone, Debug)]
pub struct Host {
    pub root: PathBuf,
}

impl Host {
    /// The path in this container of a path on the node.
    #[must_use]
    pub fn path(&self, on_node: &Path) -> PathBuf {
        let (Some(folder), Some(name)) = (on_node.parent(), on_node.file_name()) else {
            return self.root.clone();
        };
        let resolved = match self.open(folder, OFlags::DIRECTORY) {
            Ok(Some((_, path))) => path,
            _ => self.path(folder),
        };
        resolved.join(name)
    }

    /// Opens a file or a folder of the node for reading, and tells its path in this container
    /// after all links; `None` if it does not exist. Links are resolved in the node's root:
    /// in a container, an absolute link would lead to a file of the container.
    ///
    /// # Errors
    /// When it exists and cannot be opened.
    pub fn open(&self, on_node: &Path, flags: OFlags) -> io::Result<Option<(File, PathBuf)>> {
        let root = File::open(&self.root)?;
        let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC;
        match rustix::fs::openat2(&root, on_node, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
            Ok(opened) => {
                let path = fs::read_link(format!("/proc/self/fd/{}", opened.as_raw_fd()))?;
                Ok(Some((opened.into(), path)))
            }
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Runs a program of the node with the node's root, for at most `timeout`.
    ///
    /// # Errors
    /// When it cannot be run, takes too long, or fails, with the last line of its
    /// stderr.
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
            let stderr = String::from_utf8_lossy(&output.stderr);
            let last = stderr.lines().rfind(|line| !line.trim().is_empty());
            bail!(
                "`{line}` failed: {}",
                last.unwrap_or("it printed no error").trim()
            );
        }
        Ok(output)
    }
}

/// The hidden subcommand that calls [`enter`]. It is a process of its own, because
/// `chroot` changes the root of the whole process.
pub const ENTER: &str = "enter";

/// Replaces this process with a program of the node that has the node's root. It
/// needs only the capability SYS_CHROOT, unlike entering the node's namespaces.
///
/// # Errors
/// When the program cannot be run. On success this function does not return.
pub fn enter(root: &Path, command: &[String]) -> Result<()> {
    let (program, arguments) = command.split_first().context("the command is empty")?;
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
        // systemctl does nothing where its root differs from that of PID 1.
        .env("SYSTEMD_IGNORE_CHROOT", "1")
        .exec();
    ensure!(
        error.kind() != io::ErrorKind::NotFound,
        "{program} is not on the node"
    );
    Err(error).with_context(|| format!("cannot run {program}"))
}
