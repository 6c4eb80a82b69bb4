//! `node-installer`: installs the Spin shim on a Kubernetes node and registers
//! it with containerd.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use swiss_node_installer::cluster::{Cluster, ClusterOptions};
use swiss_node_installer::install::install;
use swiss_node_installer::node::Node;
use swiss_node_installer::uninstall::uninstall;
use swiss_node_installer::{host, plan, verify, watch};
use tokio::signal::unix::{SignalKind, signal};
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
    Uninstall(Options),
    /// Install, and reinstall whenever the configuration or the shim changes
    Watch {
        #[command(flatten)]
        options: Options,

        /// How often to check for changes
        #[arg(long, env, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
        interval: u64,
    },
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
        Verb::Plan(options) => print(plan::plan(&options.node, &options.shim_source).await),
        Verb::Install(options) => install_and_report(&options).await,
        Verb::Verify(options) => verify_and_print(&options).await,
        Verb::Uninstall(options) => uninstall_and_report(&options).await,
        Verb::Watch { options, interval } => {
            watch_until_signal(&options, Duration::from_secs(interval)).await
        }
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

async fn install_and_report(options: &Options) -> Result<()> {
    let node = &options.node;
    // Nothing on the node changes while its Node object cannot be read.
    let cluster = Cluster::connect(&options.cluster).await?;
    let result = async {
        let installed = install(node, &options.shim_source).await?;
        if let Some(cluster) = &cluster
            && installed.reports_handlers
        {
            cluster.wait_until_listed(&node.handler).await?;
        }
        Ok(())
    }
    .await;
    let Some(cluster) = cluster else {
        return result;
    };
    match result {
        Ok(()) => {
            let message = format!(
                "containerd runs the handler {} with {}",
                node.handler,
                node.shim.display()
            );
            cluster.report_installed(&message).await
        }
        Err(error) => {
            let reported = cluster.report_failed(&format!("{error:#}")).await;
            reported.with_context(|| format!("cannot report the failure ({error:#})"))?;
            Err(error)
        }
    }
}

async fn uninstall_and_report(options: &Options) -> Result<()> {
    let cluster = Cluster::connect(&options.cluster).await?;
    uninstall(&options.node).await?;
    match cluster {
        Some(cluster) => cluster.remove_annotation().await,
        None => Ok(()),
    }
}

async fn verify_and_print(options: &Options) -> Result<()> {
    let cluster = Cluster::connect(&options.cluster).await?;
    print(verify::verify(&options.node, &options.shim_source, cluster.as_ref()).await)
}

async fn watch_until_signal(options: &Options, interval: Duration) -> Result<()> {
    // PID 1 of a container ignores these signals unless it handles them.
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let install = || async {
        install_and_report(options)
            .await
            .inspect_err(|error| error!("{error:#}"))
    };
    tokio::select! {
        () = watch::watch(&options.node, interval, install) => {}
        _ = terminate.recv() => info!("received SIGTERM"),
        _ = interrupt.recv() => info!("received SIGINT"),
    }
    Ok(())
}
