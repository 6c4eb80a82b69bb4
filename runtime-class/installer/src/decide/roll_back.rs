//! The steps back to a containerd without the handler, after one that is not healthy.

use anyhow::{Context, Result, anyhow, ensure};

use super::{Action, Decision, Replacement, act, patience, problem};
use crate::budget::MAX_RESTARTS;
use crate::config::{self, Runtime};
use crate::node::Node;
use crate::snapshot::Snapshot;

/// The step of the process that the timer starts: it ends the trial of a containerd that
/// is healthy, and rolls back one that is not.
pub fn confirm(snapshot: &Snapshot, node: &Node) -> Result<Decision> {
    let Some(elapsed) = snapshot.trial_time() else {
        // containerd was not restarted since the rollback was armed. The timer stays, since
        // a restart, also by another program, begins the trial.
        return Ok(Decision::Done);
    };
    match problem(snapshot) {
        Ok(_) => act(Action::DisarmRollback),
        Err(problem) if elapsed >= patience(node) => act(Action::RollBack {
            cause: format!(
                "containerd was not healthy {} s after its restart, and no installer waits for it: \
                 {problem}",
                elapsed.as_secs()
            ),
        }),
        Err(_) => Ok(Decision::Done),
    }
}

/// Takes the handler out of the configuration as it is now, so that what other processes
/// wrote in the meantime stays.
pub fn decide(snapshot: &Snapshot, cause: &str, node: &Node) -> Result<Decision> {
    let config = snapshot.config.as_ref();
    let config = config.with_context(|| format!("{cause}; {} is gone", node.config.display()))?;
    let runtime = Runtime {
        handler: node.handler.clone(),
        shim: node.shim.display().to_string(),
        systemd_cgroup: None,
        local_image_pull: false,
    };
    let new = config::without(&config.bytes, &runtime).with_context(|| cause.to_owned())?;
    if new != config.bytes {
        let expected = config.bytes.clone();
        return act(Action::Replace(Replacement {
            expected,
            new,
            note: None,
        }));
    }
    let Err(problem) = problem(snapshot) else {
        if snapshot.rollback_armed.is_some() {
            return act(Action::DisarmRollback);
        }
        return Err(anyhow!(cause.to_owned())
            .context("containerd has its previous configuration again, and is healthy"));
    };
    let recorded = snapshot.since_restart_for_config();
    if recorded.is_some_and(|elapsed| elapsed < patience(node)) {
        return Ok(Decision::Wait(problem));
    }
    // A run may have been killed after the record and before the restart.
    let was_restarted = recorded.is_some() && snapshot.started_after_change();
    ensure!(
        !was_restarted && snapshot.restarts.len() < MAX_RESTARTS,
        "containerd should have its previous configuration again, but is not healthy: {problem}: \
         {cause}"
    );
    act(Action::Restart)
}
