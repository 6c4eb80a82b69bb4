//! Data of a core module that no code reads.

use std::convert::Infallible;

use anyhow::Result;
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{DataSection, Module};
use wasmparser::{Data, KnownCustom, Linking, Parser, Payload, SymbolInfo};

/// `module` without the pointers for whose sake the linker keeps wit-bindgen's custom
/// sections. There is one for each interface of the SDK, 440 bytes in all. The
/// linker's symbol table, which `--emit-relocs` keeps, tells where they are; only
/// those at the end of a segment are left out.
///
/// # Errors
/// When `module` is not a core module.
pub fn left_out(module: &[u8]) -> Result<Vec<u8>> {
    let mut kept = Module::new();
    let mut unread = Unread(symbols(module)?);
    unread.0.sort_by_key(|symbol| std::cmp::Reverse(symbol.end));
    unread.parse_core_module(&mut kept, Parser::new(0), module)?;
    Ok(kept.finish())
}

/// The bytes `start..end` of a segment.
struct Symbol {
    segment: u32,
    start: usize,
    end: usize,
}

fn symbols(module: &[u8]) -> Result<Vec<Symbol>> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CustomSection(section) = payload? else {
            continue;
        };
        let KnownCustom::Linking(parts) = section.as_known() else {
            continue;
        };
        for part in parts {
            let Linking::SymbolTable(symbols) = part? else {
                continue;
            };
            for symbol in symbols {
                if let SymbolInfo::Data {
                    name,
                    symbol: Some(data),
                    ..
                } = symbol?
                    && (name.contains("__FORCE_SECTION_REF")
                        || name.contains("maybe_link_cabi_realloc"))
                {
                    found.push(Symbol {
                        segment: data.index,
                        start: data.offset as usize,
                        end: data.offset as usize + data.size as usize,
                    });
                }
            }
        }
    }
    Ok(found)
}

/// From the last to the first.
struct Unread(Vec<Symbol>);

impl Reencode for Unread {
    type Error = Infallible;

    fn parse_data(
        &mut self,
        section: &mut DataSection,
        mut data: Data<'_>,
    ) -> Result<(), Error<Infallible>> {
        let segment = section.len();
        for symbol in self.0.iter().filter(|symbol| symbol.segment == segment) {
            if symbol.end == data.data.len() {
                data.data = data.data.get(..symbol.start).unwrap_or_default();
            }
        }
        wasm_encoder::reencode::utils::parse_data(self, section, data)
    }
}
