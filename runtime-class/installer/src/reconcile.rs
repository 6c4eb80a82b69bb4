//! Brings the node to the desired state: observes, decides, acts, and observes again.
//! It keeps nothing between two runs but what is on the node, so that the next run
//! finishes one that was killed.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::fs::FlockOperation;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::act::{act, judge};
use crate::cluster::Cluster;
use crate::config_file::ConfigFile;
use crate::decide::{Action, Decision, Desired, Postponed, decide};
use crate::files;
use crate::node::Node;
use crate::observe::{Observer, has_nothing};
use crate::program::Program;
use crate::snapshot::Files;

/// How a run ended that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The node is in the desired state, with these files.
    Done { files: Files },
    /// containerd was not restarted, because something else must happen first.
    Postponed(Postponed),
    /// The process was asked to end. The next run does the rest.
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
        let _lock = lock(self.node).await?;
        let is_removal = desired == Desired::Removed;
        let mut outcome = self.reconcile(desired).await;
        if is_removal
            && let Err(error) = &outcome
            && has_nothing(self.node).await
        {
            // For instance k3s, or a configuration of an unknown version: what refuses to
            // install must not keep the removal from ending.
            warn!("nothing of this installer is on the node, which it cannot use: {error:#}");
            outcome = Ok(Outcome::Done { files: Vec::new() });
        }
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
        clean(node)?;
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
                // While a rollback is armed, the change is finished, which disarms it.
                Decision::Act(_) | Decision::Wait(_)
                    if *self.stop.borrow() && snapshot.rollback_armed.is_none() =>
                {
                    return Ok(Outcome::Stopped);
                }
                Decision::Wait(what) => {
                    if what != waited_for {
                        info!("waiting: {what}");
                        waited_for = what;
                    }
                    tokio::time::sleep(POLL).await;
                }
                Decision::Act(Action::Judge { candidate }) => {
                    observer.judged = Some(judge(node, &snapshot, candidate).await?);
                }
                Decision::Act(Action::RollBack { cause }) => {
                    warn!("{cause}: restoring the previous configuration");
                    // The way back must not depend on it.
                    if let Err(error) = record_failure(node) {
                        warn!("{error:#}");
                    }
                    desired = Desired::RolledBack { cause };
                }
                Decision::Act(action) => act(action, node, self.programs, self.cluster).await?,
            }
        }
    }
}

/// Removes what a killed run may have left.
fn clean(node: &Node) -> Result<()> {
    files::remove(&node.host().path(&node.candidate()))?;
    match ConfigFile::read(&node.host(), &node.config)? {
        Some(config) => config.clean(),
        None => Ok(()),
    }
}

/// Keeps what was on trial, so that it is not tried again.
fn record_failure(node: &Node) -> Result<()> {
    let [trial, failed] = [node.trial(), node.failed_trial()].map(|path| node.host().path(&path));
    if trial.exists() {
        files::rename(&trial, &failed)?;
    }
    Ok(())
}

const POLL: Duration = Duration::from_millis(200);

/// Locks the node against another installer. The lock is on the folder of the
/// configuration, so it needs no file of its own, and the kernel releases it when the
/// process ends. The process of the rollback has it as long as containerd takes to answer.
/// Without that folder there is nothing to change.
async fn lock(node: &Node) -> Result<Option<File>> {
    let config = node.host().path(&node.config);
    let folder = config.parent().unwrap_or(Path::new("/"));
    let file = match File::open(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.with_context(|| format!("cannot open {}", folder.display()))?,
    };
    let end = Instant::now() + Duration::from_secs(node.health_timeout);
    while let Err(error) = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        if Instant::now() > end {
            return Err(error).context("another installer is running on this node");
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(Some(file))
}
