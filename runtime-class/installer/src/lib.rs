//! Installs the Spin shim on a Kubernetes node and registers it with containerd.

#![forbid(unsafe_code)]

mod budget;
mod change;
pub mod cluster;
pub mod config;
mod crash;
pub mod cri;
pub mod dump;
mod files;
pub mod host;
pub mod install;
pub mod judge;
pub mod node;
pub mod plan;
mod restart;
pub mod shim;
pub mod uninstall;
pub mod verify;
pub mod watch;
