//! The texts that are inserted, and how they are found again.

use std::ops::Range;

use anyhow::{Result, ensure};

/// What some editors put in front of a text.
pub const MARK_OF_BYTE_ORDER: char = '\u{feff}';

const NAME: &str = "swiss-node-installer";
const BEGIN: &str = "# >>> swiss-node-installer";
const END: &str = "# <<< swiss-node-installer";

/// Headers and their keys, for the end of the file. It begins with a line
/// ending, whether the file has one at its end or not.
pub fn block(lines: &[String], newline: &str) -> String {
    let begin = format!("{BEGIN}: `node-installer uninstall` takes this out");
    let lines = [&[begin], lines, &[END.to_owned()]].concat();
    format!("{newline}{}{newline}", lines.join(newline))
}

/// Lines after a header's line, or at the start of the file when `at` is there.
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

/// The text without the blocks and lines from above.
///
/// # Errors
/// When a block has no end: what else to keep would be a guess.
pub fn without_marked(text: &str) -> Result<String> {
    let mut kept = String::with_capacity(text.len());
    let text = text.strip_prefix(MARK_OF_BYTE_ORDER).map_or(text, |rest| {
        kept.push(MARK_OF_BYTE_ORDER);
        rest
    });
    let mut in_block = false;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        if in_block {
            in_block = content != END;
        } else if content.starts_with(BEGIN) {
            in_block = true;
            // The line ending that the block began with.
            drop_line_ending(&mut kept);
        } else if content.ends_with(&format!(" # {NAME}")) {
            // At the end of the file, the ending of the line before is ours.
            if content.len() == line.len() {
                drop_line_ending(&mut kept);
            }
        } else {
            kept.push_str(line);
        }
    }
    ensure!(
        !in_block,
        "the configuration has a line \"{BEGIN}\" and after it no \"{END}\": take out by hand \
         what is left of the installer's lines"
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

/// An entry, for behind the `{` of an inline table.
pub fn inline(entry: &str, empty: bool) -> String {
    format!(" {entry}{}", if empty { "" } else { "," })
}

/// Where the entry stands behind the `{` of an inline table, if it does.
pub fn find_inline(text: &str, at: usize, entry: &str) -> Option<Range<usize>> {
    let rest = text.get(at..)?;
    let written = [false, true].map(|empty| inline(entry, empty));
    let found = written
        .iter()
        .find(|text| rest.starts_with(text.as_str()))?;
    Some(at..at + found.len())
}
