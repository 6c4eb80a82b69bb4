//! Splits a core module in two: one with memory, data and the function by which
//! the host allocates memory, and one with the code, which imports the memory.
//!
//! A component needs the first before it can offer host functions to the second.
//! In one module the two depend on each other, which wit-component resolves with
//! two more modules and a table: a third of an instance's cost.

use std::collections::BTreeMap;
use std::io;

use anyhow::{Context, Result, bail};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{
    CodeSection, DataSection, EntityType, ExportKind, ExportSection, FunctionSection,
    GlobalSection, ImportSection, MemorySection, Module, TypeSection,
};

use crate::parts::{Parts, Reached};

/// Names of the imports of the second module and of the exports of both.
pub const MEMORY: &str = "memory";
pub const REALLOC: &str = "realloc";
pub const ENTRY: &str = "entry";

pub struct Split {
    pub memory: Module,
    pub code: Module,
    /// The host functions that `code` imports from the module "", in order, as
    /// (interface, function). Each is named after its position.
    pub imports: Vec<(String, String)>,
}

/// Splits `module`, whose entry is its export `entry`.
///
/// # Errors
/// When the module does what two halves cannot: have a start function, use a
/// table, or share a global.
pub fn split(module: &[u8], entry: &str) -> Result<Split> {
    let parts = Parts::read(module)?;
    let realloc = parts.reached("cabi_realloc")?;
    let code = parts.reached(entry)?;
    if realloc.globals || realloc.functions.iter().any(|f| *f < parts.imports()) {
        bail!("the function by which the host asks for memory uses more than memory");
    }
    let imports = code.functions.range(..parts.imports());
    let imports = imports.filter_map(|function| parts.imports.get(*function as usize));
    Ok(Split {
        memory: parts.write(&realloc, &[("cabi_realloc", REALLOC)], true)?,
        code: parts.write(&code, &[(entry, ENTRY)], false)?,
        imports: imports
            .map(|import| (import.module.to_owned(), import.name.to_owned()))
            .collect(),
    })
}

impl Parts<'_> {
    /// A module of the functions `reached` with these exports, as (old name, new
    /// name). It `owns` the memory and its data, or imports the memory.
    fn write(&self, reached: &Reached, exports: &[(&str, &str)], owns: bool) -> Result<Module> {
        let mut new = Renumbered::default();
        let (mut types, mut imports) = (TypeSection::new(), ImportSection::new());
        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        for (place, function) in (0..).zip(&reached.functions) {
            new.functions.insert(*function, place);
            let ty = self.type_of(*function)?;
            let known = u32::try_from(new.types.len())?;
            let index = *new.types.entry(ty).or_insert(known);
            if index == known {
                let ty = self
                    .types
                    .get(ty as usize)
                    .context("a function has no type")?;
                types.ty().func_type(&new.func_type(ty.clone())?);
            }
            if *function < self.imports() {
                imports.import("", &place.to_string(), EntityType::Function(index));
            } else {
                functions.function(index);
            }
        }
        for function in reached.functions.range(self.imports()..) {
            new.parse_function_body(&mut code, self.body(*function)?.clone())?;
        }
        let (mut memories, mut data) = (MemorySection::new(), DataSection::new());
        let mut exported = ExportSection::new();
        let memory = *self
            .memories
            .first()
            .context("the compiled module has no memory")?;
        let memory = new.memory_type(memory)?;
        if owns {
            memories.memory(memory);
            exported.export(MEMORY, ExportKind::Memory, 0);
            for (index, segment) in (0..).zip(&self.data) {
                let mut segment = segment.clone();
                segment.data = self.read_part(index, segment.data);
                new.parse_data(&mut data, segment)?;
            }
        } else {
            imports.import("", MEMORY, memory);
        }
        for (old, name) in exports {
            let function = new.function_index(self.exported(old)?)?;
            exported.export(name, ExportKind::Func, function);
        }
        let mut globals = GlobalSection::new();
        if let (true, Some(section)) = (reached.globals, self.globals.clone()) {
            new.parse_global_section(&mut globals, section)?;
        }
        let mut module = Module::new();
        module.section(&types);
        if !imports.is_empty() {
            module.section(&imports);
        }
        module.section(&functions);
        if owns {
            module.section(&memories);
        }
        if !globals.is_empty() {
            module.section(&globals);
        }
        module.section(&exported).section(&code);
        if owns {
            module.section(&data);
        }
        Ok(module)
    }
}

