//! The steps to a containerd that runs with the handler.

use std::path::Path;

use anyhow::{Context, Error, Result, anyhow, bail, ensure};

use super::{
    Action, Decision, Postponed, Replacement, act, before_restart, clock, judged, patience,
    problem, settings,
};
use crate::config::{self, Runtime};
use crate::cri;
use crate::distribution;
use crate::dump::Dump;
use crate::imports;
use crate::judge::{explain_renamed, judge_added};
use crate::node::Node;
use crate::snapshot::{Installed, Lease, NodeObject, Snapshot};
use crate::trial::{Failed, Trial};

pub fn decide(snapshot: &Snapshot, node: &Node) -> Result<Decision> {
    let config = snapshot
        .config
        .as_ref()
        .with_context(|| missing(snapshot, node))?;
    distribution::ensure_not_generated(&node.config, &config.bytes)?;
    let before = settings(snapshot, node)?;
    let runtime = node.runtime(before);
    let original = config::remove(&config.bytes, &runtime)?;
    let candidate = candidate(&config.bytes, &original, before, &runtime)?;
    let change = (candidate != config.bytes).then_some(candidate);

    let mut file = before;
    if let Some(candidate) = &change {
        let Some(after) = judged(snapshot, config, candidate)? else {
            return act(Action::Judge {
                candidate: candidate.clone(),
            });
        };
        judge_added(before, after, &runtime)
            .map_err(|error| imports::explain_shadow(&snapshot.imported, after, &runtime, error))
            .map_err(|error| explain_renamed(before, after, &runtime, error))
            .map_err(|error| explain_default(&config.bytes, [before, after], node, error))
            .context("the new configuration is refused")?;
        file = after;
    }
    let running = match problem(snapshot) {
        Ok(running) => running,
        Err(problem) => return unhealthy(snapshot, node, &problem),
    };
    // What containerd must be restarted with, if it must be.
    let trial = (!runs_as_in(file, running, &node.handler)).then(|| {
        Trial::new(
            change.as_ref().unwrap_or(&config.bytes),
            &snapshot.shim_sha256,
            &node.attempt,
            snapshot.had_network,
        )
    });
    if let Some(trial) = &trial {
        if change.is_none() && snapshot.started_after_change() {
            let handlers = running.handlers.join(", ");
            let problem = format!(
                "containerd was started after {} was changed, but its handlers are {handlers}",
                node.config.display()
            );
            return unhealthy(snapshot, node, &problem);
        }
        if let Some(failed) = snapshot
            .failed
            .as_ref()
            .filter(|failed| failed.digest == trial.digest)
        {
            return Ok(Decision::Postpone(rolled_back(failed)));
        }
        if let Some(step) = before_restart(snapshot, node) {
            return Ok(step);
        }
    }
    let is_ours = change.is_some() || original != config.bytes;
    if let Some(step) = next_file(snapshot, is_ours, original, trial.as_ref()) {
        return act(step);
    }
    if let Some(new) = change {
        let expected = config.bytes.clone();
        return act(Action::Replace(Replacement {
            expected,
            new,
            note: None,
        }));
    }
    if trial.is_some() {
        return act(Action::Restart);
    }
    if snapshot.rollback_armed.is_some() {
        return act(Action::DisarmRollback);
    }
    if snapshot.failed.is_some() {
        return act(Action::ForgetFailure);
    }
    if snapshot.lease == Lease::Held {
        return act(Action::ReleaseLease);
    }
    match &snapshot.node {
        Some(object) if running.reports_handlers => listed(object, node),
        _ => Ok(Decision::Done),
    }
}

fn missing(snapshot: &Snapshot, node: &Node) -> String {
    if let Some((name, path)) = snapshot.generated {
        return distribution::own_way(name, Path::new(path));
    }
    format!(
        "containerd has no configuration {0}, and runs with its defaults: write it with `containerd \
         config default`, and restart containerd; or set CONTAINERD_CONFIG",
        node.config.display()
    )
}

