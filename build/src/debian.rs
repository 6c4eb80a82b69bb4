//! A wasm toolchain from Debian's packages, for machines that reach package
//! registries but not rustup's server. Nothing is installed: the packages are
//! unpacked into the user's cache directory and used from there.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

/// Debian's Rust for building Firefox, which is newer than its other Rust. It
/// has the wasm targets, but std for them only as source. Versions are not
/// pinned: after a security update, Debian keeps only the newest.
const PACKAGES: [&str; 4] = ["rustc-web", "rust-web-src", "wasi-libc", "lld-19"];

/// The root of the unpacked packages, if they are unpacked already.
pub fn cached_root() -> Option<PathBuf> {
    Some(cache()?.join("root")).filter(|root| root.exists())
}

/// The root of the unpacked packages. Fetches and unpacks them first if
/// necessary.
///
/// # Errors
/// When this is not Debian, or a package cannot be fetched.
pub fn root() -> Result<PathBuf> {
    if let Some(root) = cached_root() {
        return Ok(root);
    }
    let cache = cache().context("neither XDG_CACHE_HOME nor HOME is set")?;
    let unfinished = cache.join("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    fs::create_dir_all(&unfinished)
        .with_context(|| format!("cannot create {}", unfinished.display()))?;
    println!("fetching {} from Debian", PACKAGES.join(", "));
    let archives = download(&unfinished)?;
    let tree = unfinished.join("root");
    for archive in &archives {
        println!(
            "unpacking {}",
            archive.file_name().unwrap_or_default().display()
        );
        run(Command::new("dpkg").arg("-x").arg(archive).arg(&tree))?;
    }
    // The last step, so that an existing root is always complete.
    let root = cache.join("root");
    fs::rename(&tree, &root).with_context(|| format!("cannot create {}", root.display()))?;
    fs::remove_dir_all(&unfinished)?;
    Ok(root)
}

/// This project's folder for this Debian release in the user's cache directory.
fn cache() -> Option<PathBuf> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let codename = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .unwrap_or("unknown");
    let caches = match env::var_os("XDG_CACHE_HOME") {
        Some(caches) if !caches.is_empty() => PathBuf::from(caches),
        _ => Path::new(&env::var_os("HOME")?).join(".cache"),
    };
    Some(caches.join("swiss").join(format!("debian-{codename}-rust")))
}

/// Fetches the packages and those of their dependencies that are not installed.
/// apt keeps its state in `folder`, so this does not need root.
fn download(folder: &Path) -> Result<Vec<PathBuf>> {
    for part in ["lists/partial", "archives/partial"] {
        fs::create_dir_all(folder.join(part))?;
    }
    let apt_get = || {
        let mut command = Command::new("apt-get");
        command
            .arg("-qq")
            .arg("-oDebug::NoLocking=1")
            .arg("-oAPT::Sandbox::User=")
            .arg(format!("-oDir::State::lists={}/lists", folder.display()))
            .arg(format!("-oDir::Cache={}", folder.display()));
        command
    };
    run(apt_get().arg("update"))?;
    run(apt_get()
        .args(["install", "--yes", "--download-only", "--reinstall"])
        .arg("--no-install-recommends")
        .args(PACKAGES))?;
    let mut archives: Vec<_> = fs::read_dir(folder.join("archives"))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .collect();
    archives.sort();
    Ok(archives)
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().display().to_string();
    let output = command
        .output()
        .map_err(|error| anyhow!("cannot run {program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    let cause = message.lines().find(|line| line.starts_with("E:"));
    bail!(
        "{program} failed: {}",
        cause
            .or(message.lines().last())
            .unwrap_or("it gave no reason")
    )
}

/// Makes `cargo` compile with the compiler, std and linker under `root`.
pub fn prepare(root: &Path, cargo: &mut Command, rustflags: &mut Vec<String>) {
    let usr = root.join("usr");
    let libraries = [
        usr.join(format!("lib/{}-linux-gnu", env::consts::ARCH)),
        usr.join("lib/llvm-19/lib"),
    ];
    cargo
        .args(["-Z", "build-std=std,panic_abort"])
        // Without std's symbolizer of backtraces, which WASI cannot use.
        .args(["-Z", "build-std-features="])
        // A stable compiler accepts `-Z` only with this variable.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC", usr.join("bin/rustc"))
        .env(
            "LD_LIBRARY_PATH",
            libraries.map(|l| l.display().to_string()).join(":"),
        );
    rustflags.extend([
        format!("-Clinker={}/bin/wasm-ld-19", usr.display()),
        "-Clink-self-contained=no".to_owned(),
        format!("-Lnative={}/lib/wasm32-wasi", usr.display()),
    ]);
}
