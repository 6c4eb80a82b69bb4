//! Code that the tests share.

pub mod app;
pub mod client;
pub mod process;
pub mod server;
