//! The installer on nodes with real containerds.

// With this, clippy lets helpers panic, too: see clippy.toml.
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod containerds;
mod files;
mod host;
mod images;
mod refusals;
mod versions;
