//! Polls the files on which the installation depends, and installs again when one of them
//! changes. GKE rewrites the configuration at each boot, and other programs may at any
//! time. A poll makes no call to containerd or the Kubernetes API.

use std::future::Future;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::watch::Receiver;

use crate::node::Node;
use crate::observe;
use crate::reconcile::Outcome;

/// Calls `install` now, and again whenever a file differs from those with which the last
/// call was done. After a failure, or when a change was postponed, it retries with growing
/// pauses. It returns when `stop` becomes true.
pub async fn watch<F: Future<Output = Result<Outcome>>>(
    node: &Node,
    interval: Duration,
    mut stop: Receiver<bool>,
    install: impl Fn() -> F,
) {
    let mut installed = None;
    let mut pause = Pause::new(interval);
    loop {
        if installed.as_ref() != Some(&observe::identities_now(node)) {
            installed = match install().await {
                Ok(Outcome::Done { files }) => Some(files),
                Ok(Outcome::Stopped) => return,
                Ok(Outcome::Postponed(_)) | Err(_) => None,
            };
            if installed.is_some() {
                pause = Pause::new(interval);
            } else {
                pause.after_failure();
            }
        }
        if pause.wait(&mut stop).await {
            return;
        }
    }
}

/// A pause between two tries, which grows with each failure.
pub struct Pause(Duration);

impl Pause {
    #[must_use]
    pub const fn new(first: Duration) -> Self {
        Self(first)
    }

    pub fn after_failure(&mut self) {
        self.0 = (self.0 * 2).min(MAX_PAUSE);
    }

    /// Waits for between half of the pause and all of it, since all nodes may have failed
    /// at the same moment. Returns whether `stop` became true.
    pub async fn wait(&self, stop: &mut Receiver<bool>) -> bool {
        let pause = self.0.mul_f64(0.5 + fastrand::f64() / 2.0);
        let stopped = stop.wait_for(|stop| *stop);
        tokio::time::timeout(pause, stopped).await.is_ok()
    }
}

const MAX_PAUSE: Duration = Duration::from_secs(300);
