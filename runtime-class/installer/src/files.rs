//! Files that are there whole or not at all, whenever the power goes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::crash;

/// Who may do what with a file.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    pub mode: u32,
    pub owner: u32,
    pub group: u32,
}

/// Writes a file beside the one it will replace, and to the disk.
///
/// # Errors
/// When it cannot, with the path; nothing is left of it then.
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
    // What a killed run has left; a link there would lead elsewhere.
    remove_if_there(path)?;
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

/// Puts a written file in another's place.
///
/// # Errors
/// When it cannot, with the path.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    crash::point("before a rename");
    fs::rename(from, to)
        .and_then(|()| sync_folder(to))
        .with_context(|| format!("cannot replace {}", to.display()))?;
    crash::point("after a rename");
    Ok(())
}

/// Removes a file, if it is there.
///
/// # Errors
/// When it is there and stays, with the path.
pub fn remove(path: &Path) -> Result<()> {
    crash::point("before a file is removed");
    remove_if_there(path).with_context(|| format!("cannot remove {}", path.display()))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A rename lasts once the folder is on the disk.
fn sync_folder(file: &Path) -> io::Result<()> {
    file.parent()
        .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// A name beside a file. It does not end as the file does, so that no pattern
/// of `imports` matches it.
#[must_use]
pub fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
