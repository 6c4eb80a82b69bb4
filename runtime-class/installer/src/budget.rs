//! How often containerd may be restarted. The node problem detector of GKE
//! reports a node with five starts in twenty minutes, and other hands restart
//! it, too.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};

use crate::files::{self, Access, beside};

/// The file that remembers the restarts of the last minutes.
pub struct Budget {
    file: PathBuf,
}

const RESTARTS: usize = 3;
const SECONDS: u64 = 20 * 60;

impl Budget {
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            file: folder.join("restarts"),
        }
    }

    /// Says whether a change may begin. It takes one restart, and one more when
    /// the change has to be taken back.
    ///
    /// # Errors
    /// When it may not yet, with how long to wait.
    pub fn ensure_room(&self) -> Result<()> {
        let now = now();
        let recent = self.recent(now);
        let wait = recent
            .iter()
            .rev()
            .nth(RESTARTS - 2)
            .map_or(0, |oldest| oldest + SECONDS - now);
        ensure!(
            wait == 0,
            "containerd was restarted {} times within {} minutes: the next change of its \
             configuration has to wait {wait} s",
            recent.len(),
            SECONDS / 60
        );
        Ok(())
    }

    /// Notes a restart, before it happens.
    ///
    /// # Errors
    /// When the note cannot be written: an uncounted restart must not happen.
    pub fn note(&self) -> Result<()> {
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

    /// Forgets all, for when nothing shall be left.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn forget(&self) -> Result<()> {
        files::remove(&beside(&self.file, ".new"))?;
        files::remove(&self.file)
    }

    /// Seconds since 1970, oldest first. Times in the future are of a clock
    /// that was wrong.
    fn recent(&self, now: u64) -> Vec<u64> {
        let lines = fs::read_to_string(&self.file).unwrap_or_default();
        let times = lines.lines().filter_map(|line| line.parse().ok());
        times
            .filter(|time| *time <= now && now - *time < SECONDS)
            .collect()
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}
