//! Reads a component from wit-component: its imports and exports, and the
//! options with which it calls functions of the host.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use wasm_encoder::{CanonicalOption, ComponentSectionId};
use wasmparser::{CanonicalFunction, ComponentAlias, ComponentExternalKind, Parser, Payload};

#[derive(Default)]
pub struct Made<'a> {
    /// The sections of imports and their types, as (id, content).
    pub head: Vec<(u8, &'a [u8])>,
    pub types: u32,
    /// Names of the imported instances.
    pub instances: Vec<String>,
    functions: Vec<(u32, &'a str)>,
    options: BTreeMap<u32, Vec<CanonicalOption>>,
    pub export: String,
}

impl<'a> Made<'a> {
    pub fn read(component: &'a [u8]) -> Result<Self> {
        let (mut made, mut depth, mut in_head) = (Self::default(), 0, true);
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload?;
            match &payload {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                    depth += 1;
                    in_head = false;
                }
                Payload::End(_) if depth > 0 => depth -= 1,
                _ if depth > 0 => {}
                _ => made.note(&payload, component, in_head)?,
            }
        }
        Ok(made)
    }

    fn note(&mut self, payload: &Payload<'a>, component: &'a [u8], in_head: bool) -> Result<()> {
        if in_head && let Some((id, range)) = payload.as_section() {
            let known = [
                ComponentSectionId::Type,
                ComponentSectionId::Import,
                ComponentSectionId::Alias,
            ];
            if known.iter().any(|kind| *kind as u8 == id) {
                self.head
                    .push((id, component.get(range).unwrap_or_default()));
            }
        }
        match payload {
            Payload::ComponentTypeSection(section) if in_head => self.types += section.count(),
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    self.instances.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone() {
                    if let ComponentAlias::InstanceExport {
                        kind,
                        instance_index,
                        name,
                    } = alias?
                    {
                        match kind {
                            ComponentExternalKind::Func => {
                                self.functions.push((instance_index, name))
                            }
                            ComponentExternalKind::Type if in_head => self.types += 1,
                            _ => {}
                        }
                    }
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section.clone() {
                    if let CanonicalFunction::Lower {
                        func_index,
                        options,
                    } = function?
                    {
                        let options = options.iter().map(only).collect::<Result<_>>()?;
                        self.options.insert(func_index, options);
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    self.export = export?.name.name.to_owned();
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The instance of an interface in any version.
    pub fn instance(&self, interface: &str) -> Result<u32> {
        let bare = |name: &str| name.split('@').next().map(str::to_owned);
        let mut names = (0..).zip(&self.instances);
        let found = names.find(|(_, name)| bare(name) == bare(interface));
        Ok(found
            .with_context(|| format!("the component does not import {interface}"))?
            .0)
    }

    pub fn options(&self, instance: u32, name: &str) -> Result<Vec<CanonicalOption>> {
        let mut functions = (0..).zip(&self.functions);
        let index = functions.find(|(_, function)| **function == (instance, name));
        let index = index
            .with_context(|| format!("the component does not import {name}"))?
            .0;
        self.options
            .get(&index)
            .cloned()
            .with_context(|| format!("{name} is never called"))
    }
}

/// The same option, in a component with one memory and one realloc.
fn only(option: &wasmparser::CanonicalOption) -> Result<CanonicalOption> {
    Ok(match option {
        wasmparser::CanonicalOption::UTF8 => CanonicalOption::UTF8,
        wasmparser::CanonicalOption::Memory(_) => CanonicalOption::Memory(0),
        wasmparser::CanonicalOption::Realloc(_) => CanonicalOption::Realloc(0),
        other => bail!("a host function is called with {other:?}"),
    })
}
