//! Tests of the host: the command in a process of its own, or the library if a
//! test needs options that the command does not have.

mod clients;
mod command;
mod component;
mod http;
mod instances;
mod log;
mod manifest;
mod stop;
mod unsupported;
// The attribute lets clippy allow panics in shared code, as it does in tests.
#[cfg(test)]
mod support;
