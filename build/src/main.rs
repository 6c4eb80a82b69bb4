//! `make build`: compiles the root crate to a core module, makes it a
//! component and strips it.

#![forbid(unsafe_code)]

mod component;
mod debian;
mod toolchain;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use toolchain::{StdSource, TARGET, Toolchain};

/// Builds the component `swiss`
#[derive(Parser)]
struct Args {
    /// Where the wasm target's standard library comes from [default: the first that works]
    #[arg(long, value_name = "SOURCE")]
    std: Option<StdSource>,

    /// What a panic compiles to; `immediate-abort` needs `--std debian`
    #[arg(long, value_name = "STRATEGY", default_value = "abort")]
    panic: Panic,

    /// Where to write the component
    #[arg(long, value_name = "FILE", default_value = "target/swiss.wasm")]
    output: PathBuf,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Panic {
    Abort,
    ImmediateAbort,
}

fn main() -> ExitCode {
    match build(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn build(args: &Args) -> Result<()> {
    let toolchain = toolchain::find(args.std)?;
    println!("wasm target: {toolchain}");
    let module = compile(&toolchain, args.panic)?;
    let component = component::from_module(&module)?;
    write_if_changed(&args.output, &component)?;
    println!("{}: {} bytes", args.output.display(), component.len());
    Ok(())
}

/// The core module that cargo makes of the root crate.
fn compile(toolchain: &Toolchain, panic: Panic) -> Result<Vec<u8>> {
    // One directory for each compiler: Cargo keeps artifacts of other flags
    // apart by itself.
    let target_dir = Path::new("target/component").join(toolchain.name());
    // The deepest call chain takes under 1 KiB; the default of 1 MiB would
    // cost every instance 16 more pages of memory.
    let mut rustflags = vec!["-Clink-arg=-zstack-size=8192".to_owned()];
    if panic == Panic::ImmediateAbort {
        if !toolchain.builds_std() {
            bail!("--panic immediate-abort compiles the standard library anew: add --std debian");
        }
        rustflags.extend(["-Zunstable-options", "-Cpanic=immediate-abort"].map(String::from));
    }
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--locked", "--package", "swiss", "--lib"])
        .args(["--profile", "component", "--target", TARGET])
        .arg("--target-dir")
        .arg(&target_dir);
    toolchain.prepare(&mut cargo, &mut rustflags);
    // The form that no flag of the user's environment or configuration overrides.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", rustflags.join("\x1f"));
    let status = cargo.status().context("cannot run cargo")?;
    if !status.success() {
        bail!("cargo could not compile the component (its message is above)");
    }
    let module = target_dir.join(TARGET).join("component/swiss.wasm");
    fs::read(&module).with_context(|| format!("cannot read {}", module.display()))
}

/// Leaves a file that is up to date alone, so that nothing downstream is redone.
fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let unfinished = path.with_extension("wasm.unfinished");
        fs::write(&unfinished, bytes)?;
        fs::rename(&unfinished, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
