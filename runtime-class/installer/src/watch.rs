//! Polls containerd's configuration and the shim, and reinstalls when one of
//! them changes. GKE rewrites the configuration at each boot, and other programs
//! may at any time. A poll usually costs two `stat` calls.

use std::fs;
use std::future::Future;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::node::Node;

/// Calls `install` now, and again whenever the configuration or the shim has
/// changed since the last successful call. After a failure it retries, with
/// growing pauses. It never returns.
pub async fn watch<F: Future<Output = Result<()>>>(
    node: &Node,
    interval: Duration,
    install: impl Fn() -> F,
) {
    let mut installed = None;
    let mut pause = interval;
    loop {
        let before = identities(node);
        if installed != Some(before) {
            if install().await.is_ok() {
                // `install` changes the files, and so may another program while it
                // runs. Only a call that finds and leaves the same files vouches for
                // them; after any other the next turn calls it once more.
                installed = Some(before).filter(|before| *before == identities(node));
                pause = interval;
            } else {
                installed = None;
                pause = (pause * 2).min(MAX_PAUSE);
            }
        }
        tokio::time::sleep(pause).await;
    }
}

const MAX_PAUSE: Duration = Duration::from_secs(300);

/// Inode, size, ctime (seconds and nanoseconds) and mode: a write, a rename or a
/// change of the mode changes at least one of them.
type FileIdentity = (u64, u64, i64, i64, u32);

/// The identities of the configuration and the shim; `None` for a missing file.
fn identities(node: &Node) -> [Option<FileIdentity>; 2] {
    let host = node.host();
    [&node.config, &node.shim].map(|path: &std::path::PathBuf| identity(&host.path(path)))
}

fn identity(path: &Path) -> Option<FileIdentity> {
    let metadata = fs::metadata(path).ok()?;
    Some((
        metadata.ino(),
        metadata.len(),
        metadata.ctime(),
        metadata.ctime_nsec(),
        metadata.mode(),
    ))
}
