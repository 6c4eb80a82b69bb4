//! A program that the installer puts on the node: the shim, and the installer itself, which
//! rolls back when no pod can.

use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::StatVfsMountFlags;
use sha2::{Digest, Sha256};

use crate::files::{self, Access, beside};
use crate::snapshot::Installed;

pub struct Program {
    content: Vec<u8>,
    sha256: String,
}

impl Program {
    /// Reads the program that runs.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn own() -> Result<Self> {
        let content = fs::read("/proc/self/exe").context("cannot read the installer's program")?;
        let sha256 = sha256(&content);
        Ok(Self { content, sha256 })
    }

    /// Reads the shim at `path`, and its digest from the output of `sha256sum` in
    /// the file beside it.
    ///
    /// # Errors
    /// When a file cannot be read, the digest differs, or the shim is for another
    /// machine.
    pub fn shim(path: &Path) -> Result<Self> {
        let read =
            |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
        let content = read(path)?;
        let digests = read(&beside(path, ".sha256"))?;
        let expected = String::from_utf8_lossy(&digests)
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned();
        let sha256 = sha256(&content);
        ensure!(
            sha256 == expected,
            "the shim {} has the sha256 {sha256}, not {expected}: the image is broken",
            path.display()
        );
        let machine = rustix::system::uname()
            .machine()
            .to_string_lossy()
            .into_owned();
        check_machine(&content, &machine)
            .with_context(|| format!("cannot use {}", path.display()))?;
        Ok(Self { content, sha256 })
    }

    /// Whether the file at `path` is executable and has the bytes of this program.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn state_at(&self, path: &Path) -> Result<Installed> {
        match fs::read(path) {
            Ok(content) if sha256(&content) == self.sha256 && is_executable(path) => {
                Ok(Installed::Yes)
            }
            Ok(_) => Ok(Installed::Other),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Installed::No),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Installs the program at `path`. A process that runs the old one is not affected: it
    /// keeps the replaced file, which only loses its name.
    ///
    /// # Errors
    /// When it cannot be written, or the bytes on the disk differ.
    pub fn install_at(&self, path: &Path) -> Result<()> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let written = self.write(path);
        if written.is_err() {
            // A folder that is not empty stays.
            let _ = fs::remove_dir(folder);
        }
        written
    }

    fn write(&self, path: &Path) -> Result<()> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        let file_system = rustix::fs::statvfs(folder)
            .with_context(|| format!("cannot read the file system of {}", folder.display()))?;
        ensure!(
            !file_system.f_flag.contains(StatVfsMountFlags::NOEXEC),
            "the file system of {} is mounted with noexec, so no program runs there: set SHIM to a \
             path on another one",
            folder.display()
        );
        let new = beside(path, ".new");
        files::write(&new, &self.content, EXECUTABLE)?;
        if self.state_at(&new)? != Installed::Yes {
            files::remove(&new)?;
            bail!(
                "{} differs from what was written to it: check the disk",
                new.display()
            );
        }
        files::rename(&new, path)
    }

    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

const EXECUTABLE: Access = Access {
    mode: 0o755,
    owner: 0,
    group: 0,
};

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 == 0o111)
}

/// The SHA-256 digest in hexadecimal digits.
#[must_use]
pub fn sha256(content: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(content) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Compares `e_machine` of the ELF header with the node's machine. The shim is
/// released for the two that are named here.
fn check_machine(program: &[u8], machine: &str) -> Result<()> {
    let found = match (program.get(..4), program.get(18..20)) {
        (Some(b"\x7fELF"), Some([62, 0])) => "x86_64",
        (Some(b"\x7fELF"), Some([183, 0])) => "aarch64",
        (Some(b"\x7fELF"), Some(_)) => "another machine",
        _ => bail!("it is not a Linux program"),
    };
    ensure!(
        found == machine,
        "it is for {found}, but this node is {machine}"
    );
    Ok(())
}
