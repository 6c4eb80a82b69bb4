//! Where something can be added to a table without rewriting what is there.

use anyhow::{Result, bail};
use toml_edit::{Document, InlineTable, Item, Key, Value};

use super::mark::MARK_OF_BYTE_ORDER;

/// `at` is an offset into the text; `rest` is the table's path from there.
#[derive(Debug, PartialEq, Eq)]
pub enum Place<'p> {
    /// Just behind the `{` of an inline table, which no header can extend.
    Inline {
        at: usize,
        rest: Vec<&'p str>,
        empty: bool,
    },
    /// After the header, or at the start of the file, under which the table is
    /// written with dotted keys: another header could not name it, either.
    Dotted { at: usize, rest: Vec<&'p str> },
    /// The table has a header, whose line ends there.
    Header { at: usize },
    /// Nothing stands in the way of a new header at the end of the file.
    End,
}

/// Finds the place in the table at `path`, which need not be there yet.
///
/// # Errors
/// When a part of the path is there and is no table.
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
            Some(_) => return no_table(path, depth),
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
            Some(_) => return no_table(path, depth),
        }
    }
    let (table, depth) = brace;
    Ok(Place::Inline {
        at: table.span().map_or(0, |span| span.start) + 1,
        rest: path.get(depth..).unwrap_or_default().to_vec(),
        empty: table.is_empty(),
    })
}

fn no_table<'p>(path: &[&str], depth: usize) -> Result<Place<'p>> {
    let path = path.get(..depth).unwrap_or(path);
    bail!("{} is no table in the configuration", dotted(path))
}

/// A path as TOML writes it, with quotes where it needs them.
pub fn dotted(path: &[&str]) -> String {
    let keys: Vec<_> = path.iter().map(|key| Key::new(*key).to_string()).collect();
    keys.join(".")
}

fn start_of(text: &str) -> usize {
    if text.starts_with(MARK_OF_BYTE_ORDER) {
        MARK_OF_BYTE_ORDER.len_utf8()
    } else {
        0
    }
}

/// Behind the last character of the line that `at` is in, without its ending.
fn end_of_line(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default();
    at + line.strip_suffix('\r').unwrap_or(line).len()
}
