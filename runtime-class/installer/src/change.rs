//! The change of containerd's main configuration: judged before, and taken
//! back when containerd does not come up with it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, ensure};
use tracing::warn;

use crate::cri;
use crate::dump::Dump;
use crate::files;
use crate::node::Node;
use crate::restart::restart;

/// Holds off another installer on the same node. The lock is on a folder that
/// is there anyway, and ends with the process.
///
/// # Errors
/// When another one holds it.
pub fn lock(node: &Node) -> Result<File> {
    let config = node.host().path(&node.config);
    let folder = config.parent().unwrap_or(Path::new("/"));
    let file = File::open(folder).with_context(|| format!("cannot open {}", folder.display()))?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        .context("another installer is at work on this node")?;
    Ok(file)
}

/// A configuration that waits beside the main file, and goes when it is not
/// put in that one's place.
pub struct Candidate<'n> {
    node: &'n Node,
    file: PathBuf,
}

impl<'n> Candidate<'n> {
    /// Writes it, and has it judged by the node's own containerd.
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

    /// Puts it in the main file's place, which has the bytes `from`.
    ///
    /// # Errors
    /// When it cannot, or the main file has other bytes by now.
    pub fn replace(self, from: &[u8]) -> Result<()> {
        ensure!(
            self.node.read_config()? == from,
            "{} was changed by another hand at the same time",
            self.node.config.display()
        );
        files::rename(&self.file, &self.node.host().path(&self.node.config))
    }
}

impl Drop for Candidate<'_> {
    fn drop(&mut self) {
        // Not there any more when it has replaced the main file.
        let _ = files::remove(&self.file);
    }
}

/// Keeps the bytes from before beside the main file, for people: what is added
/// can be taken out without them.
///
/// # Errors
/// When they cannot be written.
pub fn keep_original(node: &Node, original: &[u8]) -> Result<()> {
    let place = node.host().path(&node.original());
    if fs::read(&place).is_ok_and(|kept| kept == original) {
        return Ok(());
    }
    let new = files::beside(&place, ".new");
    files::write(&new, original, node.config_access()?)?;
    files::rename(&new, &place)
}

/// Goes back to the configuration from before, and says what had happened.
pub async fn restore(
    node: &Node,
    original: &[u8],
    before: Option<&cri::Status>,
    cause: Error,
) -> Error {
    warn!("{cause:#}: going back to the configuration from before");
    let put_back = async {
        let candidate = node.host().path(&node.candidate());
        files::write(&candidate, original, node.config_access()?)?;
        files::rename(&candidate, &node.host().path(&node.config))?;
        restart(node, before, |_| true).await
    };
    match put_back.await {
        Ok(()) => cause.context("containerd has its configuration from before again, and is well"),
        Err(error) => cause.context(format!(
            "containerd should have its configuration from before again, and is still not well: {error:#}"
        )),
    }
}
