//! Makes the component that is shipped from a core module.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;

use anyhow::{Context, Result};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as ADAPTER_NAME,
    WASI_SNAPSHOT_PREVIEW1_PROXY_ADAPTER as ADAPTER,
};
use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent};
use wasm_encoder::{
    Alias, Component, ComponentAliasSection, ExportSection, ImportSection, InstanceSection, Module,
    ModuleArg,
};
use wasmparser::{
    ComponentAlias, ComponentAliasSectionReader, CustomSectionReader, Export, ImportSectionReader,
    Instance, Parser, Payload,
};
use wit_component::ComponentEncoder;

use crate::unread;

/// A component, and what it took to make it one.
pub struct Made {
    pub bytes: Vec<u8>,
    /// The imports and the size of the adapter for WASI preview 1, if the module
    /// needs it.
    pub adapter: Option<(Vec<String>, usize)>,
}

/// Makes a stripped component from a core module that has its world in custom
/// sections, as wit-bindgen writes it. A module that imports WASI preview 1, as
/// Rust's standard library does for a panic, gets the standard adapter to the world
/// `wasi:http/proxy`.
///
/// # Errors
/// When the module does not match its world.
pub fn from_module(module: &[u8], needs_preview1: bool) -> Result<Made> {
    let module = unread::left_out(module)?;
    let mut encoder = ComponentEncoder::default().validate(true).module(&module)?;
    if needs_preview1 {
        encoder = encoder.adapter(ADAPTER_NAME, ADAPTER)?;
    }
    let component = encoder
        .encode()
        .context("cannot make a component from the compiled module")?;
    let mut stripped = Component::new();
    Strip::default().parse_component(&mut stripped, Parser::new(0), &component)?;
    let bytes = stripped.finish();
    let adapter = needs_preview1
        .then(|| adapter(&module, &bytes))
        .transpose()?;
    Ok(Made { bytes, adapter })
}

/// The interfaces that `component` imports and `module` does not, and the bytes of the
/// second core module, which is the adapter.
fn adapter(module: &[u8], component: &[u8]) -> Result<(Vec<String>, usize)> {
    let interface = |name: &str| name.split('@').next().map(str::to_owned);
    let mut own = HashSet::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(section) = payload? {
            for import in section.into_imports() {
                own.insert(interface(import?.module));
            }
        }
    }
    let (mut added, mut modules) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let name = import?.name.name;
                    // A component inside imports single types and functions.
                    if name.contains('/') && !own.contains(&interface(name)) {
                        added.push(name.to_owned());
                    }
                }
            }
            Payload::ModuleSection {
                unchecked_range, ..
            } => modules.push(unchecked_range.len()),
            _ => {}
        }
    }
    Ok((added, modules.get(1).copied().unwrap_or_default()))
}

/// Drops what no host reads, at all levels: custom sections (names,
/// producers), and the long names that link the inner core modules to each
/// other, a fifth of the component. The component's own imports and exports
/// keep their names.
#[derive(Default)]
struct Strip {
    /// The short name for each long name of a core module's import or export.
    /// All modules share the map, so that names that match still match.
    names: HashMap<String, String>,
}

impl Strip {
    fn short(&mut self, name: &str) -> String {
        let count = self.names.len();
        let short = self.names.entry(name.to_owned());
        short.or_insert_with(|| format!("{count:x}")).clone()
    }
}

type Done = Result<(), Error<Infallible>>;

impl Reencode for Strip {
    type Error = Infallible;

    fn parse_custom_section(&mut self, _: &mut Module, _: CustomSectionReader<'_>) -> Done {
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Done {
        for import in section.into_imports() {
            let import = import?;
            let (module, name) = (self.short(import.module), self.short(import.name));
            imports.import(&module, &name, self.entity_type(import.ty)?);
        }
        Ok(())
    }

    fn parse_export(&mut self, exports: &mut ExportSection, export: Export<'_>) -> Done {
        let index = self.external_index(export.kind, export.index)?;
        exports.export(&self.short(export.name), export.kind.into(), index);
        Ok(())
    }
}

impl ReencodeComponent for Strip {
    fn parse_component_custom_section(
        &mut self,
        _: &mut Component,
        _: CustomSectionReader<'_>,
    ) -> Done {
        Ok(())
    }

    fn parse_component_alias_section(
        &mut self,
        aliases: &mut ComponentAliasSection,
        section: ComponentAliasSectionReader<'_>,
    ) -> Done {
        for alias in section {
            match alias? {
                ComponentAlias::CoreInstanceExport {
                    kind,
                    instance_index,
                    name,
                } => aliases.alias(Alias::CoreInstanceExport {
                    instance: instance_index,
                    kind: kind.into(),
                    name: &self.short(name),
                }),
                alias => aliases.alias(self.component_alias(alias)?),
            };
        }
        Ok(())
    }

    fn parse_instance(&mut self, instances: &mut InstanceSection, instance: Instance<'_>) -> Done {
        match instance {
            Instance::Instantiate { module_index, args } => {
                let args = args
                    .iter()
                    .map(|arg| (self.short(arg.name), ModuleArg::Instance(arg.index)));
                instances.instantiate(module_index, args);
            }
            Instance::FromExports(exports) => {
                let exports = exports
                    .iter()
                    .map(|export| (self.short(export.name), export.kind.into(), export.index));
                instances.export_items(exports);
            }
        }
        Ok(())
    }
}
