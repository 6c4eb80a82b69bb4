//! Atomic writes: after a crash or a power failure, a file has either its old
//! content or its new content.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use crate::crash;

/// A file's mode and owner.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    pub mode: u32,
    pub owner: u32,
    pub group: u32,
}

/// Creates a file and syncs it to the disk. [`rename`] then replaces another
/// file with it.
///
/// # Errors
/// When it cannot be written, with the path. No part of the file is left.
pub fn write(path: &Path, content: &[u8], access: Access) -> Result<()> {
    crash::point("before a file is written");
    let written = try_write(path, content, access);
    if written.is_err() {
        let _ = remove(path);
    }
    written.with_context(|| format!("cannot write {}", path.display()))?;
    crash::point("after a file is written");
    Ok(())
}

fn try_write(path: &Path, content: &[u8], access: Access) -> io::Result<()> {
    // A killed run may have left the file. A symlink must not be followed.
    remove_if_present(path)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let (first, second) = content.split_at(content.len() / 2);
    file.write_all(first)?;
    crash::point("in the middle of a file");
    file.write_all(second)?;
    fchown(&file, Some(access.owner), Some(access.group))?;
    file.set_permissions(fs::Permissions::from_mode(access.mode))?;
    file.sync_all()
}

/// Replaces the installer's own record at `path` atomically. Everybody may read it.
///
/// # Errors
/// When it cannot be written, with the path. The old record stays.
pub fn record(path: &Path, text: &str) -> Result<()> {
    let access = Access {
        mode: 0o644,
        owner: 0,
        group: 0,
    };
    let new = beside(path, ".new");
    write(&new, text.as_bytes(), access)?;
    rename(&new, path)
}

/// Replaces the file at `to` atomically with the file at `from`.
///
/// # Errors
/// When it cannot be replaced, with the path.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    crash::point("before a rename");
    fs::rename(from, to)
        .and_then(|()| sync_folder(to))
        .with_context(|| format!("cannot replace {}", to.display()))?;
    crash::point("after a rename");
    Ok(())
}

/// Removes a file, if it exists.
///
/// # Errors
/// When it cannot be removed, with the path.
pub fn remove(path: &Path) -> Result<()> {
    crash::point("before a file is removed");
    remove_if_present(path).with_context(|| format!("cannot remove {}", path.display()))
}

fn remove_if_present(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        // A read-only file system says so also of a file that does not exist.
        Err(error) if fs::symlink_metadata(path).is_ok() => Err(error),
        _ => Ok(()),
    }
}

/// A rename is durable only after its folder is synced.
///
/// # Errors
/// When the folder cannot be synced.
pub fn sync_folder(file: &Path) -> io::Result<()> {
    file.parent()
        .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// When the file was last written or renamed, by the node's clock.
#[must_use]
pub fn changed(metadata: &fs::Metadata) -> SystemTime {
    let since_1970 = Duration::new(
        metadata.ctime().try_into().unwrap_or_default(),
        metadata.ctime_nsec().try_into().unwrap_or_default(),
    );
    SystemTime::UNIX_EPOCH + since_1970
}

/// The file's SELinux label, if it has one.
#[must_use]
pub fn label(file: &File) -> Option<Vec<u8>> {
    let mut label = vec![0; 256];
    let length = rustix::fs::fgetxattr(file, LABEL, &mut label).ok()?;
    label.truncate(length);
    Some(label)
}

/// Gives the file at `path` this SELinux label, unless it has it from its folder.
///
/// # Errors
/// When it cannot be set.
pub fn set_label(path: &Path, wanted: Option<&[u8]>) -> Result<()> {
    let failed = || format!("cannot set the SELinux label of {}", path.display());
    let file = File::open(path).with_context(failed)?;
    match wanted {
        Some(wanted) if label(&file).as_deref() != Some(wanted) => {
            rustix::fs::fsetxattr(&file, LABEL, wanted, rustix::fs::XattrFlags::empty())
                .with_context(failed)
        }
        _ => Ok(()),
    }
}

const LABEL: &str = "security.selinux";

/// The path with a suffix. It does not end in `.toml`, so that no pattern of
/// containerd's `imports` matches it.
#[must_use]
pub fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
