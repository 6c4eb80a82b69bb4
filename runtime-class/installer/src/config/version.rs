//! The names that a configuration of each version has for the tables of CRI.

use anyhow::{Result, bail};
use toml_edit::Document;

/// Where the two things that are added belong.
pub struct Tables {
    /// The table that has a table for each handler.
    pub runtimes: &'static [&'static str],
    /// The table of `use_local_image_pull`. It has this name in every version,
    /// since containerd does not migrate that key from an older name.
    pub images: &'static [&'static str],
}

impl Tables {
    /// # Errors
    /// When the file's version is not one that containerd is known to have.
    pub fn of(config: &Document<&str>) -> Result<Self> {
        let runtimes: &[&str] = match config.get("version") {
            // containerd 1.x reads a file without a version as version 1.
            None => VERSION_1,
            Some(item) => match item.as_integer() {
                Some(1) => VERSION_1,
                Some(2) => VERSION_2,
                Some(3 | 4) => VERSION_3,
                _ => bail!(
                    "the configuration has version {}, and this installer knows 1 to 4",
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
