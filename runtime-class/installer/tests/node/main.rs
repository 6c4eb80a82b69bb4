//! The installer on nodes with real containerds.

// By this clippy knows that helpers, too, may panic to fail: see clippy.toml.
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod host;
mod refusals;
mod versions;
