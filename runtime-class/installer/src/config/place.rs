//! Where to insert an entry into a table without rewriting the file.

use anyhow::{Result, bail};
use toml_edit::{Document, InlineTable, Item, Key, Value};

use super::mark::BYTE_ORDER_MARK;

/// A place for an entry of a table. `at` is a byte offset into the text. `rest` is
/// the table's path, relative to the table at that offset.
#[derive(Debug, PartialEq, Eq)]
pub enum Place<'p> {
    /// After the `{` of an inline table: TOML does not let a header extend it.
    Inline {
        at: usize,
        rest: Vec<&'p str>,
        empty: bool,
    },
    /// After the header, or at the start of the file, below which dotted keys define
    /// the table: TOML does not let a header extend it, either.
    Dotted { at: usize, rest: Vec<&'p str> },
    /// At the end of the line of the table's header.
    Header { at: usize },
    /// At the end of the file, where a new header may name the table.
    End,
}

/// Finds the place for an entry of the table at `path`, which need not exist.
///
/// # Errors
/// When a part of the path exists and is not a table.
pub fn place<'p>(text: &str, document: &Document<&str>, path: &[&'p str]) -> Result<Place<'p>> {
    let mut table = document.as_table();
    let mut header = (start_of(text), 0);
    let mut is_dotted = false;
    for (key, depth) in path.iter().zip(1..) {
        match table.get(key) {
            None => break,
            Some(Item::Table(inner)) => {
                table = inner;
                if inner.is_dotted() {
                    is_dotted = true;
                } else if !inner.is_implicit() {
                    is_dotted = false;
                    let end = inner.span().map_or(text.len(), |span| span.end);
                    header = (end_of_line(text, end), depth);
                }
            }
            Some(Item::Value(Value::InlineTable(inner))) => {
                return in_inline(inner, path, depth);
            }
            Some(_) => return not_a_table(path, depth),
        }
    }
    let (at, depth) = header;
    Ok(if is_dotted {
        let rest = path.get(depth..).unwrap_or_default().to_vec();
        Place::Dotted { at, rest }
    } else if depth == path.len() {
        Place::Header { at }
    } else {
        Place::End
    })
}

fn in_inline<'p>(table: &InlineTable, path: &[&'p str], depth: usize) -> Result<Place<'p>> {
    let mut table = table;
    let mut brace = (table, depth);
    for (key, depth) in path.iter().zip(1..).skip(depth) {
        match table.get(key) {
            None => break,
            Some(Value::InlineTable(inner)) => {
                table = inner;
                if !inner.is_dotted() {
                    brace = (inner, depth);
                }
            }
            Some(_) => return not_a_table(path, depth),
        }
    }
    let (table, depth) = brace;
    Ok(Place::Inline {
        at: table.span().map_or(0, |span| span.start) + 1,
        rest: path.get(depth..).unwrap_or_default().to_vec(),
        empty: table.is_empty(),
    })
}

fn not_a_table<'p>(path: &[&str], depth: usize) -> Result<Place<'p>> {
    let path = path.get(..depth).unwrap_or(path);
    bail!("{} is not a table in the configuration", dotted(path))
}

/// A path as TOML writes it, with quotes where it needs them.
pub fn dotted(path: &[&str]) -> String {
    let keys: Vec<_> = path.iter().map(|key| Key::new(*key).to_string()).collect();
    keys.join(".")
}

fn start_of(text: &str) -> usize {
    if text.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len_utf8()
    } else {
        0
    }
}

/// The offset of the end of the line that `at` is in, before its line ending.
fn end_of_line(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default();
    at + line.strip_suffix('\r').unwrap_or(line).len()
}
