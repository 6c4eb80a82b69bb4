//! An artifact on disk, as an OCI image layout.
//! <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::artifact::Artifact;

/// Writes the layout into `folder`, which must not exist yet.
///
/// # Errors
/// When `folder` exists, or cannot be written.
pub fn write(folder: &Path, artifact: &Artifact) -> Result<()> {
    if folder.exists() {
        bail!("{} exists already", folder.display());
    }
    let write = || -> Result<()> {
        let blobs = folder.join("blobs/sha256");
        fs::create_dir_all(&blobs)?;
        for blob in artifact.blobs() {
            fs::write(
                blobs.join(blob.digest().replace("sha256:", "")),
                &blob.bytes,
            )?;
        }
        let manifest = &artifact.manifest;
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [{
                "mediaType": manifest.media_type,
                "digest": manifest.digest(),
                "size": manifest.bytes.len(),
            }],
        });
        fs::write(folder.join("index.json"), serde_json::to_vec(&index)?)?;
        // Written last: a folder without this file is not a layout.
        fs::write(
            folder.join("oci-layout"),
            br#"{"imageLayoutVersion":"1.0.0"}"#,
        )?;
        Ok(())
    };
    write().with_context(|| {
        // The folder is incomplete. The error to report is that of the write.
        let _ = fs::remove_dir_all(folder);
        format!("cannot write {}", folder.display())
    })
}
