//! The verbs, and what they report: to the log, on the Node, and to the readiness probe.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use tokio::sync;
use tracing::{error, info};

use crate::cluster::{Cluster, ClusterOptions};
use crate::decide::Desired;
use crate::node::Node;
use crate::plan;
use crate::program::Program;
use crate::reconcile::{Outcome, Reconciler};
use crate::verify;
use crate::watch;

/// The options of the verbs that read or change a node.
#[derive(Args, Clone)]
pub struct Options {
    #[command(flatten)]
    pub node: Node,

    #[command(flatten)]
    pub cluster: ClusterOptions,

    /// The shim to install; a file with the suffix `.sha256` beside it has its digest
    #[arg(
        long,
        env,
        value_name = "FILE",
        default_value = "/containerd-shim-spin-v2"
    )]
    pub shim_source: PathBuf,

    /// The file that exists while the node is in the desired state, for a readiness probe
    #[arg(long, env, value_name = "FILE", default_value = READY_FILE, hide = true)]
    pub ready_file: PathBuf,
}

/// Where the readiness probe of the pod finds the file.
pub const READY_FILE: &str = "/run/node-installer/ready";

/// Becomes true when the process is asked to end.
pub type Stop = sync::watch::Receiver<bool>;

/// What an installation would change.
///
/// # Errors
/// When it would be refused.
pub async fn plan(options: &Options) -> Result<String> {
    plan::plan(&options.node, &programs(options)?).await
}

/// A line for each check of the installation.
///
/// # Errors
/// When a check fails, with the lines of all checks.
pub async fn verify(options: &Options) -> Result<String> {
    let cluster = connect(options).await?;
    verify::verify(&options.node, &programs(options)?, cluster.as_ref()).await
}

async fn connect(options: &Options) -> Result<Option<Cluster>> {
    // A restart, a rollback, and three minutes more for a containerd that answers slowly.
    let restart_takes = Duration::from_secs(options.node.health_timeout * 2 + 180);
    Cluster::connect(&options.cluster, restart_takes).await
}

fn programs(options: &Options) -> Result<[Program; 2]> {
    Ok([Program::shim(&options.shim_source)?, Program::own()?])
}

/// Installs, and reports the result on the Node.
///
/// # Errors
/// When the node cannot be brought to the desired state, or that cannot be reported.
pub async fn install(options: &Options, stop: &Stop) -> Result<Outcome> {
    let node = &options.node;
    // Nothing on the node changes while its Node object cannot be read.
    let cluster = connect(options).await?;
    let result = async {
        let programs = programs(options)?;
        let reconciler = Reconciler {
            node,
            cluster: cluster.as_ref(),
            programs: Some(&programs),
            stop,
        };
        reconciler.run(Desired::Installed).await
    }
    .await;
    let Some(cluster) = &cluster else {
        return result;
    };
    if let Ok(Outcome::Done { .. }) = result {
        let (handler, shim) = (&node.handler, node.shim.display());
        let message = format!("containerd runs the handler {handler} with {shim}");
        cluster.report_installed(&message).await?;
    }
    report_not_done(cluster, &result, "InstallFailed").await?;
    result
}

/// Uninstalls, and removes what the installer wrote to the Node.
///
/// # Errors
/// When the node cannot be brought to the desired state, or that cannot be reported.
pub async fn uninstall(options: &Options, stop: &Stop) -> Result<Outcome> {
    let cluster = connect(options).await?;
    let reconciler = Reconciler {
        node: &options.node,
        cluster: cluster.as_ref(),
        programs: None,
        stop,
    };
    let result = reconciler.run(Desired::Removed).await;
    let Some(cluster) = &cluster else {
        return result;
    };
    if let Ok(Outcome::Done { .. }) = result {
        cluster.forget().await?;
    }
    report_not_done(cluster, &result, "UninstallFailed").await?;
    result
}

/// Reports why the node is not in the desired state.
async fn report_not_done(
    cluster: &Cluster,
    result: &Result<Outcome>,
    failure: &'static str,
) -> Result<()> {
    let (reason, message) = match result {
        Ok(Outcome::Done { .. } | Outcome::Stopped) => return Ok(()),
        Ok(Outcome::Postponed(postponed)) => (postponed.reason, postponed.message.clone()),
        Err(error) => (failure, format!("{error:#}")),
    };
    let reported = cluster.report_not_installed(reason, &message).await;
    reported.with_context(|| format!("cannot report: {message}"))
}

/// Installs, and installs again when a file changes, until `stop`.
pub async fn watch(options: &Options, interval: Duration, stop: Stop) {
    forget_ready(&options.ready_file);
    let install = || async { tell(install(options, &stop).await, &options.ready_file) };
    watch::watch(&options.node, interval, stop.clone(), install).await;
}

/// Uninstalls, retries until that succeeds, and then waits for `stop`.
pub async fn uninstall_and_stay(options: &Options, mut stop: Stop) {
    forget_ready(&options.ready_file);
    let mut pause = watch::Pause::new(Duration::from_secs(10));
    loop {
        match tell(uninstall(options, &stop).await, &options.ready_file) {
            Ok(Outcome::Done { .. }) => {
                info!("the node is as it was before the installation");
                let _ = stop.wait_for(|stop| *stop).await;
                return;
            }
            Ok(Outcome::Stopped) => return,
            Ok(Outcome::Postponed(_)) | Err(_) => pause.after_failure(),
        }
        if pause.wait(&mut stop).await {
            return;
        }
    }
}

/// Logs the outcome, and makes or removes the file of the readiness probe.
fn tell(outcome: Result<Outcome>, ready_file: &Path) -> Result<Outcome> {
    match &outcome {
        Ok(Outcome::Postponed(postponed)) => info!("waiting: {}", postponed.message),
        Err(error) => error!("{error:#}"),
        Ok(_) => {}
    }
    // The folder is a volume of the pod; without a pod nothing reads the file.
    if ready_file.parent().is_some_and(Path::exists) {
        if matches!(outcome, Ok(Outcome::Done { .. })) {
            fs::write(ready_file, "").context("cannot write the file of the readiness probe")?;
        } else {
            forget_ready(ready_file);
        }
    }
    outcome
}

/// The file's volume outlives a restart of the container.
fn forget_ready(ready_file: &Path) {
    // It usually does not exist, and a volume that cannot be written fails in `tell`.
    let _ = fs::remove_file(ready_file);
}

/// Ends the trial of a containerd that was restarted with the handler.
///
/// # Errors
/// When the handler was taken out again, or containerd is not healthy without it either.
pub async fn roll_back(node: &Node) -> Result<()> {
    let (_sender, stop) = sync::watch::channel(false);
    let reconciler = Reconciler {
        node,
        cluster: None,
        programs: None,
        stop: &stop,
    };
    reconciler.run(Desired::Confirmed).await.map(drop)
}
