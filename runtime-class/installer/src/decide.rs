//! Decides the next action from a snapshot of the node. It reads nothing and changes
//! nothing, so `tests/decide.rs` is a table of its cases.

mod install;
mod roll_back;
mod uninstall;

use std::time::{Duration, SystemTime};

use anyhow::{Result, bail, ensure};

use crate::cri;
use crate::dump::Dump;
use crate::node::Node;
use crate::snapshot::{Config, Judged, Lease, Snapshot};
use crate::trial::Trial;

/// The state to which the node is brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Desired {
    /// containerd runs with the handler.
    Installed,
    /// Nothing of the installer is on the node.
    Removed,
    /// containerd is healthy, with the handler or without it, and no rollback is armed.
    Confirmed,
    /// containerd is healthy without the handler. `cause` says why it was rolled back.
    RolledBack { cause: String },
}

/// The next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Act(Action),
    /// Observe again soon: the node is expected to leave the state that this describes.
    Wait(String),
    /// End this run without a restart: the budget, another node or a person must allow it.
    Postpone(Postponed),
    Done,
}

/// Each action is atomic, or can be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Lets containerd dump a candidate.
    Judge {
        candidate: Vec<u8>,
    },
    PlaceShim,
    PlaceRollbackProgram,
    KeepOriginal {
        original: Vec<u8>,
    },
    AcquireLease,
    ReleaseLease,
    /// Records what containerd is about to be restarted with.
    RecordTrial(Trial),
    ArmRollback,
    DisarmRollback,
    /// Removes the record of a rollback.
    ForgetFailure,
    /// Replaces the main configuration, if it still has the bytes `expected`.
    Replace(Replacement),
    /// Records a restart of containerd, and restarts it.
    Restart,
    /// Goes on with [`Desired::RolledBack`].
    RollBack {
        cause: String,
    },
    RemoveFiles,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    pub expected: Vec<u8>,
    pub new: Vec<u8>,
    /// What a person should know about it.
    pub note: Option<String>,
}

/// Why a change waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Postponed {
    /// For the condition of the Node.
    pub reason: &'static str,
    pub message: String,
}

/// The next step towards `desired`.
///
/// # Errors
/// When the node must not be changed, with the reason.
pub fn decide(snapshot: &Snapshot, desired: &Desired, node: &Node) -> Result<Decision> {
    match desired {
        Desired::Installed => install::decide(snapshot, node),
        Desired::Removed => uninstall::decide(snapshot, node),
        Desired::Confirmed => roll_back::confirm(snapshot, node),
        Desired::RolledBack { cause } => roll_back::decide(snapshot, cause, node),
    }
}

const fn act(action: Action) -> Result<Decision> {
    Ok(Decision::Act(action))
}

/// containerd's settings, dumped by the program that the unit runs.
///
/// # Errors
/// When that program or file is not the one that runs, or there are no settings of CRI.
fn settings<'s>(snapshot: &'s Snapshot, node: &Node) -> Result<&'s Dump> {
    if let Some(config) = &snapshot.unit.config {
        ensure!(
            *config == node.config,
            "the unit {} runs containerd with {}, not with {}: set CONTAINERD_CONFIG",
            node.unit,
            config.display(),
            node.config.display()
        );
    }
    if let Ok(running) = &snapshot.running {
        let (program, version) = (node.program(&snapshot.unit), &snapshot.program_version);
        ensure!(
            running.version == *version,
            "the running containerd is {}, and {} is {version}: set CONTAINERD to the program that \
             runs, or restart containerd if it was updated",
            running.version,
            program.display()
        );
    }
    let dump = match &snapshot.dump {
        Ok(dump) => dump,
        Err(error) => bail!("{error}"),
    };
    ensure!(
        dump.has_cri(),
        "containerd's CRI plugin is disabled in {}",
        node.config.display()
    );
    Ok(dump)
}

/// containerd's dump of the candidate; `None` if it must still be judged.
fn judged<'s>(
    snapshot: &'s Snapshot,
    config: &Config,
    candidate: &[u8],
) -> Result<Option<&'s Dump>> {
    let is_that = |judged: &&Judged| judged.config == config.bytes && judged.candidate == candidate;
    match snapshot.judged.as_ref().filter(is_that) {
        None => Ok(None),
        Some(judged) => match &judged.dump {
            Ok(dump) => Ok(Some(dump)),
            Err(error) => bail!("the new configuration is refused: {error}"),
        },
    }
}

/// What is wrong with the running containerd, apart from its handlers.
fn problem(snapshot: &Snapshot) -> Result<&cri::Status, String> {
    match &snapshot.running {
        Err(error) => Err(error.clone()),
        Ok(running) if !running.runtime_ready => Err("containerd is not ready".to_owned()),
        Ok(running) if snapshot.had_network && !running.network_ready => {
            Err("containerd's network is no longer ready".to_owned())
        }
        Ok(running) => Ok(running),
    }
}

/// The step before a restart that is still missing: room in the budget, no pods of the
/// handler, and a lease.
fn before_restart(snapshot: &Snapshot, node: &Node) -> Option<Decision> {
    if let Some(next) = snapshot.next_change() {
        return Some(Decision::Postpone(Postponed {
            reason: "TooManyRestarts",
            message: format!(
                "containerd was restarted {} times within {} minutes: the next change of its \
                 configuration must wait until {}",
                snapshot.restarts.len(),
                crate::budget::WINDOW.as_secs() / 60,
                clock(next)
            ),
        }));
    }
    let pods = snapshot.pods(&node.handler).unwrap_or_default();
    if pods > 0 && !node.restart_with_pods {
        return Some(Decision::Postpone(Postponed {
            reason: "RestartPending",
            message: format!(
                "containerd must be restarted, which the running pods of the handler {} ({pods}) \
                 may not survive: drain the node, or set RESTART_WITH_PODS",
                node.handler
            ),
        }));
    }
    match &snapshot.lease {
        Lease::NotNeeded | Lease::Held => None,
        Lease::NotHeld => Some(Decision::Act(Action::AcquireLease)),
        Lease::HeldBy(nodes) => Some(Decision::Postpone(Postponed {
            reason: "RestartPending",
            message: format!(
                "containerd must be restarted, but MAX_RESTARTING is {} and as many other nodes \
                 restart theirs now",
                nodes.len()
            ),
        })),
    }
}

/// How long containerd may be unhealthy in a trial.
const fn patience(node: &Node) -> Duration {
    Duration::from_secs(node.health_timeout)
}

/// A time of the day, as logs have it.
fn clock(time: SystemTime) -> String {
    k8s_openapi::jiff::Timestamp::try_from(time)
        .map(|time| time.strftime("%H:%M:%S UTC").to_string())
        .unwrap_or_default()
}
