//! The marks of inserted text, by which it is found again.

use std::ops::Range;

use anyhow::{Result, ensure};

/// Some editors write it at the start of a file.
pub const BYTE_ORDER_MARK: char = '\u{feff}';

/// In the marks of blocks and lines. An entry of an inline table has no mark.
pub const NAME: &str = "swiss-node-installer";
const BEGIN: &str = "# >>> swiss-node-installer";
const END: &str = "# <<< swiss-node-installer";

/// Headers and their keys, for the end of the file. The block always begins with a
/// line ending, even if the file ends with one.
pub fn block(lines: &[String], newline: &str) -> String {
    let begin = format!("{BEGIN}: `node-installer uninstall` takes this out");
    let lines = [&[begin], lines, &[END.to_owned()]].concat();
    format!("{newline}{}{newline}", lines.join(newline))
}

/// Lines to insert after a header, or at the start of the file if `at_start`.
pub fn lines(lines: &[String], newline: &str, at_start: bool) -> String {
    lines
        .iter()
        .map(|line| {
            if at_start {
                format!("{line} # {NAME}{newline}")
            } else {
                format!("{newline}  {line} # {NAME}")
            }
        })
        .collect()
}

/// The text without the marked blocks and lines.
///
/// # Errors
/// When a block has no end, so that the rest of the text is ambiguous.
pub fn without_marked(text: &str) -> Result<String> {
    let mut kept = String::with_capacity(text.len());
    let text = text.strip_prefix(BYTE_ORDER_MARK).map_or(text, |rest| {
        kept.push(BYTE_ORDER_MARK);
        rest
    });
    let mut in_block = false;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        if in_block {
            in_block = content != END;
        } else if content.starts_with(BEGIN) {
            in_block = true;
            // The block began with this line ending.
            drop_line_ending(&mut kept);
        } else if content.ends_with(&format!(" # {NAME}")) {
            // At the end of the file, `lines` inserted the line ending before it.
            if content.len() == line.len() {
                drop_line_ending(&mut kept);
            }
        } else {
            kept.push_str(line);
        }
    }
    ensure!(
        !in_block,
        "the configuration has a line \"{BEGIN}\" without a \"{END}\" after it: remove what is \
         left of the installer's lines by hand"
    );
    Ok(kept)
}

fn drop_line_ending(text: &mut String) {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
}

/// An entry, for after the `{` of an inline table.
pub fn inline(entry: &str, empty: bool) -> String {
    format!(" {entry}{}", if empty { "" } else { "," })
}

/// The range of the entry after the `{` of an inline table, if it is there.
pub fn find_inline(text: &str, at: usize, entry: &str) -> Option<Range<usize>> {
    let rest = text.get(at..)?;
    let written = [false, true].map(|empty| inline(entry, empty));
    let found = written
        .iter()
        .find(|text| rest.starts_with(text.as_str()))?;
    Some(at..at + found.len())
}
