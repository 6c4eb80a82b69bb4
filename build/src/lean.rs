//! Assembles a component from as few parts as possible: see [`split`].

use anyhow::Result;
use wasm_encoder::{
    Alias, CanonicalFunctionSection, Component, ComponentAliasSection, ComponentExportKind,
    ComponentExportSection, ComponentInstanceSection, ComponentTypeSection, ComponentValType,
    ExportKind, InstanceSection, ModuleArg, ModuleSection, RawSection,
};

use crate::made::Made;
use crate::split::{self, ENTRY, MEMORY, REALLOC};

const TYPES: &str = "wasi:http/types";

/// Rebuilds `component`, which wit-component made from `module`, with fewer
/// parts.
///
/// # Errors
/// When the component does not have the one shape that this supports: imports
/// of functions and resources, and one exported function.
pub fn rebuilt(module: &[u8], component: &[u8]) -> Result<Vec<u8>> {
    let made = Made::read(component)?;
    let split = split::split(module, &format!("{}#handle", made.export))?;
    let mut lean = Component::new();
    for (id, bytes) in &made.head {
        lean.section(&RawSection {
            id: *id,
            data: bytes,
        });
    }
    lean.section(&ModuleSection(&split.memory))
        .section(&ModuleSection(&split.code));

    let mut first = InstanceSection::new();
    first.instantiate(0, Vec::<(&str, ModuleArg)>::new());
    lean.section(&first);

    let mut aliases = ComponentAliasSection::new();
    for (name, kind) in [(MEMORY, ExportKind::Memory), (REALLOC, ExportKind::Func)] {
        aliases.alias(Alias::CoreInstanceExport {
            instance: 0,
            kind,
            name,
        });
    }
    let mut functions = CanonicalFunctionSection::new();
    let (mut next_type, mut next_function) = (made.types, 0);
    for (interface, name) in &split.imports {
        let instance = made.instance(interface)?;
        let (kind, name) = match name.strip_prefix("[resource-drop]") {
            Some(resource) => {
                functions.resource_drop(next_type);
                next_type += 1;
                (ComponentExportKind::Type, resource)
            }
            None => {
                functions.lower(next_function, made.options(instance, name)?);
                next_function += 1;
                (ComponentExportKind::Func, name.as_str())
            }
        };
        aliases.alias(Alias::InstanceExport {
            instance,
            kind,
            name,
        });
    }
    let (request, out) = (next_type, next_type + 1);
    for name in ["incoming-request", "response-outparam"] {
        let kind = ComponentExportKind::Type;
        aliases.alias(Alias::InstanceExport {
            instance: made.instance(TYPES)?,
            kind,
            name,
        });
    }
    lean.section(&aliases).section(&functions);

    // The host functions come after realloc.
    let mut items = vec![(MEMORY.to_owned(), ExportKind::Memory, 0)];
    for (place, function) in (1..).take(split.imports.len()).enumerate() {
        items.push((place.to_string(), ExportKind::Func, function));
    }
    let mut second = InstanceSection::new();
    let items = items
        .iter()
        .map(|(name, kind, index)| (name.as_str(), *kind, *index));
    second.export_items(items);
    second.instantiate(1, [("", ModuleArg::Instance(1))]);
    lean.section(&second);

    let mut entry = ComponentAliasSection::new();
    entry.alias(Alias::CoreInstanceExport {
        instance: 2,
        kind: ExportKind::Func,
        name: ENTRY,
    });
    lean.section(&entry);
    let mut types = ComponentTypeSection::new();
    types.defined_type().own(request);
    types.defined_type().own(out);
    let params = [("request", out + 1), ("response-out", out + 2)];
    let params = params.map(|(name, ty)| (name, ComponentValType::Type(ty)));
    types.function().params(params).result(None);
    lean.section(&types);
    let mut lift = CanonicalFunctionSection::new();
    let handle = 1 + u32::try_from(split.imports.len())?;
    lift.lift(handle, out + 3, []);
    lean.section(&lift);
    let mut instances = ComponentInstanceSection::new();
    instances.export_items([("handle", ComponentExportKind::Func, next_function)]);
    lean.section(&instances);
    let mut exports = ComponentExportSection::new();
    let instance = u32::try_from(made.instances.len())?;
    exports.export(&made.export, ComponentExportKind::Instance, instance, None);
    lean.section(&exports);
    Ok(lean.finish())
}
