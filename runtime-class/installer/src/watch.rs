//! Looks from time to time whether the installation is still there. Most looks
//! are two calls of `stat`: GKE writes containerd's configuration anew at each
//! boot, and others may at any time.

use std::fs;
use std::future::Future;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::node::Node;

/// Calls `install` now and whenever the configuration or the shim is another
/// file than after the last time; after a failure again, with growing pauses.
/// It does not end by itself.
pub async fn watch<F: Future<Output = Result<()>>>(
    node: &Node,
    interval: Duration,
    install: impl Fn() -> F,
) {
    let mut seen = None;
    let mut pause = interval;
    loop {
        let looks = looks(node);
        if seen.as_ref() != Some(&looks) {
            if install().await.is_ok() {
                // As it looks after the installation. A change in between is
                // not missed: that file looks otherwise again.
                seen = Some(self::looks(node));
                pause = interval;
            } else {
                seen = None;
                pause = (pause * 2).min(MAX_PAUSE);
            }
        }
        tokio::time::sleep(pause).await;
    }
}

const MAX_PAUSE: Duration = Duration::from_secs(300);

type Looks = [Option<(u64, u64, i64, i64, u32)>; 2];

fn looks(node: &Node) -> Looks {
    let host = node.host();
    [&node.config, &node.shim].map(|path: &std::path::PathBuf| look(&host.path(path)))
}

fn look(path: &Path) -> Option<(u64, u64, i64, i64, u32)> {
    let metadata = fs::metadata(path).ok()?;
    Some((
        metadata.ino(),
        metadata.len(),
        metadata.ctime(),
        metadata.ctime_nsec(),
        metadata.mode(),
    ))
}
