//! Installs the Spin shim on a Kubernetes node and registers it with containerd.

#![forbid(unsafe_code)]

mod act;
mod budget;
pub mod cluster;
pub mod config;
pub mod config_file;
mod containerd;
mod crash;
pub mod cri;
pub mod decide;
mod distribution;
pub mod dump;
mod files;
pub mod host;
mod imports;
pub mod judge;
pub mod node;
mod observe;
pub mod plan;
pub mod program;
pub mod reconcile;
pub mod run;
pub mod snapshot;
pub mod trial;
pub mod unit;
pub mod verify;
pub mod watch;
