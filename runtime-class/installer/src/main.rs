//! `node-installer`: installs the Spin shim on a Kubernetes node and registers
//! it with containerd.

#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use swiss_node_installer::cluster::{Cluster, ClusterOptions};
use swiss_node_installer::decide::Desired;
use swiss_node_installer::node::Node;
use swiss_node_installer::program::Program;
use swiss_node_installer::reconcile::{Outcome, Reconciler};
use swiss_node_installer::{host, plan, verify, watch};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync;
use tracing::{Level, error, info};
use tracing_subscriber::fmt::writer::MakeWriterExt;

/// Install the Spin shim on a Kubernetes node and register it with containerd
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Print what `install` would change, and change nothing
    Plan(Options),
    /// Install the handler, and remove the startup taint
    Install(Options),
    /// Check that the installation is complete, and change nothing
    Verify(Options),
    /// Remove everything that `install` added to the node
    Uninstall {
        #[command(flatten)]
        options: Options,

        /// Retry until it succeeds, and then wait for SIGTERM
        #[arg(long)]
        stay: bool,
    },
    /// Install, and reinstall whenever the configuration or the shim changes
    Watch {
        #[command(flatten)]
        options: Options,

        /// How often to check for changes
        #[arg(long, env, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
        interval: u64,
    },
    /// Succeed if the file exists that `watch` and `uninstall --stay` write when they are done
    #[command(hide = true)]
    Ready {
        #[arg(long, env, value_name = "FILE", default_value = READY_FILE)]
        ready_file: PathBuf,
    },
    /// Take the handler out if containerd is not healthy after the installer restarted it
    #[command(hide = true)]
    RollBack(Node),
    /// Run a program of the node with the node's root
    #[command(name = host::ENTER, hide = true)]
    Enter {
        root: PathBuf,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
}

#[derive(Args, Clone)]
struct Options {
    #[command(flatten)]
    node: Node,

    #[command(flatten)]
    cluster: ClusterOptions,

    /// The shim to install; a file with the suffix `.sha256` beside it has its digest
    #[arg(
        long,
        env,
        value_name = "FILE",
        default_value = "/containerd-shim-spin-v2"
    )]
    shim_source: PathBuf,

    /// The file that exists while the node is in the desired state, for a readiness probe
    #[arg(long, env, value_name = "FILE", default_value = READY_FILE, hide = true)]
    ready_file: PathBuf,
}

const READY_FILE: &str = "/run/node-installer/ready";

/// How long a change that has begun may take after SIGTERM. The pod's
/// `terminationGracePeriodSeconds` is longer.
const GRACE: Duration = Duration::from_secs(150);