/// New indexes of the functions and types that are kept.
#[derive(Default)]
struct Renumbered {
    functions: BTreeMap<u32, u32>,
    types: BTreeMap<u32, u32>,
}

impl Reencode for Renumbered {
    type Error = io::Error;

    fn function_index(&mut self, old: u32) -> Result<u32, Error<Self::Error>> {
        let new = self.functions.get(&old).copied();
        new.ok_or_else(|| Error::UserError(io::Error::other("a call leads nowhere")))
    }

    fn type_index(&mut self, old: u32) -> Result<u32, Error<Self::Error>> {
        let new = self.types.get(&old).copied();
        new.ok_or_else(|| Error::UserError(io::Error::other("a block's type is of no function")))
    }
}

#[cfg(test)]
mod tests {
    use wasmparser::Validator;

    use super::*;

    /// A module as the compiler writes it, with these functions and fields added.
    fn compiled(realloc: &str, handle: &str, more: &str) -> Vec<u8> {
        let text = format!(
            r#"(module
              (import "wasi:io/streams" "unused" (func $unused))
              (import "wasi:http/types" "status" (func $status (param i32 i32)))
              (memory 1)
              (global $stack (mut i32) (i32.const 8192))
              (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                {realloc})
              (func $dead call $unused)
              (func $set (param i64) i32.const 0 i32.const 200 call $status)
              (func $handle (export "handle") (param i32 i32) {handle})
              (data (i32.const 16) "Hello World")
              {more})"#
        );
        wat::parse_str(text).unwrap()
    }

    const REALLOC_BODY: &str = "i32.const 64 i32.load";
    const HANDLE_BODY: &str = "global.get $stack drop i64.const 0 call $set";

    #[test]
    fn each_half_has_what_it_reaches_and_no_more() {
        let module = compiled(REALLOC_BODY, HANDLE_BODY, "");
        let split = split(&module, "handle").unwrap();
        let status = ("wasi:http/types".to_owned(), "status".to_owned());
        assert_eq!(split.imports, [status]);
        let [memory, code] = [split.memory.finish(), split.code.finish()];
        for half in [&memory, &code] {
            Validator::new().validate_all(half).unwrap();
        }
        let [memory, code] = [&memory, &code].map(|half| Parts::read(half).unwrap());
        let names = |parts: &Parts| -> Vec<_> {
            let names = parts.exports.iter().map(|export| export.name.to_owned());
            names.collect()
        };
        assert_eq!(names(&memory), [MEMORY, REALLOC]);
        assert_eq!((memory.imports(), memory.bodies.len()), (0, 1));
        assert_eq!(memory.data[0].data, b"Hello World");
        assert!(memory.globals.is_none());
        assert_eq!(names(&code), [ENTRY]);
        // The function and the memory; $set and $handle.
        assert_eq!((code.imports(), code.bodies.len()), (2, 2));
        assert!(code.data.is_empty());
        assert!(code.globals.is_some());
    }

    #[test]
    fn what_two_halves_cannot_do_is_refused() {
        let table = "(table 1 funcref) (elem (i32.const 0) $dead) (type $plain (func))";
        for (realloc, handle, more, reason) in [
            (
                REALLOC_BODY,
                "i32.const 0 call_indirect (type $plain)",
                table,
                "calls by a table",
            ),
            (REALLOC_BODY, HANDLE_BODY, "(start $dead)", "start function"),
            ("global.get $stack", HANDLE_BODY, "", "more than memory"),
            (
                "call $unused i32.const 64",
                HANDLE_BODY,
                "",
                "more than memory",
            ),
        ] {
            let module = compiled(realloc, handle, more);
            let refused = split(&module, "handle").err().unwrap().to_string();
            assert!(refused.contains(reason), "{refused}");
        }
        let module = compiled(REALLOC_BODY, HANDLE_BODY, "");
        let refused = split(&module, "other").err().unwrap().to_string();
        assert!(refused.contains("no export other"), "{refused}");
    }
}
