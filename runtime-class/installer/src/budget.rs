//! The limit of containerd restarts. GKE's node problem detector reports a node
//! on which containerd starts five times in twenty minutes, and the installer is
//! not the only program that restarts it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use crate::files;

/// The file that records the restarts of the last `WINDOW`, in microseconds since 1970.
pub struct Budget {
    file: PathBuf,
}

pub const MAX_RESTARTS: usize = 3;
pub const WINDOW: Duration = Duration::from_secs(20 * 60);

/// When a change may begin, if that is not `now`. A change takes one restart, and a
/// rollback takes a second one. `restarts` are in order, oldest first.
#[must_use]
pub fn next_change(restarts: &[SystemTime], now: SystemTime) -> Option<SystemTime> {
    let oldest = restarts.iter().rev().nth(MAX_RESTARTS - 2)?;
    Some(*oldest + WINDOW).filter(|next| *next > now)
}

impl Budget {
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            file: Self::file_in(folder),
        }
    }

    #[must_use]
    pub fn file_in(folder: &Path) -> PathBuf {
        folder.join("restarts")
    }

    /// Records a restart that is about to happen.
    ///
    /// # Errors
    /// When the file cannot be written. An unrecorded restart must not happen.
    pub fn record(&self) -> Result<()> {
        let now = SystemTime::now();
        let mut recent = self.recent(now);
        recent.push(now);
        let lines: String = recent
            .iter()
            .filter_map(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
            .map(|time| format!("{}\n", time.as_micros()))
            .collect();
        let folder = self.file.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        files::record(&self.file, &lines)
    }

    /// The recorded restarts, oldest first. A time in the future comes from a wrong clock
    /// and is ignored.
    #[must_use]
    pub fn recent(&self, now: SystemTime) -> Vec<SystemTime> {
        let lines = fs::read_to_string(&self.file).unwrap_or_default();
        let times = lines
            .lines()
            .filter_map(|line| line.parse().ok())
            .map(|microseconds| SystemTime::UNIX_EPOCH + Duration::from_micros(microseconds));
        times
            .filter(|time| now.duration_since(*time).is_ok_and(|age| age < WINDOW))
            .collect()
    }
}
