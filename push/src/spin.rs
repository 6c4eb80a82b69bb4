//! The Spin artifact: what `spin registry push` of Spin 3.6.3 writes, with the
//! application in a layer of its own. Where Spin is installed, Spin pushes it.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use swiss_manifest::Manifest;

use crate::artifact::{Annotations, Artifact, Blob};
use crate::image::Image;

/// Packages the application, whose only component is `component`.
///
/// # Errors
/// When a blob is too large for a manifest.
pub fn artifact(
    manifest: &Manifest,
    component: &str,
    wasm: Vec<u8>,
    annotations: Annotations,
) -> Result<Artifact> {
    let wasm = Blob {
        media_type: "application/vnd.wasm.content.layer.v1+wasm",
        bytes: wasm,
    };
    let application = Blob {
        media_type: "application/vnd.fermyon.spin.application.v1+config",
        bytes: serde_json::to_vec(&locked_application(manifest, component, &wasm.digest()))?,
    };
    let config = json!({
        "architecture": "wasm",
        "os": "wasip1",
        // Without it all applications would have the same config, by which
        // container runtimes identify an image.
        "config": { "Labels": { "com.fermyon.spin.lockedAppDigest": application.digest() } },
        "rootfs": { "type": "layers", "diff_ids": [] },
    });
    let config = Blob {
        media_type: "application/vnd.oci.image.config.v1+json",
        bytes: serde_json::to_vec(&config)?,
    };
    Artifact::new(config, vec![wasm, application], annotations)
}

/// The manifest as the runtime reads it: with digests for files, and no builds.
fn locked_application(manifest: &Manifest, component: &str, wasm: &str) -> Value {
    let application = &manifest.application;
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(application.name));
    metadata.insert("trigger".to_owned(), json!({ "type": "http" }));
    // Shims panic without it.
    metadata.insert("triggers".to_owned(), json!({}));
    for (key, value) in [
        ("version", &application.version),
        ("description", &application.description),
    ] {
        if let Some(value) = value {
            metadata.insert(key.to_owned(), json!(value));
        }
    }
    let triggers = manifest
        .triggers
        .iter()
        .enumerate()
        .map(|(index, trigger)| {
            // The first ID is the one that Spin uses. The others only have to differ.
            let number = match index {
                0 => String::new(),
                index => format!("-{}", index + 1),
            };
            json!({
                "id": format!("{component}-http-trigger{number}"),
                "trigger_type": "http",
                "trigger_config": { "component": component, "route": trigger.route.as_str() },
            })
        });
    json!({
        "spin_lock_version": 0,
        "metadata": metadata,
        "triggers": triggers.collect::<Vec<_>>(),
        "components": [{
            "id": component,
            "source": { "content_type": "application/wasm", "digest": wasm },
        }],
    })
}

/// Pushes the application with Spin, without TLS if `plain`, and returns the digest.
///
/// # Errors
/// When Spin cannot be run, or fails. Spin itself prints why it fails.
pub fn push(
    program: &Path,
    manifest: &Path,
    image: &Image,
    annotations: &Annotations,
    plain: bool,
) -> Result<String> {
    let mut spin = Command::new(program);
    spin.args(["registry", "push", "--from"]).arg(manifest);
    for (key, value) in annotations {
        spin.arg("--annotation").arg(format!("{key}={value}"));
    }
    if plain {
        spin.arg("--insecure");
    }
    let output = spin
        .arg(image.to_string())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("Spin could not push {image} (its message is above)");
    }
    text.split_whitespace()
        .find(|word| word.starts_with("sha256:"))
        .map(str::to_owned)
        .with_context(|| format!("Spin pushed {image}, but gave no digest: {}", text.trim()))
}
