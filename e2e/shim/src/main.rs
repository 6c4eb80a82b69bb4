//! `containerd-shim-spin-v2`: stands in for Spin's shim in the tests on a real
//! Kubernetes, since Spin is not on crates.io.
//!
//! It is made of the library that Spin's shim is made of, with this project's
//! host in Spin's place, and is meant to be no kinder than Spin's: it fails
//! where that fails. A path to the real one in containerd's configuration
//! replaces it.

mod layers;
mod sandbox;
mod shim;

use containerd_shim_wasm::shim::{Cli, Config};

fn main() {
    // Spin's shim, too, logs nothing less than errors.
    let config = Config {
        default_log_level: "error".to_owned(),
        ..Config::default()
    };
    shim::SpinShim::run(config);
}
