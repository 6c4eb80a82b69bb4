//! The installer on nodes with real containerds.

// With this, clippy lets helpers panic, too: see clippy.toml.
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod host;
mod refusals;
mod versions;
