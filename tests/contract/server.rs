//! The server under test.

use std::io::{self, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process;
use std::sync::{Arc, LazyLock, mpsc};
use std::time::Duration;
use std::{env, thread};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_platform_verifier::ConfigVerifierExt;
use swiss_host::{Manifest, Options, Server};

use crate::wire::Stream;

/// How long a test waits for a response.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

/// An address, and how to connect to it.
pub struct Target {
    /// Host, and the port if the URL has one.
    pub authority: String,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Target {
    /// What `SWISS_URL` names, or the embedded host, which starts once for all tests, on a
    /// free port. If the server cannot be reached, the program ends, and no test runs.
    pub fn get() -> &'static Self {
        static TARGET: LazyLock<Target> = LazyLock::new(|| {
            let target = match env::var("SWISS_URL") {
                Ok(url) => Target::parse(&url).map_err(|error| format!("SWISS_URL={url}: {error}")),
                Err(_) => embedded(),
            };
            let reached = target.and_then(|target| target.connect().map(|_| target));
            reached.unwrap_or_else(|error| {
                // Not `eprintln`, whose output the tests capture.
                let _ = writeln!(io::stderr(), "error: no test was run: {error}");
                process::exit(1)
            })
        });
        &TARGET
    }

    fn parse(url: &str) -> Result<Self, String> {
        let form = "expected the form https://host or http://host:port";
        let (scheme, rest) = url.split_once("://").ok_or(form)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest).to_owned();
        if authority.is_empty() || authority.contains(['/', '?', '#', '@']) {
            return Err(form.to_owned());
        }
        let tls = match scheme {
            "http" => None,
            "https" => {
                let (host, _) = host_and_port(&authority, "443");
                let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
                    .map_err(|error| format!("{host} is no name of a server: {error}"))?;
                let config = ClientConfig::with_platform_verifier()
                    .map_err(|error| format!("cannot use the machine's certificates: {error}"))?;
                Some((Arc::new(config), name))
            }
            _ => return Err(form.to_owned()),
        };
        Ok(Self { authority, tls })
    }

    pub fn connect(&self) -> Result<Box<dyn Stream>, String> {
        let default_port = if self.tls.is_some() { "443" } else { "80" };
        let (host, port) = host_and_port(&self.authority, default_port);
        let mut stream = TcpStream::connect(format!("{host}:{port}"))
            .map_err(|error| format!("cannot connect to {host}:{port}: {error}"))?;
        stream
            .set_read_timeout(Some(READ_TIMEOUT))
            .map_err(|error| format!("cannot set a time-out: {error}"))?;
        let Some((config, name)) = &self.tls else {
            return Ok(Box::new(stream));
        };
        let mut tls = ClientConnection::new(Arc::clone(config), name.clone())
            .map_err(|error| format!("cannot use TLS: {error}"))?;
        while tls.is_handshaking() {
            tls.complete_io(&mut stream)
                .map_err(|error| format!("no TLS with {host}:{port}: {error}"))?;
        }
        Ok(Box::new(StreamOwned::new(tls, stream)))
    }
}

/// The port follows the last colon, unless that is inside of an IPv6 address.
fn host_and_port<'a>(authority: &'a str, default: &'a str) -> (&'a str, &'a str) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, default),
    }
}

fn embedded() -> Result<Target, String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("no tokio runtime");
        runtime.block_on(async {
            let bound = async {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spin.toml");
                let options = Options {
                    listen: ([127, 0, 0, 1], 0).into(),
                    ..Options::default()
                };
                Server::bind(&Manifest::read(&path)?, options).await
            };
            match bound.await {
                Ok(server) => {
                    let _ = sender.send(Ok(server.address().to_string()));
                    server.run(std::future::pending()).await;
                }
                Err(error) => {
                    let _ = sender.send(Err(format!("{error:#}")));
                }
            }
        });
    });
    let started = receiver.recv();
    let authority = started.map_err(|_| "the embedded host did not start".to_owned())??;
    Ok(Target {
        authority,
        tls: None,
    })
}
