//! The installer on nodes with real containerds.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics to fail"
)]

#[path = "../support/mod.rs"]
mod support;

mod host;
mod refusals;
mod versions;
