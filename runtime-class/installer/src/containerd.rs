//! The program containerd: its version, and the settings with which it would run.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::dump::Dump;
use crate::host::Host;

/// The version of the containerd at `program`.
///
/// # Errors
/// When it cannot be run, or prints something else.
pub async fn version(host: &Host, program: &Path) -> Result<String> {
    let command = [program.display().to_string(), "--version".to_owned()];
    let output = host.run(&command, TIMEOUT).await?;
    // `containerd github.com/containerd/containerd/v2 v2.1.9 REVISION`
    let line = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = line.split_whitespace().nth(2);
    let version = version.with_context(|| format!("`{}` printed no version", command.join(" ")))?;
    Ok(version.trim_start_matches('v').to_owned())
}

/// The node's containerd's dump of the configuration at `config`.
///
/// # Errors
/// When containerd refuses the configuration, with its error.
pub async fn dump(host: &Host, program: &Path, config: &Path) -> Result<Dump> {
    let arguments = [program, Path::new("-c"), config].map(|path| path.display().to_string());
    let command = [&arguments[..], &["config".to_owned(), "dump".to_owned()]].concat();
    let output = host.run(&command, TIMEOUT).await?;
    Dump::read(&output.stdout, config)
}

/// The dump of a configuration that is in no file of the node.
///
/// # Errors
/// When containerd refuses the configuration.
pub async fn dump_of(host: &Host, program: &Path, config: &[u8]) -> Result<Dump> {
    // The child inherits it, since it is not close-on-exec. It has no name, so it
    // leaves no file.
    let memory: OwnedFd = rustix::fs::memfd_create("config", rustix::fs::MemfdFlags::empty())?;
    let mut file = File::from(memory);
    file.write_all(config)?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    dump(host, program, Path::new(&path)).await
}

const TIMEOUT: Duration = Duration::from_secs(30);
