//! From a core module to the component that is shipped.

use std::mem;

use anyhow::{Context, Result};
use wasm_encoder::{Component, ComponentSectionId, Encode, Module, RawSection, Section};
use wasmparser::{Encoding, Parser, Payload};
use wit_component::ComponentEncoder;

/// The stripped component of a core module that carries its world in custom
/// sections, as wit-bindgen leaves it.
///
/// # Errors
/// When the module does not fit its world.
pub fn from_module(module: &[u8]) -> Result<Vec<u8>> {
    let component = ComponentEncoder::default()
        .module(module)
        .and_then(|mut encoder| encoder.encode())
        .context("cannot make a component of the compiled module")?;
    strip(&component)
}

/// Drops every custom section (names, producers), at all levels.
fn strip(component: &[u8]) -> Result<Vec<u8>> {
    let mut enclosing = Vec::new();
    let mut current = Vec::new();
    let mut stripped = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::Version { encoding, .. } => current.extend(match encoding {
                Encoding::Module => Module::HEADER,
                Encoding::Component => Component::HEADER,
            }),
            Payload::ModuleSection { .. } => {
                enclosing.push((ComponentSectionId::CoreModule, mem::take(&mut current)));
            }
            Payload::ComponentSection { .. } => {
                enclosing.push((ComponentSectionId::Component, mem::take(&mut current)));
            }
            Payload::End(_) => match enclosing.pop() {
                Some((id, outer)) => {
                    let nested = mem::replace(&mut current, outer);
                    current.push(id.into());
                    nested.encode(&mut current);
                }
                None => stripped = mem::take(&mut current),
            },
            Payload::CustomSection(_) => {}
            other => {
                if let Some((id, range)) = other.as_section() {
                    let data = component
                        .get(range)
                        .context("a section ends after its file")?;
                    RawSection { id, data }.append_to(&mut current);
                }
            }
        }
    }
    Ok(stripped)
}
