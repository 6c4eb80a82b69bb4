//! The library's server in the test's own process.

use std::net::SocketAddr;

use swiss_host::{Manifest, Options, Server};
use tokio::runtime::Runtime;

use crate::support::app::App;

/// A server that runs until it is dropped.
pub struct TestServer {
    pub address: SocketAddr,
    _runtime: Runtime,
}

impl TestServer {
    pub fn new(app: &App, options: Options) -> Self {
        let runtime = Runtime::new().unwrap();
        let manifest = Manifest::read(&app.manifest()).unwrap();
        let server = runtime.block_on(Server::bind(&manifest, options)).unwrap();
        let address = server.address();
        runtime.spawn(server.run(std::future::pending()));
        Self {
            address,
            _runtime: runtime,
        }
    }
}

/// A free port, and few instances, because a pool uses much address space.
pub fn options() -> Options {
    Options {
        listen: ([127, 0, 0, 1], 0).into(),
        max_connections: 8,
        ..Options::default()
    }
}
