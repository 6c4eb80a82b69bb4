//! What a configuration has, be it the main file or an imported one. A file that is not
//! TOML has nothing.

use toml_edit::TableLike;

use super::entry::Entry;
use super::version::Tables;
use super::{Runtime, lookup, mark, parse};

/// Whether a file, which need not be TOML, has the installer's name, as a marked block or
/// line does, or the path of the shim.
#[must_use]
pub fn has_trace(config: &[u8], shim: &str) -> bool {
    let text = String::from_utf8_lossy(config);
    text.contains(mark::NAME) || text.contains(shim)
}

/// The patterns or paths of the files that a file, which need not be TOML, imports.
#[must_use]
pub fn imports(config: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(config).unwrap_or_default();
    let document = parse(text).ok();
    let imports = document
        .as_ref()
        .and_then(|document| document.get("imports")?.as_array());
    let paths = imports
        .into_iter()
        .flatten()
        .filter_map(|path| path.as_str());
    paths.map(str::to_owned).collect()
}

/// Whether a file, which need not be TOML, has a table of runtimes.
#[must_use]
pub fn has_runtimes(config: &[u8]) -> bool {
    with_runtimes(config, |_| true).unwrap_or_default()
}

/// Whether a file, which need not be TOML, has the handler.
#[must_use]
pub fn has_handler(config: &[u8], handler: &str) -> bool {
    with_runtimes(config, |runtimes| runtimes.contains_key(handler)).unwrap_or_default()
}

fn with_runtimes<T>(config: &[u8], read: impl Fn(&dyn TableLike) -> T) -> Option<T> {
    let document = parse(std::str::from_utf8(config).ok()?).ok()?;
    let path = Tables::of(&document).ok()?.runtimes;
    lookup(document.as_table(), path).ok()?.map(read)
}

/// The lines that add the handler to a file of the version of `config`.
#[must_use]
pub fn lines(config: &[u8], runtime: &Runtime) -> Vec<String> {
    let text = std::str::from_utf8(config).unwrap_or_default();
    let tables = parse(text).and_then(|document| Tables::of(&document));
    let lines = tables.map(|tables| Entry::Runtime(runtime).tables(tables.runtimes));
    lines
        .unwrap_or_default()
        .iter()
        .map(|line| format!("`{}`", line.trim()))
        .collect()
}
