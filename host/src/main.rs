//! `swiss-host`: serves a Spin HTTP application without Spin.

#![forbid(unsafe_code)]

use std::env;
use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use swiss_host::{Manifest, Options, Server};
use tokio::signal::unix::{SignalKind, signal};
use wasmtime::{Cache, CacheConfig};

/// Serves a Spin HTTP application without Spin
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The application's manifest, or the folder of its spin.toml
    #[arg(
        short = 'f',
        long = "from",
        value_name = "PATH",
        default_value = "spin.toml"
    )]
    manifest: PathBuf,

    /// Where to listen, such as localhost:8080; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5000", value_parser = resolve)]
    listen: SocketAddr,

    /// How many requests an instance serves, one after the other
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    instance_reuse: u64,

    /// How many clients may be connected at a time; others wait
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: u32,

    /// How long a component may take to answer before a line on stderr says so
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = humantime::parse_duration)]
    slow_after: Duration,

    /// Write a line of JSON to stdout for each request
    #[arg(long)]
    access_log: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        // The first line is the whole error. clap adds usage hints.
        Err(error) if error.use_stderr() => {
            let error = error.to_string();
            eprintln!("{}", error.lines().next().unwrap_or_default());
            return ExitCode::from(2);
        }
        Err(help) => help.exit(),
    };
    match serve(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Some of wasmtime's errors have several lines.
            let error = format!("{error:#}");
            let words: Vec<_> = error.split_whitespace().collect();
            eprintln!("error: {}", words.join(" "));
            ExitCode::FAILURE
        }
    }
}

async fn serve(args: Args) -> Result<()> {
    let manifest = if args.manifest.is_dir() {
        args.manifest.join("spin.toml")
    } else {
        args.manifest
    };
    let options = Options {
        listen: args.listen,
        instance_reuse: usize::try_from(args.instance_reuse)?,
        max_connections: args.max_connections,
        slow_after: args.slow_after,
        access_log: args.access_log,
        cache: compiled_code_cache(),
        ..Options::default()
    };
    let server = Server::bind(&Manifest::read(&manifest)?, options).await?;

    // Before the address is printed: its reader may send a signal at once.
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;

    // A closed stdout does not prevent serving.
    let _ = io::stdout().write_all(server.announcement().as_bytes());

    server
        .run(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
        .await;
    Ok(())
}

/// The address of a name and a port. Of several, it is the first IPv4 address, as in Spin.
fn resolve(address: &str) -> Result<SocketAddr, String> {
    let resolved = address.to_socket_addrs();
    let resolved: Vec<_> = resolved
        .map_err(|error| format!("{error}: give a host and a port, such as localhost:8080"))?
        .collect();
    let first = resolved.iter().find(|address| address.is_ipv4());
    let first = first.or(resolved.first()).copied();
    first.ok_or_else(|| "this name has no address".to_owned())
}

/// A folder in the user's cache directory. Without it, every start compiles.
fn compiled_code_cache() -> Option<Cache> {
    let caches = match env::var_os("XDG_CACHE_HOME") {
        Some(caches) if !caches.is_empty() => PathBuf::from(caches),
        _ => Path::new(&env::var_os("HOME")?).join(".cache"),
    };
    let mut config = CacheConfig::new();
    config.with_directory(caches.join("swiss").join("compiled"));
    Cache::new(config).ok()
}