// One thread is enough: the steps run one after the other.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Log collectors treat every line on stderr as an error.
    let writer = std::io::stderr
        .with_max_level(Level::WARN)
        .or_else(std::io::stdout);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer(writer)
        .init();
    let result = match arguments.verb {
        Verb::Plan(options) => print(plan_changes(&options).await),
        Verb::Install(options) => {
            until_signal(|stop| async move { done(install(&options, &stop).await) }).await
        }
        Verb::Verify(options) => print(verify(&options).await),
        Verb::Uninstall { options, stay } => {
            until_signal(|stop| async move {
                if stay {
                    uninstall_and_stay(&options, stop).await
                } else {
                    done(uninstall(&options, &stop).await)
                }
            })
            .await
        }
        Verb::Watch { options, interval } => {
            let interval = Duration::from_secs(interval);
            until_signal(|stop| async move { watch(&options, interval, stop).await }).await
        }
        Verb::Ready { ready_file } => fs::metadata(&ready_file)
            .map(drop)
            .context("the node is not ready"),
        Verb::RollBack(node) => roll_back(&node).await,
        Verb::Enter { root, command } => {
            if let Err(error) = host::enter(&root, &command) {
                eprintln!("{error:#}");
            }
            return ExitCode::FAILURE;
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn print(lines: Result<String>) -> Result<()> {
    print!("{}", lines?);
    Ok(())
}

/// Runs `work` with a receiver that becomes true at SIGTERM or SIGINT. What has begun
/// then has [`GRACE`] to end.
async fn until_signal<F: Future<Output = Result<()>>>(work: impl FnOnce(Stop) -> F) -> Result<()> {
    // PID 1 of a container ignores these signals unless it handles them.
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let (sender, stop) = sync::watch::channel(false);
    let mut work = std::pin::pin!(work(stop));
    tokio::select! {
        result = &mut work => return result,
        _ = terminate.recv() => info!("received SIGTERM"),
        _ = interrupt.recv() => info!("received SIGINT"),
    }
    sender.send_replace(true);
    tokio::time::timeout(GRACE, work)
        .await
        .context("a change that had begun did not end in time: the node's systemd ends it")?
}

type Stop = sync::watch::Receiver<bool>;

async fn connect(options: &Options) -> Result<Option<Cluster>> {
    // A restart, a rollback, and a minute more.
    let restart_takes = Duration::from_secs(options.node.health_timeout * 2 + 60);
    Cluster::connect(&options.cluster, restart_takes).await
}

fn programs(options: &Options) -> Result<[Program; 2]> {
    Ok([Program::shim(&options.shim_source)?, Program::own()?])
}

async fn plan_changes(options: &Options) -> Result<String> {
    plan::plan(&options.node, &programs(options)?).await
}

async fn verify(options: &Options) -> Result<String> {
    let cluster = connect(options).await?;
    verify::verify(&options.node, &programs(options)?, cluster.as_ref()).await
}

/// Installs, and reports the result on the Node.
async fn install(options: &Options, stop: &Stop) -> Result<Outcome> {
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
    let Some(cluster) = cluster else {
        return result;
    };
    let reported = match &result {
        Ok(Outcome::Done { .. }) => {
            let (handler, shim) = (&node.handler, node.shim.display());
            let message = format!("containerd runs the handler {handler} with {shim}");
            cluster.report_installed(&message).await
        }
        Ok(Outcome::Postponed(postponed)) => {
            cluster
                .report_not_installed(postponed.reason, &postponed.message)
                .await
        }
        Ok(Outcome::Stopped) => Ok(()),
        Err(error) => {
            let message = format!("{error:#}");
            let reported = cluster
                .report_not_installed("InstallFailed", &message)
                .await;
            reported.with_context(|| format!("cannot report the failure ({message})"))
        }
    };
    reported?;
    result
}

/// Uninstalls, and removes what the installer wrote to the Node.
async fn uninstall(options: &Options, stop: &Stop) -> Result<Outcome> {
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
    match &result {
        Ok(Outcome::Done { .. }) => cluster.forget().await?,
        Ok(Outcome::Postponed(postponed)) => {
            cluster
                .report_not_installed(postponed.reason, &postponed.message)
                .await?;
        }
        Ok(Outcome::Stopped) => {}
        Err(error) => {
            let message = format!("{error:#}");
            cluster
                .report_not_installed("UninstallFailed", &message)
                .await?;
        }
    }
    result
}

/// A verb that ends fails unless the node is in the desired state.
fn done(outcome: Result<Outcome>) -> Result<()> {
    match outcome? {
        Outcome::Done { .. } => Ok(()),
        Outcome::Postponed(postponed) => bail!("{}: nothing was changed", postponed.message),
        Outcome::Stopped => bail!("ended by a signal before a change began"),
    }
}

async fn watch(options: &Options, interval: Duration, stop: Stop) -> Result<()> {
    forget_ready(&options.ready_file);
    let install = || async { tell(install(options, &stop).await, &options.ready_file) };
    watch::watch(&options.node, interval, stop.clone(), install).await;
    Ok(())
}

async fn uninstall_and_stay(options: &Options, mut stop: Stop) -> Result<()> {
    forget_ready(&options.ready_file);
    let mut pause = watch::Pause::new(Duration::from_secs(2));
    loop {
        match tell(uninstall(options, &stop).await, &options.ready_file) {
            Ok(Outcome::Done { .. }) => {
                info!("the node is as it was before the installation");
                let _ = stop.wait_for(|stop| *stop).await;
                return Ok(());
            }
            Ok(Outcome::Stopped) => return Ok(()),
            Ok(Outcome::Postponed(_)) | Err(_) => pause.after_failure(),
        }
        if pause.wait(&mut stop).await {
            return Ok(());
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
    // It mostly does not exist.
    let _ = fs::remove_file(ready_file);
}

async fn roll_back(node: &Node) -> Result<()> {
    let (_sender, stop) = sync::watch::channel(false);
    let reconciler = Reconciler {
        node,
        cluster: None,
        programs: None,
        stop: &stop,
    };
    reconciler.run(Desired::Confirmed).await.map(drop)
}
