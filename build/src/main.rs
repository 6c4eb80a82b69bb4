//! `make build`: compiles the root crate to a core module, turns it into a
//! component and strips it.

#![forbid(unsafe_code)]

mod component;
mod debian;
mod preview1;
mod toolchain;
mod unread;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use preview1::Functions;
use toolchain::{StdSource, TARGET, Toolchain};

/// The root crate.
const CRATE: &str = "swiss";
/// Rust's default. A page more of stack is a page more of every instance's memory.
const STACK_BYTES: u32 = 1 << 20;
/// For a component without panics: formatting, recursion and dynamic calls then are
/// rare, and all its memory fits into one page of 64 KiB.
const SMALL_STACK_BYTES: u32 = 32 << 10;

/// Builds the component `swiss`
#[derive(Parser)]
struct Args {
    /// Where the wasm target's standard library comes from [default: the first that works]
    #[arg(long, value_name = "SOURCE")]
    std: Option<StdSource>,

    /// What a panic compiles to; `immediate-abort` needs `--std debian`
    #[arg(long, value_name = "STRATEGY", default_value = "abort")]
    panic: Panic,

    /// Instead, compile the crate in this folder to a core module with cargo's
    /// defaults, as a peer for the benchmarks
    #[arg(long, value_name = "FOLDER")]
    module_of: Option<PathBuf>,

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
    let built = match &args.module_of {
        Some(folder) => compile_other(&toolchain, folder)?,
        None => component(&toolchain, args.panic)?,
    };
    write_if_changed(&args.output, &built)?;
    println!("{}: {} bytes", args.output.display(), built.len());
    Ok(())
}

/// The component of the root crate. Prints what a crate that may panic costs.
fn component(toolchain: &Toolchain, panic: Panic) -> Result<Vec<u8>> {
    let (module, functions) = compile(toolchain, panic)?;
    let made = component::from_module(&module, functions.need_preview1())?;
    if let Some((imports, bytes)) = made.adapter {
        let ways = functions.ways_to_preview1(CRATE);
        let ways = ways.iter().take(3);
        let ways = ways.map(|(from, to)| format!("{from}, which calls {to}"));
        println!(
            "note: the component is not lean because of {}. Rust's standard library then needs \
             WASI preview 1, whose adapter adds {bytes} bytes and the imports {}. \
             docs/your-own-service.md says what that means.",
            ways.collect::<Vec<_>>().join("; "),
            imports.join(", "),
        );
    }
    Ok(made.bytes)
}

/// Compiles the root crate to a core module.
fn compile(toolchain: &Toolchain, panic: Panic) -> Result<(Vec<u8>, Functions)> {
    // One directory for each compiler. Cargo itself separates builds with
    // different flags.
    let target_dir = Path::new("target/component").join(toolchain.name());
    let mut rustflags = Vec::new();
    if panic == Panic::ImmediateAbort {
        if !toolchain.builds_std() {
            bail!("--panic immediate-abort recompiles the standard library: add --std debian");
        }
        rustflags.extend(["-Zunstable-options", "-Cpanic=immediate-abort"].map(String::from));
    }
    // Only the linked module tells which stack it needs, so the first attempt has the
    // stack of the last build.
    let remembered = target_dir.join(format!("{CRATE}.stack-bytes"));
    let mut stack = fs::read_to_string(&remembered)
        .ok()
        .and_then(|bytes| bytes.parse().ok())
        .unwrap_or(SMALL_STACK_BYTES);
    loop {
        let link = [
            format!("-Clink-arg=-zstack-size={stack}"),
            // The linker then records where it put which data; `unread` reads that.
            "-Clink-arg=--emit-relocs".to_owned(),
        ];
        let what = ["--package", CRATE, "--profile", "component"];
        cargo(toolchain, &what, &target_dir, rustflags.clone(), &link)?;
        let file = format!("{TARGET}/component/{}.wasm", CRATE.replace('-', "_"));
        let module = read(&target_dir.join(file))?;
        let functions = Functions::read(&module)?;
        let needed = if functions.need_preview1() {
            STACK_BYTES
        } else {
            SMALL_STACK_BYTES
        };
        if stack == needed {
            fs::write(&remembered, stack.to_string())
                .with_context(|| format!("cannot write {}", remembered.display()))?;
            return Ok((module, functions));
        }
        stack = needed;
    }
}

/// Compiles the crate in `folder`, which has the folder's name, to a core module.
fn compile_other(toolchain: &Toolchain, folder: &Path) -> Result<Vec<u8>> {
    let name = folder.file_name().and_then(OsStr::to_str);
    let name = name.with_context(|| format!("{} does not name a crate", folder.display()))?;
    let manifest = folder.join("Cargo.toml");
    let target_dir = Path::new("target").join(name).join(toolchain.name());
    let what = ["--release", "--manifest-path", &manifest.to_string_lossy()];
    cargo(toolchain, &what, &target_dir, Vec::new(), &[])?;
    let module = format!("{TARGET}/release/{}.wasm", name.replace('-', "_"));
    read(&target_dir.join(module))
}

fn cargo(
    toolchain: &Toolchain,
    what: &[&str],
    target_dir: &Path,
    mut rustflags: Vec<String>,
    link: &[String],
) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["rustc", "--locked", "--lib", "--target", TARGET])
        .args(what)
        .arg("--target-dir")
        .arg(target_dir);
    toolchain.prepare(&mut cargo, &mut rustflags);
    // Not among `rustflags`: those would recompile every crate when they change.
    cargo.arg("--").args(link);
    // This variable overrides flags from the user's environment and configuration.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", rustflags.join("\x1f"));
    let status = cargo.status().context("cannot run cargo")?;
    if !status.success() {
        bail!("cargo could not compile the crate (its message is above)");
    }
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Does not write a file that is up to date, so that nothing that depends on it
/// is rebuilt.
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
