//! `containerd-shim-spin-v2`: stands in for Spin's shim in the tests on a real
//! Kubernetes, because Spin is not on crates.io.
//!
//! It uses the same library as Spin's shim, with this project's host in place of
//! Spin, and is meant to fail wherever Spin's shim fails. To use Spin's shim
//! instead, put its path into containerd's configuration.

mod layers;
mod sandbox;
mod shim;

use containerd_shim_wasm::shim::{Cli, Config};

fn main() {
    // Spin's shim also logs only errors.
    let config = Config {
        default_log_level: "error".to_owned(),
        ..Config::default()
    };
    shim::SpinShim::run(config);
}
