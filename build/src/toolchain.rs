//! Finds a Rust toolchain that can compile for the wasm target.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;

use crate::debian;

/// Spin's target. A WASI 0.2 component is made from a core module for it.
pub const TARGET: &str = "wasm32-wasip1";

/// Where the target's standard library comes from.
#[derive(Clone, Copy, ValueEnum)]
pub enum StdSource {
    /// The active toolchain has it already
    Installed,
    /// `rustup target add`
    Rustup,
    /// Debian's packages, unpacked into the user's cache directory
    Debian,
}

pub enum Toolchain {
    /// The active toolchain, which had the target already.
    Installed,
    /// The active toolchain, to which rustup has now added the target.
    Rustup,
    /// Debian's compiler under this root; std is built from its source.
    Debian(PathBuf),
}

/// The toolchain from `source`, or from the first source that works.
///
/// # Errors
/// When no source works. The error says what was tried and what to run.
pub fn find(source: Option<StdSource>) -> Result<Toolchain> {
    match source {
        Some(StdSource::Installed) if installed()? => Ok(Toolchain::Installed),
        Some(StdSource::Installed) => {
            bail!("the active Rust toolchain has no {TARGET}: run `rustup target add {TARGET}`")
        }
        Some(StdSource::Rustup) => add_by_rustup(),
        Some(StdSource::Debian) => debian::root().map(Toolchain::Debian),
        None => find_any(),
    }
}

fn find_any() -> Result<Toolchain> {
    if installed()? {
        return Ok(Toolchain::Installed);
    }
    // Comes before rustup: on a machine where rustup failed once, it would
    // time out again at every build.
    if let Some(root) = debian::cached_root() {
        return Ok(Toolchain::Debian(root));
    }
    let Err(no_rustup) = add_by_rustup() else {
        return Ok(Toolchain::Rustup);
    };
    println!("{no_rustup:#}; trying Debian's packages");
    debian::root().map(Toolchain::Debian).map_err(|no_debian| {
        anyhow!(
            "no standard library for {TARGET}: run `rustup target add {TARGET}` where rustup \
             reaches its server, or build on Debian 12, where this command needs nothing else \
             ({no_rustup:#}; {no_debian:#})"
        )
    })
}

/// Whether the active toolchain has the target's standard library.
fn installed() -> Result<bool> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("cannot run rustc: install Rust from https://rustup.rs")?;
    let libraries = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    Ok(output.status.success() && has_std(&libraries))
}

fn has_std(libraries: &Path) -> bool {
    libraries.read_dir().is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
    })
}

fn add_by_rustup() -> Result<Toolchain> {
    println!("running `rustup target add {TARGET}`");
    let output = Command::new("rustup")
        .args(["target", "add", TARGET])
        .output()
        .context("cannot run rustup")?;
    if output.status.success() {
        return Ok(Toolchain::Rustup);
    }
    let message = String::from_utf8_lossy(&output.stderr);
    let cause = message.lines().rev().find(|line| !line.trim().is_empty());
    bail!(
        "rustup could not add {TARGET}: {}",
        cause.unwrap_or("it gave no reason").trim()
    )
}

impl Toolchain {
    /// The name of the toolchain's folder below target/.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Installed | Self::Rustup => "rustup",
            Self::Debian(_) => "debian",
        }
    }

    /// Whether the standard library is compiled together with the component.
    pub fn builds_std(&self) -> bool {
        matches!(self, Self::Debian(_))
    }

    /// Makes `cargo` compile with this toolchain.
    pub fn prepare(&self, cargo: &mut Command, rustflags: &mut Vec<String>) {
        if let Self::Debian(root) = self {
            debian::prepare(root, cargo, rustflags);
        }
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed => write!(f, "{TARGET} of the active Rust toolchain"),
            Self::Rustup => write!(f, "{TARGET}, added to the active Rust toolchain by rustup"),
            Self::Debian(root) => write!(f, "{TARGET} of Debian's packages in {}", root.display()),
        }
    }
}
