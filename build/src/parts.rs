//! The parts of a core module, and which of them are used.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use wasmparser::{
    CustomSectionReader, Data, Export, FuncType, FunctionBody, GlobalSectionReader, Import,
    KnownCustom, Linking, MemoryType, Operator, Parser, Payload, SymbolInfo, TypeRef,
};

/// The parts of a core module.
#[derive(Default)]
pub struct Parts<'a> {
    pub types: Vec<FuncType>,
    pub imports: Vec<Import<'a>>,
    /// Types of the functions that the module defines.
    pub functions: Vec<u32>,
    pub memories: Vec<MemoryType>,
    pub globals: Option<GlobalSectionReader<'a>>,
    pub exports: Vec<Export<'a>>,
    pub bodies: Vec<FunctionBody<'a>>,
    pub data: Vec<Data<'a>>,
    /// Where in which segment the linker put data that is never read, as
    /// (segment, end, start).
    unread: BTreeSet<(u32, usize, usize)>,
}

/// A function with all functions that it calls, directly or indirectly, and
/// whether they use globals.
pub struct Reached {
    pub functions: BTreeSet<u32>,
    pub globals: bool,
}

impl<'a> Parts<'a> {
    pub fn read(module: &'a [u8]) -> Result<Self> {
        let mut parts = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(section) => {
                    for ty in section.into_iter_err_on_gc_types() {
                        parts.types.push(ty?);
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        parts.imports.push(import?);
                    }
                }
                Payload::FunctionSection(section) => {
                    parts.functions = section.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::MemorySection(section) => {
                    parts.memories = section.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::GlobalSection(section) => parts.globals = Some(section),
                Payload::ExportSection(section) => {
                    parts.exports = section.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::CodeSectionEntry(body) => parts.bodies.push(body),
                Payload::DataSection(section) => {
                    parts.data = section.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::CustomSection(section) => parts.note_unread(&section)?,
                Payload::StartSection { .. } => bail!("the compiled module has a start function"),
                // Tables are dropped: `reached` refuses code that uses them.
                _ => {}
            }
        }
        Ok(parts)
    }

    /// Records data that is in memory only so that the linker keeps a custom
    /// section. wit-bindgen has a hundred such words, most of them for interfaces
    /// that the component does not import.
    fn note_unread(&mut self, section: &CustomSectionReader<'a>) -> Result<()> {
        let KnownCustom::Linking(section) = section.as_known() else {
            return Ok(());
        };
        for part in section {
            let Linking::SymbolTable(symbols) = part? else {
                continue;
            };
            for symbol in symbols {
                if let SymbolInfo::Data {
                    name,
                    symbol: Some(data),
                    ..
                } = symbol?
                    && ["__FORCE_SECTION_REF", "maybe_link_cabi_realloc"]
                        .iter()
                        .any(|mark| name.contains(mark))
                {
                    let (start, size) = (data.offset as usize, data.size as usize);
                    self.unread.insert((data.index, start + size, start));
                }
            }
        }
        Ok(())
    }

    /// The content of a segment without the unread data at its end.
    pub fn read_part(&self, segment: u32, data: &'a [u8]) -> &'a [u8] {
        let mut length = data.len();
        for (_, end, start) in self
            .unread
            .range((segment, 0, 0)..(segment + 1, 0, 0))
            .rev()
        {
            if *end == length {
                length = *start;
            }
        }
        data.get(..length).unwrap_or(data)
    }

    /// The number of imported functions. Every import is a function.
    pub fn imports(&self) -> u32 {
        u32::try_from(self.imports.len()).unwrap_or(u32::MAX)
    }

    pub fn exported(&self, name: &str) -> Result<u32> {
        let export = self.exports.iter().find(|export| export.name == name);
        Ok(export
            .with_context(|| format!("the compiled module has no export {name}"))?
            .index)
    }

    pub fn body(&self, function: u32) -> Result<&FunctionBody<'a>> {
        let defined = function.checked_sub(self.imports());
        let body = defined.and_then(|index| self.bodies.get(index as usize));
        body.context("the compiled module calls a function that it does not have")
    }

    pub fn reached(&self, export: &str) -> Result<Reached> {
        let mut open = vec![self.exported(export)?];
        let (mut functions, mut globals) = (BTreeSet::new(), false);
        while let Some(function) = open.pop() {
            if !functions.insert(function) || function < self.imports() {
                continue;
            }
            for operator in self.body(function)?.get_operators_reader()? {
                match operator? {
                    Operator::Call { function_index } => open.push(function_index),
                    Operator::GlobalGet { .. } | Operator::GlobalSet { .. } => globals = true,
                    Operator::CallIndirect { .. } | Operator::RefFunc { .. } => {
                        bail!("the compiled module calls by a table: no dynamic call may be left")
                    }
                    _ => {}
                }
            }
        }
        Ok(Reached { functions, globals })
    }

    pub fn type_of(&self, function: u32) -> Result<u32> {
        let ty = match self.imports.get(function as usize).map(|import| import.ty) {
            Some(TypeRef::Func(ty)) => Some(ty),
            Some(_) => bail!("the compiled module imports more than functions"),
            None => {
                let defined = function.checked_sub(self.imports());
                defined.and_then(|index| self.functions.get(index as usize).copied())
            }
        };
        ty.context("the compiled module calls a function that it does not have")
    }
}
