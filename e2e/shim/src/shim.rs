//! The interface that containerd-shim-wasm requires of a shim: its name, the
//! layers that it accepts, and how it compiles them ahead of time.

use std::hash::Hash;

use anyhow::Result;
use containerd_shim_wasm::sandbox::context::WasmLayer;
use containerd_shim_wasm::shim::{Compiler, Shim, Version, version};
use wasmtime::Engine;

use crate::layers;
use crate::sandbox::SpinSandbox;

pub struct SpinShim;

impl Shim for SpinShim {
    type Sandbox = SpinSandbox;

    fn name() -> &'static str {
        "spin"
    }

    fn version() -> Version {
        version!()
    }

    fn supported_layers_types() -> &'static [&'static str] {
        &layers::TYPES
    }

    async fn compiler() -> Option<impl Compiler> {
        async { SpinCompiler::new().ok() }.await
    }
}

/// Compiles when a node starts an image for the first time, as Spin's shim does.
/// Concurrent first starts can therefore fail in the same way.
pub struct SpinCompiler(Engine);

impl SpinCompiler {
    pub fn new() -> Result<Self> {
        Ok(Self(swiss_host::engine(1, None)?))
    }
}

impl Compiler for SpinCompiler {
    fn cache_key(&self) -> impl Hash {
        self.0.precompile_compatibility_hash()
    }

    async fn compile(&self, layers: &[WasmLayer]) -> Result<Vec<Option<Vec<u8>>>> {
        let compile = |layer: &WasmLayer| {
            if layer.precompiled {
                return Ok(Some(layer.layer.clone()));
            }
            layers::is_component(layer)
                .then(|| self.0.precompile_component(&layer.layer))
                .transpose()
        };
        let compiled: wasmtime::Result<_> = layers.iter().map(compile).collect();
        Ok(compiled?)
    }
}
