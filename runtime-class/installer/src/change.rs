//! The change of containerd's main configuration. It is judged before it is
//! made, and rolled back when containerd does not become healthy with it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, ensure};
use tracing::warn;

use crate::cri;
use crate::dump::Dump;
use crate::files;
use crate::node::Node;
use crate::restart::restart;

/// Locks the node against another installer. The lock is on the configuration's
/// folder, so it needs no file of its own, and the kernel releases it when the
/// process ends.
///
/// # Errors
/// When another installer holds the lock.
pub fn lock(node: &Node) -> Result<File> {
    let config = node.host().path(&node.config);
    let folder = config.parent().unwrap_or(Path::new("/"));
    let file = File::open(folder).with_context(|| format!("cannot open {}", folder.display()))?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        .context("another installer is running on this node")?;
    Ok(file)
}

/// A judged configuration in a file beside the main file. The file is removed
/// on drop, unless it has replaced the main file.
pub struct Candidate<'n> {
    node: &'n Node,
    file: PathBuf,
}

impl<'n> Candidate<'n> {
    /// Writes `config` beside the main file, has the node's containerd dump it,
    /// and calls `judge` with the dump.
    ///
    /// # Errors
    /// When containerd or `judge` refuses it.
    pub async fn judged(
        node: &'n Node,
        config: &[u8],
        judge: impl Fn(&Dump) -> Result<()>,
    ) -> Result<Self> {
        let file = node.host().path(&node.candidate());
        files::write(&file, config, node.config_access()?)?;
        let candidate = Self { node, file };
        let after = node.dump(&node.candidate()).await;
        after
            .and_then(|after| judge(&after))
            .context("the new configuration is refused")?;
        Ok(candidate)
    }

    /// Replaces the main file, which must still have the bytes `expected`.
    ///
    /// # Errors
    /// When the main file has other bytes, or cannot be replaced.
    pub fn replace(self, expected: &[u8]) -> Result<()> {
        ensure!(
            self.node.read_config()? == expected,
            "another process changed {} at the same time",
            self.node.config.display()
        );
        files::rename(&self.file, &self.node.host().path(&self.node.config))
    }
}

impl Drop for Candidate<'_> {
    fn drop(&mut self) {
        // The file no longer exists when it has replaced the main file.
        let _ = files::remove(&self.file);
    }
}

/// Keeps a copy of the original configuration beside the main file. It is for
/// people: `uninstall` does not need it.
///
/// # Errors
/// When the copy cannot be written.
pub fn keep_original(node: &Node, original: &[u8]) -> Result<()> {
    let path = node.host().path(&node.original());
    if fs::read(&path).is_ok_and(|kept| kept == original) {
        return Ok(());
    }
    let new = files::beside(&path, ".new");
    files::write(&new, original, node.config_access()?)?;
    files::rename(&new, &path)
}

/// Restores the previous configuration, and adds the result to `cause`.
pub async fn restore(
    node: &Node,
    original: &[u8],
    before: Option<&cri::Status>,
    cause: Error,
) -> Error {
    warn!("{cause:#}: restoring the previous configuration");
    let restored = async {
        let candidate = node.host().path(&node.candidate());
        files::write(&candidate, original, node.config_access()?)?;
        files::rename(&candidate, &node.host().path(&node.config))?;
        restart(node, before, |_| true).await
    };
    match restored.await {
        Ok(()) => cause.context("containerd has its previous configuration again, and is healthy"),
        Err(error) => cause.context(format!(
            "containerd should have its previous configuration again, but is not healthy: {error:#}"
        )),
    }
}
