//! An OCI artifact: blobs in a registry, and the manifest that lists them.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result};
use oci_client::manifest::{OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageManifest};
use sha2::{Digest, Sha256};

/// The annotations of a manifest (OCI image specification, "Annotations").
pub type Annotations = BTreeMap<String, String>;

/// Bytes and their media type.
pub struct Blob {
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

impl Blob {
    /// `sha256:` and 64 hexadecimal digits (OCI image specification, "Digests").
    pub fn digest(&self) -> String {
        let hash = Sha256::digest(&self.bytes);
        let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{digits}")
    }

    fn descriptor(&self) -> Result<OciDescriptor> {
        Ok(OciDescriptor {
            media_type: self.media_type.to_owned(),
            digest: self.digest(),
            size: i64::try_from(self.bytes.len()).context("a blob is too large")?,
            ..OciDescriptor::default()
        })
    }
}

/// The manifest, and the blobs that it lists. The artifact's digest is that of
/// the manifest.
pub struct Artifact {
    pub manifest: Blob,
    pub config: Blob,
    pub layers: Vec<Blob>,
}

impl Artifact {
    /// # Errors
    /// When a blob is too large for a manifest.
    pub fn new(config: Blob, layers: Vec<Blob>, annotations: Annotations) -> Result<Self> {
        let manifest = OciImageManifest {
            media_type: Some(OCI_IMAGE_MEDIA_TYPE.to_owned()),
            config: config.descriptor()?,
            layers: layers.iter().map(Blob::descriptor).collect::<Result<_>>()?,
            annotations: Some(annotations),
            ..OciImageManifest::default()
        };
        let manifest = Blob {
            media_type: OCI_IMAGE_MEDIA_TYPE,
            bytes: serde_json::to_vec(&manifest).context("cannot write the manifest")?,
        };
        Ok(Self {
            manifest,
            config,
            layers,
        })
    }

    /// All blobs, the manifest last.
    pub fn blobs(&self) -> impl Iterator<Item = &Blob> {
        self.layers.iter().chain([&self.config, &self.manifest])
    }

    /// The number of bytes that a node pulls.
    pub fn size(&self) -> usize {
        self.blobs().map(|blob| blob.bytes.len()).sum()
    }
}

impl fmt::Display for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for blob in self.blobs() {
            writeln!(f, "{:>7} bytes  {}", blob.bytes.len(), blob.media_type)?;
        }
        write!(f, "{:>7} bytes  in all, that a node pulls", self.size())
    }
}
