//! The node at one moment: all that [`crate::decide`] decides from.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::budget;
use crate::config_file::Identity;
use crate::cri;
use crate::dump::Dump;
use crate::trial::{Failed, Trial};
use crate::unit::Unit;

#[derive(Clone, Debug)]
pub struct Snapshot {
    pub now: SystemTime,
    /// containerd's main configuration; `None` if the file does not exist.
    pub config: Option<Config>,
    /// The distribution that writes containerd's configuration elsewhere, and where.
    pub generated: Option<(&'static str, &'static str)>,
    /// The files that the configuration imports.
    pub imported: Vec<Imported>,
    /// The identities of the main configuration, the shim and the imported files.
    pub identities: Files,
    pub unit: Unit,
    /// The version of the containerd that dumps the configuration.
    pub program_version: String,
    /// containerd's dump of the main configuration, or why there is none.
    pub dump: Result<Dump, String>,
    /// containerd's dump of a changed configuration, if one was judged in this run.
    pub judged: Option<Judged>,
    /// The running containerd, or why it does not answer.
    pub running: Result<cri::Status, String>,
    /// Whether the network was ready before the trial, or when this run began.
    pub had_network: bool,
    /// Since when the timer that rolls back is active.
    pub rollback_armed: Option<SystemTime>,
    /// The installer's recent restarts of containerd, oldest first.
    pub restarts: Vec<SystemTime>,
    /// What containerd is restarted with, until that is found healthy.
    pub trial: Option<Trial>,
    /// What was rolled back last.
    pub failed: Option<Failed>,
    /// The digest of the shim that is to be installed.
    pub shim_sha256: String,
    pub shim: Installed,
    /// The program that the timer calls.
    pub rollback_program: Installed,
    /// The copy of the original configuration.
    pub original: Option<Vec<u8>>,
    /// Whether a file of the installer is on the node.
    pub has_files: bool,
    pub lease: Lease,
    /// The Node object, if there is a cluster.
    pub node: Option<NodeObject>,
}

/// The identities of files, of which some may not exist.
pub type Files = Vec<Option<Identity>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub bytes: Vec<u8>,
    /// When the file was last written or renamed.
    pub changed: SystemTime,
}

/// A file that the main configuration imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
    /// When the file was last written or renamed.
    pub changed: SystemTime,
}

/// containerd's dump of a candidate for the main configuration.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The main configuration from which the candidate was made.
    pub config: Vec<u8>,
    pub candidate: Vec<u8>,
    pub dump: Result<Dump, String>,
}

/// A program that the installer puts on the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installed {
    No,
    /// Another version, or not executable.
    Other,
    Yes,
}

/// The permission to restart this node's containerd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    /// Without a cluster, no other node has to be asked.
    NotNeeded,
    NotHeld,
    Held,
    /// All leases are held by these nodes.
    HeldBy(Vec<String>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeObject {
    /// The handlers in its `status.runtimeHandlers`.
    pub handlers: Vec<String>,
    /// For how long containerd has had the handler in this run.
    pub waited: Duration,
}

impl Snapshot {
    /// How many pods of the handler run. Unknown if containerd does not answer.
    #[must_use]
    pub fn pods(&self, handler: &str) -> Option<usize> {
        let running = self.running.as_ref().ok()?;
        Some(running.pods.get(handler).copied().unwrap_or_default())
    }

    /// For how long containerd has been on trial: since the rollback was armed, the
    /// installer has restarted it, or it was started or ended otherwise with a changed
    /// configuration, and the installer has not yet found it healthy.
    #[must_use]
    pub fn trial_time(&self) -> Option<Duration> {
        let armed = self.rollback_armed?;
        let restarted = self.restarts.last().filter(|last| **last >= armed);
        let is_changed = || {
            self.config.as_ref()?.changed.duration_since(armed).ok()?;
            self.unit.state_changed?.duration_since(armed).ok()
        };
        let since = restarted.or_else(|| is_changed().map(|_| &armed))?;
        Some(self.now.duration_since(*since).unwrap_or_default())
    }

    /// How long ago the installer recorded a restart of containerd, if that was after the
    /// last change of the main configuration.
    #[must_use]
    pub fn since_restart_for_config(&self) -> Option<Duration> {
        let (config, last) = (self.config.as_ref()?, self.restarts.last()?);
        let elapsed = self.now.duration_since(*last).unwrap_or_default();
        (*last >= config.changed).then_some(elapsed)
    }

    /// Whether containerd was started after the last change of its configuration, and so
    /// has read it as it is now.
    #[must_use]
    pub fn started_after_change(&self) -> bool {
        let main = self.config.iter().map(|config| config.changed);
        let imported = self.imported.iter().map(|file| file.changed);
        let changed = main.chain(imported).max();
        matches!((changed, self.unit.started), (Some(changed), Some(started)) if started > changed)
    }

    /// When the next change may begin, if that is not now.
    #[must_use]
    pub fn next_change(&self) -> Option<SystemTime> {
        budget::next_change(&self.restarts, self.now)
    }
}
