//! Whether a core module needs WASI preview 1, and why.

use std::collections::{HashMap, HashSet, VecDeque};

use anyhow::Result;
use rustc_demangle::demangle;
use wasmparser::{ExternalKind, KnownCustom, Name, Operator, Parser, Payload, TypeRef};

const PREVIEW1: &str = "wasi_snapshot_preview1";

/// The functions of a core module, and which of them call which.
#[derive(Default)]
pub struct Functions {
    names: HashMap<u32, String>,
    callers: HashMap<u32, Vec<u32>>,
    exported: HashSet<u32>,
    preview1: Vec<u32>,
}

/// A function that calls another.
pub type Call = (String, String);

impl Functions {
    /// # Errors
    /// When `module` is not a core module.
    pub fn read(module: &[u8]) -> Result<Self> {
        let (mut found, mut imports, mut bodies) = (Self::default(), 0, 0);
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        if let TypeRef::Func(_) = import.ty {
                            if import.module == PREVIEW1 {
                                found.preview1.push(imports);
                            }
                            imports += 1;
                        }
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if export.kind == ExternalKind::Func {
                            found.exported.insert(export.index);
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    for operator in body.get_operators_reader()? {
                        if let Operator::Call { function_index } = operator? {
                            let callers = found.callers.entry(function_index).or_default();
                            callers.push(imports + bodies);
                        }
                    }
                    bodies += 1;
                }
                Payload::CustomSection(section) => {
                    if let KnownCustom::Name(parts) = section.as_known() {
                        for part in parts {
                            if let Name::Function(names) = part? {
                                for name in names {
                                    let name = name?;
                                    let demangled = format!("{:#}", demangle(name.name));
                                    found.names.insert(name.index, demangled);
                                }
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// Whether the module imports anything of preview 1.
    pub fn need_preview1(&self) -> bool {
        !self.preview1.is_empty()
    }

    /// The calls by which the crate `own` comes to preview 1, through whatever other
    /// crates; those with the fewest calls in between first.
    pub fn ways_to_preview1(&self, own: &str) -> Vec<Call> {
        let is_own = |function: &u32| {
            let name = self.names.get(function).map_or("", String::as_str);
            let name = name.trim_start_matches('<');
            self.exported.contains(function) || name.starts_with(&format!("{own}::"))
        };
        let mut ways = Vec::new();
        let mut seen: HashSet<u32> = self.preview1.iter().copied().collect();
        let mut open: VecDeque<u32> = self.preview1.iter().copied().collect();
        while let Some(callee) = open.pop_front() {
            for caller in self.callers.get(&callee).into_iter().flatten() {
                if !seen.insert(*caller) {
                    continue;
                }
                if is_own(caller) {
                    ways.push((self.name(*caller), self.name(callee)));
                } else {
                    open.push_back(*caller);
                }
            }
        }
        ways
    }

    fn name(&self, function: u32) -> String {
        let name = self.names.get(&function).cloned();
        name.unwrap_or_else(|| format!("function {function}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_function_of_the_own_crate_is_named() {
        let module = wat::parse_str(
            r#"(module
              (import "wasi:http/types@0.2.6" "f" (func $f))
              (import "wasi_snapshot_preview1" "fd_write" (func $fd_write))
              (func $std::print call $fd_write)
              (func $core::panicking::panic call $std::print)
              (func $serde::to_json call $core::panicking::panic)
              (func $own::far call $serde::to_json)
              (func $own::near call $core::panicking::panic)
              (func $own::other call $f)
              (func (export "handle") call $own::far call $own::near call $own::other))"#,
        )
        .unwrap();
        let functions = Functions::read(&module).unwrap();
        assert!(functions.need_preview1());
        let way = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(
            functions.ways_to_preview1("own"),
            [
                way("own::near", "core::panicking::panic"),
                way("own::far", "serde::to_json"),
            ]
        );
    }

    #[test]
    fn a_module_that_imports_only_wasi_0_2_needs_no_adapter() {
        let module = wat::parse_str(r#"(module (import "wasi:io/streams@0.2.6" "f" (func)))"#);
        let functions = Functions::read(&module.unwrap()).unwrap();
        assert!(!functions.need_preview1());
        assert_eq!(functions.ways_to_preview1("own"), []);
    }
}
