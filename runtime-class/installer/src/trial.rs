//! What containerd is restarted with. After a rollback it is not tried again: each trial
//! stops containerd for a minute, and would end in the same way.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Result;

use crate::files;
use crate::program::sha256;

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
        // With the lengths, no two triples have the same bytes.
        let parts = [config, shim_sha256.as_bytes(), attempt.as_bytes()];
        let bytes = parts.map(|part| [&part.len().to_le_bytes(), part].concat());
        Self {
            digest: sha256(&bytes.concat()),
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
        files::record(path, &format!("{} {}\n", self.digest, self.had_network))
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
