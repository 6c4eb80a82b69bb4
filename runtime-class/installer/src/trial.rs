//! What containerd is restarted with. After a rollback it is not tried again: each trial
//! stops containerd for a minute, and would end in the same way.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Result;
use sha2::{Digest, Sha256};

use crate::files::{self, Access, beside};

/// A configuration and a shim with which containerd must prove to be healthy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The SHA-256 digest of the configuration, the shim and the attempt.
    pub digest: String,
    /// Whether the network was ready before, and so must be ready with it.
    pub had_network: bool,
}

/// A trial that was rolled back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    pub digest: String,
    pub at: SystemTime,
}

impl Trial {
    #[must_use]
    pub fn new(config: &[u8], shim_sha256: &str, attempt: &str, had_network: bool) -> Self {
        let mut hasher = Sha256::new();
        for part in [config, shim_sha256.as_bytes(), attempt.as_bytes()] {
            // With the lengths, no two triples have the same bytes.
            hasher.update(part.len().to_le_bytes());
            hasher.update(part);
        }
        let mut digest = String::new();
        for byte in hasher.finalize() {
            let _ = write!(digest, "{byte:02x}");
        }
        Self {
            digest,
            had_network,
        }
    }

    /// Reads the record at `path`; `None` if there is none.
    #[must_use]
    pub fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let (digest, had_network) = text.trim().split_once(' ')?;
        Some(Self {
            digest: digest.to_owned(),
            had_network: had_network.parse().ok()?,
        })
    }

    /// # Errors
    /// When it cannot be written. Without the record, containerd must not be restarted.
    pub fn record(&self, path: &Path) -> Result<()> {
        let access = Access {
            mode: 0o644,
            owner: 0,
            group: 0,
        };
        let text = format!("{} {}\n", self.digest, self.had_network);
        let new = beside(path, ".new");
        files::write(&new, text.as_bytes(), access)?;
        files::rename(&new, path)
    }
}

impl Failed {
    /// Reads the record at `path`; `None` if there is none.
    #[must_use]
    pub fn read(path: &Path) -> Option<Self> {
        let digest = Trial::read(path)?.digest;
        let at = files::changed(&fs::metadata(path).ok()?);
        Some(Self { digest, at })
    }
}
