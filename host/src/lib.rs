//! Serves the HTTP application that a `spin.toml` describes, with wasmtime and
//! its `wasi:http` implementation. It replaces Spin where Spin is not installed:
//! on a first run, and in tests.
//!
//! It implements a part of Spin. A feature outside that part is an error that
//! names the feature. It sets none of Spin's `spin-*` request headers.
//!
//! It logs to stderr: a component that traps, that does not answer, or whose content
//! does not have the announced length. The stderr of components goes there too.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use swiss_host::{Manifest, Options, Server};
//!
//! let manifest = Manifest::read("spin.toml".as_ref())?;
//! let server = Server::bind(&manifest, Options::default()).await?;
//! println!("{}", server.address());
//! server.run(std::future::pending()).await;
//! # Ok(()) }
//! ```

#![forbid(unsafe_code)]

mod body;
mod component;
mod log;
mod router;
mod runtime;
mod server;

pub use component::{Component, State};
pub use runtime::{Load, Runtime, config, engine};
pub use server::{Options, Server};
pub use swiss_manifest::{Manifest, Route, Trigger};
