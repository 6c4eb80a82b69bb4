//! containerd's main configuration as a file of the node. A link at its path stays a
//! link: the file that it leads to is read and replaced.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use rustix::fs::{OFlags, RenameFlags};
use rustix::io::Errno;

use crate::crash;
use crate::files::{self, Access, beside};
use crate::host::Host;

/// Inode, size, ctime (seconds and nanoseconds) and mode: a write, a rename or a
/// change of the mode changes at least one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity([i64; 5]);

impl Identity {
    /// The identity of the file at `path`; `None` for a missing one.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|metadata| Self::new(&metadata))
    }

    fn new(metadata: &fs::Metadata) -> Self {
        Self([
            metadata.ino().cast_signed(),
            metadata.len().cast_signed(),
            metadata.ctime(),
            metadata.ctime_nsec(),
            metadata.mode().into(),
        ])
    }
}

/// The file's bytes at one moment, and what a replacement of it must keep.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    pub bytes: Vec<u8>,
    pub identity: Identity,
    /// When the file was last written or renamed, by the node's clock.
    pub changed: SystemTime,
    /// The file's path in this container, after all links.
    path: PathBuf,
    access: Access,
    label: Option<Vec<u8>>,
}

impl ConfigFile {
    /// Reads the file that `config` leads to on the node; `None` if there is none.
    ///
    /// # Errors
    /// When it exists and cannot be read.
    pub fn read(host: &Host, config: &Path) -> Result<Option<Self>> {
        let failed = || {
            format!(
                "cannot read containerd's configuration {}",
                config.display()
            )
        };
        // Without NONBLOCK, opening a named pipe would wait for a writer.
        let opened = host.open(config, OFlags::NONBLOCK).with_context(failed)?;
        let Some((mut file, path)) = opened else {
            return Ok(None);
        };
        // Before the bytes: a write in between changes the identity, and is noticed.
        let metadata = file.metadata().with_context(failed)?;
        ensure!(metadata.is_file(), "{} is not a file", config.display());
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).with_context(failed)?;
        Ok(Some(Self {
            bytes,
            identity: Identity::new(&metadata),
            changed: files::changed(&metadata),
            path,
            access: Access {
                mode: metadata.mode() & 0o7777,
                owner: metadata.uid(),
                group: metadata.gid(),
            },
            label: files::label(&file),
        }))
    }

    /// Writes a file with the same owner, group, mode and SELinux label.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_copy(&self, path: &Path, content: &[u8]) -> Result<()> {
        files::write(path, content, self.access)?;
        files::set_label(path, self.label.as_deref())
    }

    /// Replaces the file with `content`, if it still has these bytes.
    ///
    /// # Errors
    /// When another process changed it, or it cannot be replaced. The file then is as
    /// the other process left it.
    pub fn replace(&self, content: &[u8]) -> Result<()> {
        let new = self.new_file();
        self.write_copy(&new, content)?;
        let replaced = self.exchange(&new);
        // After the exchange it is the old file.
        files::remove(&new)?;
        replaced
    }

    /// Removes what a killed run may have left.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn clean(&self) -> Result<()> {
        files::remove(&self.new_file())
    }

    fn new_file(&self) -> PathBuf {
        beside(&self.path, ".swiss-new")
    }

    /// Exchanges the two files, and exchanges them again if the old one is not the one
    /// that was read. A plain rename would lose what another process wrote after the
    /// last comparison.
    fn exchange(&self, new: &Path) -> Result<()> {
        crash::point("before the configuration is replaced");
        let conflict = || {
            format!(
                "another process changed {} at the same time",
                self.path.display()
            )
        };
        let failed = || format!("cannot replace {}", self.path.display());
        let has_bytes = |path: &Path| fs::read(path).is_ok_and(|bytes| bytes == self.bytes);
        ensure!(has_bytes(&self.path), conflict());
        match rustix::fs::renameat_with(
            rustix::fs::CWD,
            new,
            rustix::fs::CWD,
            &self.path,
            RenameFlags::EXCHANGE,
        ) {
            Ok(()) if !has_bytes(new) => {
                rustix::fs::renameat_with(
                    rustix::fs::CWD,
                    new,
                    rustix::fs::CWD,
                    &self.path,
                    RenameFlags::EXCHANGE,
                )
                .with_context(failed)?;
                anyhow::bail!(conflict());
            }
            Ok(()) => {}
            // A file system that cannot exchange.
            Err(Errno::INVAL | Errno::NOSYS) => fs::rename(new, &self.path).with_context(failed)?,
            Err(error) => return Err(error).with_context(failed),
        }
        files::sync_folder(&self.path).with_context(failed)?;
        crash::point("after the configuration is replaced");
        Ok(())
    }
}
