//! Runs the application in a container until a signal arrives.

use std::convert::Infallible;
use std::future;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use containerd_shim_wasm::sandbox::Sandbox;
use containerd_shim_wasm::sandbox::context::RuntimeContext;
use swiss_host::{Options, Server};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::layers::Application;

#[derive(Default)]
pub struct SpinSandbox;

impl Sandbox for SpinSandbox {
    /// Serves until a signal arrives, and then aborts open requests, as Spin's
    /// shim does. An error becomes exit code 137.
    async fn run_wasi(&self, context: &impl RuntimeContext) -> Result<i32> {
        let [mut terminate, mut interrupt, mut hangup] = signals()?;
        tokio::select! {
            served = serve(context) => {
                let Err(error) = served;
                // The message is in containerd's log, not in `kubectl logs`.
                log::error!("cannot serve the application: {error:#}");
                Err(error)
            }
            _ = terminate.recv() => Ok(0),
            _ = interrupt.recv() => Ok(0),
            _ = hangup.recv() => Ok(0),
        }
    }

    async fn can_handle(&self, _: &impl RuntimeContext) -> Result<()> {
        Ok(())
    }
}

fn signals() -> Result<[Signal; 3]> {
    let listen = |kind| signal(kind).context("cannot listen for signals");
    Ok([
        listen(SignalKind::terminate())?,
        listen(SignalKind::interrupt())?,
        listen(SignalKind::hangup())?,
    ])
}

async fn serve(context: &impl RuntimeContext) -> Result<Infallible> {
    let application = Application::unpack(&context.entrypoint().source, Path::new("/"))?;
    let options = Options {
        listen: listen_address(context.envs())?,
        load: application.load,
        ..Options::default()
    };
    let server = Server::bind(&application.manifest, options).await?;
    // A closed stdout does not prevent serving.
    let _ = io::stdout().write_all(server.announcement().as_bytes());
    server.run(future::pending()).await;
    Err(anyhow!("the server ended without a signal"))
}

/// The address on which to listen, from the container's environment. No other
/// variable is read, and the component sees none of them.
fn listen_address(environment: &[String]) -> Result<SocketAddr> {
    let address = environment
        .iter()
        .rev()
        .find_map(|variable| variable.strip_prefix("SPIN_HTTP_LISTEN_ADDR="))
        .unwrap_or("0.0.0.0:80");
    address
        .parse()
        .with_context(|| format!("SPIN_HTTP_LISTEN_ADDR is {address}: give an address and a port"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(environment: &[&str]) -> Result<String> {
        let environment: Vec<_> = environment.iter().map(ToString::to_string).collect();
        listen_address(&environment).map(|address| address.to_string())
    }

    #[test]
    fn it_listens_on_the_address_in_the_environment() {
        let environment = ["PATH=/", "SPIN_HTTP_LISTEN_ADDR=127.0.0.1:5000"];
        assert_eq!(address(&environment).unwrap(), "127.0.0.1:5000");
    }

    #[test]
    fn it_listens_on_port_80_by_default() {
        assert_eq!(address(&["PATH=/"]).unwrap(), "0.0.0.0:80");
    }

    #[test]
    fn an_invalid_address_is_named() {
        let error = address(&["SPIN_HTTP_LISTEN_ADDR=5000"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "SPIN_HTTP_LISTEN_ADDR is 5000: give an address and a port"
        );
    }
}
