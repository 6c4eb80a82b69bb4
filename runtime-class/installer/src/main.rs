//! `node-installer`: installs the Spin shim on a Kubernetes node and registers
//! it with containerd.

#![forbid(unsafe_code)]

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use swiss_node_installer::host;
use swiss_node_installer::node::Node;
use swiss_node_installer::reconcile::Outcome;
use swiss_node_installer::run::{self, Options, READY_FILE, Stop};
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
    /// Take the handler out if containerd is not healthy after a restart
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

/// How long a change that has begun may take after SIGTERM: a restart, a rollback, and half
/// a minute more. The pod's `terminationGracePeriodSeconds` must be longer.
const fn grace(node: &Node) -> Duration {
    Duration::from_secs(node.health_timeout * 2 + 30)
}

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
        Verb::Plan(options) => print(run::plan(&options).await),
        Verb::Install(options) => {
            let grace = grace(&options.node);
            until_signal(grace, |stop| async move {
                done(run::install(&options, &stop).await)
            })
            .await
        }
        Verb::Verify(options) => print(run::verify(&options).await),
        Verb::Uninstall { options, stay } => {
            until_signal(grace(&options.node), |stop| async move {
                if stay {
                    run::uninstall_and_stay(&options, stop).await;
                    Ok(())
                } else {
                    done(run::uninstall(&options, &stop).await)
                }
            })
            .await
        }
        Verb::Watch { options, interval } => {
            let interval = Duration::from_secs(interval);
            until_signal(grace(&options.node), |stop| async move {
                run::watch(&options, interval, stop).await;
                Ok(())
            })
            .await
        }
        Verb::Ready { ready_file } => fs::metadata(&ready_file)
            .map(drop)
            .context("the node is not ready"),
        Verb::RollBack(node) => run::roll_back(&node).await,
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
/// then has `grace` to end.
async fn until_signal<F: Future<Output = Result<()>>>(
    grace: Duration,
    work: impl FnOnce(Stop) -> F,
) -> Result<()> {
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
    tokio::time::timeout(grace, work).await.with_context(|| {
        format!(
            "the change did not end within {} s of the signal: if containerd is not healthy, the \
                 node's systemd takes the handler out again",
            grace.as_secs()
        )
    })?
}

/// `install` and `uninstall` fail unless the node is in the desired state.
fn done(outcome: Result<Outcome>) -> Result<()> {
    match outcome? {
        Outcome::Done { .. } => Ok(()),
        Outcome::Postponed(postponed) => bail!("{}", postponed.message),
        Outcome::Stopped => bail!("ended by a signal: run it again to finish"),
    }
}
