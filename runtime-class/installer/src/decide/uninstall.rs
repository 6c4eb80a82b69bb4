//! The steps to a node on which nothing of the installer is left.

use anyhow::{Result, anyhow, bail, ensure};

use super::{
    Action, Decision, Replacement, act, before_restart, judged, patience, problem, settings,
};
use crate::config::{self, LOCAL_PULL};
use crate::imports;
use crate::judge::{explain_renamed, judge_removed};
use crate::node::Node;
use crate::snapshot::{Lease, Snapshot};

pub fn decide(snapshot: &Snapshot, node: &Node) -> Result<Decision> {
    let handler = &node.handler;
    let change = match change(snapshot, node)? {
        Change::Judge(candidate) => return act(Action::Judge { candidate }),
        Change::Is(change) => change,
    };
    let running = match problem(snapshot) {
        Ok(running) => running,
        Err(problem) => return unhealthy(snapshot, node, problem),
    };
    // containerd needs the shim to stop the pods that were started with it.
    let pods = snapshot.pods(handler).unwrap_or_default();
    ensure!(
        pods == 0,
        "pods of the handler {handler} run on this node ({pods}): drain it first"
    );
    let shim = node.shim.display().to_string();
    let must_restart = running.runs(handler, &shim);
    if must_restart {
        ensure!(
            snapshot.config.is_some(),
            "containerd still has the handler {handler}, and its configuration {} does not exist: \
             restart containerd, and then uninstall again",
            node.config.display()
        );
        ensure!(
            change.is_some() || !snapshot.started_after_change(),
            "containerd was started after {} was changed, but still has the handler {handler}",
            node.config.display()
        );
        if let Some(step) = before_restart(snapshot, node) {
            return Ok(step);
        }
    }
    if let Some(replacement) = change {
        return act(Action::Replace(replacement));
    }
    if must_restart {
        return act(Action::Restart);
    }
    if snapshot.rollback_armed.is_some() {
        return act(Action::DisarmRollback);
    }
    if snapshot.has_files {
        return act(Action::RemoveFiles);
    }
    if snapshot.lease == Lease::Held {
        return act(Action::ReleaseLease);
    }
    Ok(Decision::Done)
}

enum Change {
    /// The candidate must still be judged.
    Judge(Vec<u8>),
    Is(Option<Replacement>),
}

/// The change of the main configuration, which need not exist.
fn change(snapshot: &Snapshot, node: &Node) -> Result<Change> {
    let Some(config) = &snapshot.config else {
        return Ok(Change::Is(None));
    };
    let before = settings(snapshot, node)?;
    let runtime = node.runtime(before);
    let without = config::without(&config.bytes, &runtime)?;
    let explain = |error| imports::explain_import(&snapshot.imported, &runtime, error);
    if without == config.bytes {
        if before.runtime_type(&node.handler) == Some(&runtime.shim) {
            return Err(explain(anyhow!(
                "containerd has the handler {} from a configuration that this installer did not \
                 write: remove it there, and then remove the shim {}",
                node.handler,
                runtime.shim
            )));
        }
        return Ok(Change::Is(None));
    }
    let Some(after) = judged(snapshot, config, &without)? else {
        return Ok(Change::Judge(without));
    };
    judge_removed(before, after, &node.handler)
        .map_err(explain)
        .map_err(|error| explain_renamed(before, after, &runtime, error))?;
    // The running containerd has that shim, too, and its files are in another folder.
    if let Some(other) = before
        .runtime_type(&node.handler)
        .filter(|shim| *shim != runtime.shim)
    {
        bail!(
            "this installer has added the handler {} with the shim {other}, not {}: set SHIM to \
             {other} and uninstall again",
            node.handler,
            runtime.shim
        );
    }
    let is_marked = config::remove(&config.bytes, &runtime)? != config.bytes;
    let note = format!(
        "another program has removed the installer's comments from {}: the handler {} is removed, \
         since it has this installer's shim; {LOCAL_PULL} stays if it is there",
        node.config.display(),
        node.handler
    );
    Ok(Change::Is(Some(Replacement {
        expected: config.bytes.clone(),
        new: without,
        note: (!is_marked).then_some(note),
    })))
}

/// Waits only for a containerd that the installer has restarted.
fn unhealthy(snapshot: &Snapshot, node: &Node, problem: String) -> Result<Decision> {
    match snapshot.since_restart_for_config() {
        Some(elapsed) if elapsed < patience(node) => Ok(Decision::Wait(problem)),
        Some(_) => bail!(
            "containerd was not healthy {} s after its restart: {problem}",
            node.health_timeout
        ),
        None => bail!("{problem}: nothing was changed"),
    }
}
