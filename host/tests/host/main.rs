//! What the host promises: of the command in a process of its own, of the
//! library where a test needs options that the command does not have.

mod clients;
mod command;
mod component;
mod http;
mod instances;
mod manifest;
mod stop;
mod unsupported;
// What tests share may panic as they may; clippy knows it by this attribute.
#[cfg(test)]
mod support;
