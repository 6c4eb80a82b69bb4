//! The component artifact: CNCF's Wasm OCI artifact, which holds one component
//! and nothing else. <https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/>

use anyhow::{Context, Result, bail};
use oci_client::annotations::ORG_OPENCONTAINERS_IMAGE_CREATED;
use serde_json::json;
use swiss_manifest::Manifest;
use wasmparser::{Encoding, Parser, Payload};

use crate::artifact::{Annotations, Artifact, Blob};

/// Packages the application, whose only component is `wasm`.
///
/// # Errors
/// When the application has other routes than `/...`, or `wasm` is not a component.
pub fn artifact(manifest: &Manifest, wasm: Vec<u8>, annotations: Annotations) -> Result<Artifact> {
    let routes: Vec<_> = manifest.triggers.iter().map(|t| t.route.as_str()).collect();
    if routes != ["/..."] {
        bail!(
            "it has the routes {}, but a component artifact has no spin.toml, and the shim gives it every path: use FORMAT=spin",
            routes.join(", ")
        );
    }
    let (imports, exports) = interfaces(&wasm)?;
    let layer = Blob {
        media_type: "application/wasm",
        bytes: wasm,
    };
    let config = json!({
        "created": annotations.get(ORG_OPENCONTAINERS_IMAGE_CREATED),
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [layer.digest()],
        "component": { "exports": exports, "imports": imports, "target": null },
    });
    let config = Blob {
        media_type: "application/vnd.wasm.config.v0+json",
        bytes: serde_json::to_vec(&config)?,
    };
    Artifact::new(config, vec![layer], annotations)
}

/// The names of a component's imports and exports.
fn interfaces(wasm: &[u8]) -> Result<(Vec<String>, Vec<String>)> {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    // Inner modules and components have imports and exports of their own.
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.context("this is not a WebAssembly component")? {
            Payload::Version { encoding, .. } => {
                depth += 1;
                if depth == 1 && encoding != Encoding::Component {
                    bail!("this is a core module, not a component");
                }
            }
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}

#[cfg(test)]
mod tests {
    use super::interfaces;

    #[test]
    fn a_core_module_is_not_a_component() {
        let error = interfaces(b"\0asm\x01\0\0\0").unwrap_err();
        assert_eq!(error.to_string(), "this is a core module, not a component");
    }

    #[test]
    fn text_is_not_a_component() {
        let error = interfaces(b"<html>").unwrap_err();
        assert_eq!(error.to_string(), "this is not a WebAssembly component");
    }
}
