//! The server under test.

use std::env;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::mpsc;
use std::thread;

use swiss_host::{Manifest, Options, Server};

/// Host and port of the server under test. The embedded host starts once for all
/// tests, on a free port.
pub fn authority() -> &'static str {
    static AUTHORITY: LazyLock<String> = LazyLock::new(|| match env::var("SWISS_URL") {
        Ok(url) => authority_of(&url),
        Err(_) => embedded(),
    });
    &AUTHORITY
}

fn authority_of(url: &str) -> String {
    let authority = url
        .strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/'));
    match authority {
        Some(host) if host.contains(':') => host.to_owned(),
        Some(host) => format!("{host}:80"),
        None => panic!("SWISS_URL is {url}: expected the form http://host:port"),
    }
}

fn embedded() -> String {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("no tokio runtime");
        runtime.block_on(async {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spin.toml");
            let manifest = Manifest::read(&path).unwrap_or_else(|error| panic!("{error:#}"));
            let options = Options {
                listen: ([127, 0, 0, 1], 0).into(),
                ..Options::default()
            };
            let server = Server::bind(&manifest, options).await;
            let server = server.unwrap_or_else(|error| panic!("{error:#}"));
            let _ = sender.send(server.address().to_string());
            server.run(std::future::pending()).await;
        });
    });
    receiver
        .recv()
        .expect("the embedded host did not start; its message is above")
}
