//! Brings the node to the desired state: observes, decides, acts, and observes again.
//! It keeps nothing between two runs but what is on the node, so that the next run
//! finishes one that was killed.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::act::{act, judge};
use crate::cluster::Cluster;
use crate::config_file::Identity;
use crate::decide::{Action, Decision, Desired, Postponed, decide};
use crate::files;
use crate::node::Node;
use crate::observe::Observer;
use crate::program::Program;

/// How a run ended that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The node is in the desired state, with these files.
    Done { files: Vec<Option<Identity>> },
    /// The node is unchanged, and waits for something else.
    Postponed(Postponed),
    /// The process was asked to end before it began a change.
    Stopped,
}

/// Reconciles one node.
pub struct Reconciler<'n> {
    pub node: &'n Node,
    pub cluster: Option<&'n Cluster>,
    /// The shim, and the program that rolls back; `None` if none is to be installed.
    pub programs: Option<&'n [Program; 2]>,
    /// Whether the process was asked to end.
    pub stop: &'n watch::Receiver<bool>,
}

impl Reconciler<'_> {
    /// # Errors
    /// When the node must not be changed, an action fails, or containerd is not healthy
    /// after a change, which then was rolled back.
    pub async fn run(&self, desired: Desired) -> Result<Outcome> {
        let _lock = lock(self.node)?;
        let outcome = self.reconcile(desired).await;
        if let Some(cluster) = self.cluster {
            // Another node takes it over when it expires, so a failure does not matter.
            if let Err(error) = cluster.release_lease().await {
                warn!("{error:#}");
            }
        }
        outcome
    }

    async fn reconcile(&self, mut desired: Desired) -> Result<Outcome> {
        let node = self.node;
        // A killed run may have left it.
        files::remove(&node.host().path(&node.candidate()))?;
        let mut observer = Observer::new(node, self.cluster, self.programs);
        let mut waited_for = String::new();
        loop {
            let snapshot = observer.observe().await?;
            match decide(&snapshot, &desired, node)? {
                Decision::Done => {
                    return Ok(Outcome::Done {
                        files: snapshot.identities,
                    });
                }
                Decision::Postpone(postponed) => return Ok(Outcome::Postponed(postponed)),
                Decision::Wait(what) => {
                    if what != waited_for {
                        info!("waiting: {what}");
                        waited_for = what;
                    }
                    tokio::time::sleep(POLL).await;
                }
                // What was begun is finished: an armed rollback ends only so.
                Decision::Act(_) if *self.stop.borrow() && snapshot.rollback_armed.is_none() => {
                    return Ok(Outcome::Stopped);
                }
                Decision::Act(Action::Judge { candidate }) => {
                    observer.judged = Some(judge(node, &snapshot, candidate).await?);
                }
                Decision::Act(Action::RollBack { cause }) => {
                    warn!("{cause}: restoring the previous configuration");
                    desired = Desired::RolledBack { cause };
                }
                Decision::Act(action) => act(action, node, self.programs, self.cluster).await?,
            }
        }
    }
}

const POLL: Duration = Duration::from_millis(200);

/// Locks the node against another installer. The lock is on the folder of the
/// configuration, so it needs no file of its own, and the kernel releases it when the
/// process ends. Without that folder there is nothing to change.
fn lock(node: &Node) -> Result<Option<File>> {
    let config = node.host().path(&node.config);
    let folder = config.parent().unwrap_or(Path::new("/"));
    let file = match File::open(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.with_context(|| format!("cannot open {}", folder.display()))?,
    };
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        .context("another installer is running on this node")?;
    Ok(Some(file))
}
