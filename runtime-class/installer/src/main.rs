//! `node-installer`: puts the Spin shim on a Kubernetes node and tells
//! containerd of it.

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

/// Puts the Spin shim on a Kubernetes node and tells containerd of it
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Print what `install` would do, and do nothing
    Plan(Options),
    /// Install the handler, and let pods come to the node
    Install(Options),
    /// Look whether everything is there, and change nothing
    Verify(Options),
    /// Take everything from the node again
    Uninstall(Options),
    /// Install, and again whenever something was changed
    Watch {
        #[command(flatten)]
        options: Options,

        /// How often to look
        #[arg(long, env, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
        interval: u64,
    },
    /// Run one of the node's programs with the node's root
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

    /// The shim to install; beside it is a file with its digest, `.sha256`
    #[arg(
        long,
        env,
        value_name = "FILE",
        default_value = "/containerd-shim-spin-v2"
    )]
    shim_source: PathBuf,
}

// One thread: there is never more than one thing to do.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Log collectors take what is on stderr for an error.
    let writer = std::io::stderr
        .with_max_level(Level::WARN)
        .or_else(std::io::stdout);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer(writer)
        .init();
    let result = match arguments.verb {
        Verb::Plan(options) => show(plan::plan(&options.node, &options.shim_source).await),
        Verb::Install(options) => install_and_tell(&options).await,
        Verb::Verify(options) => look(&options).await,
        Verb::Uninstall(options) => uninstall_and_tell(&options).await,
        Verb::Watch { options, interval } => keep(&options, Duration::from_secs(interval)).await,
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

fn show(lines: Result<String>) -> Result<()> {
    print!("{}", lines?);
    Ok(())
}

async fn install_and_tell(options: &Options) -> Result<()> {
    let node = &options.node;
    // Before anything is changed: who cannot tell must not act.
    let cluster = Cluster::connect(&options.cluster).await?;
    let result = async {
        let installed = install(node, &options.shim_source).await?;
        if let Some(cluster) = &cluster
            && installed.reported
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
            cluster.open(&message).await
        }
        Err(error) => {
            let told = cluster.close(&format!("{error:#}")).await;
            told.with_context(|| format!("cannot tell the Node that {error:#}"))?;
            Err(error)
        }
    }
}

async fn uninstall_and_tell(options: &Options) -> Result<()> {
    let cluster = Cluster::connect(&options.cluster).await?;
    uninstall(&options.node).await?;
    match cluster {
        Some(cluster) => cluster.forget().await,
        None => Ok(()),
    }
}

async fn look(options: &Options) -> Result<()> {
    let cluster = Cluster::connect(&options.cluster).await?;
    show(verify::verify(&options.node, &options.shim_source, cluster.as_ref()).await)
}

async fn keep(options: &Options, interval: Duration) -> Result<()> {
    // As the first process of its container, it would not end otherwise.
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let install = || async {
        install_and_tell(options)
            .await
            .inspect_err(|error| error!("{error:#}"))
    };
    tokio::select! {
        () = watch::watch(&options.node, interval, install) => {}
        _ = terminate.recv() => info!("asked to end"),
        _ = interrupt.recv() => info!("asked to end"),
    }
    Ok(())
}
