//! Serves the HTTP application that a `spin.toml` describes, with wasmtime and
//! its `wasi:http` implementation, where Spin itself is not at hand: on a first
//! run, and in tests.
//!
//! It behaves as Spin does as far as it goes, and refuses by name what it does
//! not support. It sets none of Spin's `spin-*` request headers.
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

mod component;
mod router;
mod runtime;
mod server;

pub use component::{Component, State};
pub use runtime::{Load, Runtime, engine};
pub use server::{Options, Server};
pub use swiss_manifest::{Manifest, Route, Trigger};