/// The configuration with the handler. `original` is the configuration without what the
/// installer added.
fn candidate(config: &[u8], original: &[u8], before: &Dump, runtime: &Runtime) -> Result<Vec<u8>> {
    match before.runtime_type(&runtime.handler) {
        // The installer has not added the handler: it comes from an imported file,
        // or another program has added it to the main file.
        Some(path) if original == config && path == runtime.shim => Ok(original.to_vec()),
        Some(path) if original == config => bail!(
            "containerd already has a handler {} with runtime_type {path}, not {}: remove it, or \
             choose another handler name",
            runtime.handler,
            runtime.shim
        ),
        _ => config::add(config, runtime),
    }
}

/// containerd 1.x has its default handler only while its configuration names none. The
/// file of Debian's package names none.
fn explain_default(config: &[u8], dumps: [&Dump; 2], node: &Node, error: Error) -> Error {
    let has_default = dumps.map(|dump| dump.runtime_type(DEFAULT).is_some());
    if config::has_runtimes(config) || has_default != [true, false] {
        return error;
    }
    anyhow!(
        "containerd would lose its handler {DEFAULT}, which {} does not name: write that file with \
         `containerd config default`, with the kubelet's cgroup driver, and restart containerd",
        node.config.display()
    )
}

const DEFAULT: &str = "runc";

/// Whether the running containerd has the handler as the file has it, as far as it tells.
fn runs_as_in(file: &Dump, running: &cri::Status, handler: &str) -> bool {
    running.handlers.iter().any(|name| name == handler)
        && running.runtimes.get(handler).is_none_or(|found| {
            file.runtime_type(handler) == Some(&found.runtime_type)
                && file.systemd_cgroup(handler).unwrap_or_default() == found.systemd_cgroup
        })
}

/// In a trial, the handler is taken out after `patience`. Otherwise nothing is changed: a
/// containerd that does not answer may be slow, and a restart would make it worse.
fn unhealthy(snapshot: &Snapshot, node: &Node, problem: &str) -> Result<Decision> {
    match snapshot.trial_time() {
        Some(elapsed) if elapsed >= patience(node) => act(Action::RollBack {
            cause: format!(
                "containerd was not healthy {} s after its restart: {problem}",
                node.health_timeout
            ),
        }),
        Some(_) => Ok(Decision::Wait(problem.to_owned())),
        None => bail!("{problem}: nothing was changed"),
    }
}

fn rolled_back(failed: &Failed) -> Postponed {
    Postponed {
        reason: "RolledBack",
        message: format!(
            "containerd was not healthy with this configuration and this shim, and was rolled back \
             at {}: they are tried again when one of them changes, or with another ATTEMPT",
            clock(failed.at)
        ),
    }
}

/// The next thing that must be on the node before the configuration names the shim, or
/// before containerd is restarted.
fn next_file(
    snapshot: &Snapshot,
    is_ours: bool,
    original: Vec<u8>,
    trial: Option<&Trial>,
) -> Option<Action> {
    if snapshot.shim != Installed::Yes {
        return Some(Action::PlaceShim);
    }
    if is_ours && snapshot.original.as_ref() != Some(&original) {
        return Some(Action::KeepOriginal { original });
    }
    let trial = trial?;
    if snapshot.rollback_program != Installed::Yes {
        return Some(Action::PlaceRollbackProgram);
    }
    if snapshot.trial.as_ref() != Some(trial) {
        return Some(Action::RecordTrial(trial.clone()));
    }
    snapshot
        .rollback_armed
        .is_none()
        .then_some(Action::ArmRollback)
}

/// The Node must list the handler. If it lists none at all, as with Kubernetes 1.30 without
/// a feature gate, containerd's answer is enough.
fn listed(object: &NodeObject, node: &Node) -> Result<Decision> {
    let handler = &node.handler;
    if object.handlers.contains(handler) {
        return Ok(Decision::Done);
    }
    if object.waited.as_secs() < node.report_timeout {
        return Ok(Decision::Wait(
            "the Node does not list the handler yet".to_owned(),
        ));
    }
    ensure!(
        object.handlers.is_empty(),
        "containerd has the handler {handler}, but after {} s the Node's status.runtimeHandlers does \
         not list it: is the kubelet healthy?",
        node.report_timeout
    );
    Ok(Decision::Done)
}
