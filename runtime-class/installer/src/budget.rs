//! The limit of containerd restarts. GKE's node problem detector reports a node
//! on which containerd starts five times in twenty minutes, and the installer is
//! not the only program that restarts it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};

use crate::files::{self, Access, beside};

/// The file that records the restarts of the last `WINDOW_SECONDS`.
pub struct Budget {
    file: PathBuf,
}

const MAX_RESTARTS: usize = 3;
const WINDOW_SECONDS: u64 = 20 * 60;

impl Budget {
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            file: folder.join("restarts"),
        }
    }

    /// Checks that a change may begin. A change takes one restart, and a rollback
    /// takes a second one.
    ///
    /// # Errors
    /// When too few restarts are left, with how long to wait.
    pub fn ensure_room(&self) -> Result<()> {
        let now = now();
        let recent = self.recent(now);
        let wait = recent
            .iter()
            .rev()
            .nth(MAX_RESTARTS - 2)
            .map_or(0, |oldest| oldest + WINDOW_SECONDS - now);
        ensure!(
            wait == 0,
            "containerd was restarted {} times within {} minutes: the next change of its \
             configuration must wait {wait} s",
            recent.len(),
            WINDOW_SECONDS / 60
        );
        Ok(())
    }

    /// Records a restart that is about to happen.
    ///
    /// # Errors
    /// When the file cannot be written. An unrecorded restart must not happen.
    pub fn record(&self) -> Result<()> {
        let now = now();
        let mut recent = self.recent(now);
        recent.push(now);
        let lines: String = recent.iter().map(|time| format!("{time}\n")).collect();
        let new = beside(&self.file, ".new");
        files::write(
            &new,
            lines.as_bytes(),
            Access {
                mode: 0o644,
                owner: 0,
                group: 0,
            },
        )?;
        files::rename(&new, &self.file)
    }

    /// Removes the record.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn remove(&self) -> Result<()> {
        files::remove(&beside(&self.file, ".new"))?;
        files::remove(&self.file)
    }

    /// The recorded restarts in seconds since 1970, oldest first. A time in the
    /// future comes from a wrong clock and is ignored.
    fn recent(&self, now: u64) -> Vec<u64> {
        let lines = fs::read_to_string(&self.file).unwrap_or_default();
        let times = lines.lines().filter_map(|line| line.parse().ok());
        times
            .filter(|time| *time <= now && now - *time < WINDOW_SECONDS)
            .collect()
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}
