//! The paths of CRI's tables in each version of the configuration.

use anyhow::{Result, bail};
use toml_edit::Document;

use super::lookup;

/// The paths of the tables to which entries are added.
pub struct Tables {
    /// The table with a table for each handler.
    pub runtimes: &'static [&'static str],
    /// The table of `use_local_image_pull`. It has the same path in every version,
    /// because containerd does not migrate that key from an older one.
    pub images: &'static [&'static str],
}

impl Tables {
    /// # Errors
    /// When the file's version is unknown.
    pub fn of(config: &Document<&str>) -> Result<Self> {
        let runtimes: &[&str] = match config.get("version") {
            // containerd 1.x reads a file without a version as version 1.
            None => VERSION_1,
            Some(item) => match item.as_integer() {
                Some(1) => VERSION_1,
                // AKS writes such files for containerd 2.0 to 2.2: version 2 with the
                // names of version 3. The table with the new name then replaces the
                // other one.
                Some(2) if lookup(config.as_table(), VERSION_3)?.is_some() => VERSION_3,
                Some(2) => VERSION_2,
                Some(3 | 4) => VERSION_3,
                _ => bail!(
                    "the configuration has version {}, but this installer supports 1 to 4",
                    item.to_string().trim()
                ),
            },
        };
        Ok(Self {
            runtimes,
            images: &["plugins", "io.containerd.cri.v1.images"],
        })
    }
}

const VERSION_1: &[&str] = &["plugins", "cri", "containerd", "runtimes"];
const VERSION_2: &[&str] = &[
    "plugins",
    "io.containerd.grpc.v1.cri",
    "containerd",
    "runtimes",
];
const VERSION_3: &[&str] = &[
    "plugins",
    "io.containerd.cri.v1.runtime",
    "containerd",
    "runtimes",
];
