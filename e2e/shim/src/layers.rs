//! Reads the application of an image: from its layers, by their media types, or
//! from its `/spin.toml` if containerd has no layers for the shim.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use containerd_shim_wasm::sandbox::context::{Source, WasmLayer};
use swiss_host::{Load, Manifest, Options};
use wasmtime::Engine;
use wasmtime::component::Component;

/// A component of a Spin artifact, as `spin registry push` writes it.
const COMPONENT: &str = "application/vnd.wasm.content.layer.v1+wasm";
/// The component of a component artifact, as `wkg oci push` writes it.
const BARE_COMPONENT: &str = "application/wasm";
const LOCKED_APPLICATION: &str = "application/vnd.fermyon.spin.application.v1+config";
const ASSET: &str = "application/vnd.wasm.content.layer.v1+data";
const ASSETS: &str = "application/vnd.wasm.content.bundle.v1.tar+gzip";

/// The layers that Spin's shim requests from containerd. This shim refuses assets.
pub const TYPES: [&str; 5] = [COMPONENT, BARE_COMPONENT, LOCKED_APPLICATION, ASSET, ASSETS];

/// The file extension of compiled code.
const COMPILED: &str = ".cwasm";

/// Whether the layer is a component, of either kind of artifact.
pub fn is_component(layer: &WasmLayer) -> bool {
    [COMPONENT, BARE_COMPONENT].contains(&media_type(layer).as_str())
}

fn media_type(layer: &WasmLayer) -> String {
    layer.config.media_type().to_string()
}

/// An application, and the function that loads its components.
pub struct Application {
    pub manifest: Manifest,
    pub load: Load,
}

impl Application {
    /// Reads the application of the image whose files are under `root`, and
    /// writes there what Spin's shim writes: layers of an artifact into
    /// `.cache`, a locked application into `spin.json`. Always creates `.spin`,
    /// where Spin keeps its state, so that a chart must allow it.
    ///
    /// # Errors
    /// When there is no application or `root` cannot be written to. The error is
    /// one line.
    pub fn unpack(source: &Source, root: &Path) -> Result<Self> {
        let application = Self::read(source, root)?;
        create_folder(&root.join(".spin"))?;
        Ok(application)
    }

    fn read(source: &Source, root: &Path) -> Result<Self> {
        let layers = match source {
            Source::File(_) => {
                return Ok(Self {
                    manifest: Manifest::read(&root.join("spin.toml"))?,
                    load: Options::default().load,
                });
            }
            Source::Oci(layers) => *layers,
        };
        let registry = root.join(".cache/registry");
        for folder in ["manifests", "wasm", "data"] {
            create_folder(&registry.join(folder))?;
        }
        let mut components = BTreeMap::new();
        for layer in layers {
            let digest = layer.config.digest().to_string();
            let compiled = if layer.precompiled { COMPILED } else { "" };
            let file = registry.join("wasm").join(format!("{digest}{compiled}"));
            match media_type(layer).as_str() {
                COMPONENT => {
                    write(&file, &layer.layer)?;
                    components.insert(digest, file);
                }
                BARE_COMPONENT => {
                    write(&file, &layer.layer)?;
                    if layers.len() > 1 {
                        bail!("a component artifact has {} layers, not one", layers.len());
                    }
                    let manifest = Manifest::from_component(&digest, file);
                    return Ok(Self { manifest, load });
                }
                LOCKED_APPLICATION => write(&root.join("spin.json"), &layer.layer)?,
                other => bail!("a layer is of type {other}, which only Spin supports"),
            }
        }
        let locked = root.join("spin.json");
        let locked =
            fs::read(&locked).with_context(|| format!("cannot read {}", locked.display()))?;
        let manifest = Manifest::from_locked(&locked, &components)?;
        Ok(Self { manifest, load })
    }
}

fn create_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

fn write(file: &Path, content: &[u8]) -> Result<()> {
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}

/// Loads a component that may have been compiled ahead of time.
fn load(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    if !file.to_string_lossy().ends_with(COMPILED) {
        return Component::from_file(engine, file);
    }
    // SAFETY: only layers that runwasi marks as compiled get this extension from
    // `unpack`. They are the output of our compiler, which containerd stored.
    unsafe { Component::deserialize_file(engine, file) }
}

#[cfg(test)]
mod tests;
