//! The edit of containerd's main configuration, bytes in and bytes out.
//!
//! The runtime goes into the main file, in that file's own version: a drop-in
//! silently loses the settings of the main file on most containerd releases.
//! The edit only inserts text and rewrites nothing. The inserted text is marked,
//! so that removing it restores the original bytes.

mod entry;
mod mark;
mod place;
mod read;
mod values;
mod version;

use anyhow::{Context, Result, bail};
use toml_edit::{Document, TableLike};

use entry::Entry;
use place::{Place, dotted, place};
pub use read::{has_handler, has_runtimes, has_trace, imports, lines};
pub use values::without_values;
use version::Tables;

/// The settings to add to the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// The handler's name, as the RuntimeClass has it.
    pub handler: String,
    /// The shim's absolute path on the node.
    pub shim: String,
    /// `SystemdCgroup` of the shim's options; `None` leaves it out.
    pub systemd_cgroup: Option<bool>,
    /// Whether to set `use_local_image_pull`, where the file does not set it.
    pub local_image_pull: bool,
}

/// Adds `runtime` to the configuration, or replaces what an earlier call added.
/// Returns the same bytes if the configuration already has the handler with the
/// same shim, even if another program added it.
///
/// # Errors
/// When the file is not TOML, has an unknown version, or has the handler with
/// another shim.
pub fn add(config: &[u8], runtime: &Runtime) -> Result<Vec<u8>> {
    let original = remove_added(config, runtime)?;
    let document = parse(&original)?;
    let tables = Tables::of(&document)?;
    if let Some(handler) = lookup(document.as_table(), tables.runtimes)?
        .and_then(|runtimes| runtimes.get(&runtime.handler))
    {
        return match handler.get("runtime_type").and_then(|path| path.as_str()) {
            Some(path) if path == runtime.shim => Ok(original.into_bytes()),
            found => bail!(
                "the configuration already has a handler {} with runtime_type {}, not {}: remove \
                 it, or choose another handler name",
                runtime.handler,
                found.map_or_else(|| "(none)".to_owned(), |path| format!("{path:?}")),
                runtime.shim,
            ),
        };
    }

    let mut changed = insert(original, tables.runtimes, &Entry::Runtime(runtime))?;
    let document = parse(&changed)?;
    let is_set = lookup(document.as_table(), tables.images)?
        .is_some_and(|images| images.contains_key(LOCAL_PULL));
    if runtime.local_image_pull && !is_set {
        changed = insert(changed, tables.images, &Entry::LocalPull)?;
    }
    parse(&changed).context("the handler cannot be added in this file's notation")?;
    Ok(changed.into_bytes())
}

/// Removes what [`add`] inserted. Returns the same bytes if it inserted nothing.
///
/// # Errors
/// When the file is not TOML.
pub fn remove(config: &[u8], runtime: &Runtime) -> Result<Vec<u8>> {
    remove_added(config, runtime).map(String::into_bytes)
}

/// Removes the handler of a configuration whose marks another program has removed, as
/// programs do that read TOML and write it anew. Such a handler is the installer's if its
/// shim is. `None` if the file does not have it. What else [`add`] inserted cannot be
/// known any more, and stays.
///
/// # Errors
/// When the file is not TOML, or has an unknown version.
pub fn remove_unmarked(config: &[u8], runtime: &Runtime) -> Result<Option<Vec<u8>>> {
    let text = std::str::from_utf8(config).context("the configuration is not UTF-8")?;
    let document = parse(text)?;
    let path = Tables::of(&document)?.runtimes;
    let handler = lookup(document.as_table(), path)?.and_then(|runtimes| {
        runtimes
            .get(&runtime.handler)?
            .get("runtime_type")?
            .as_str()
    });
    if handler != Some(&runtime.shim) {
        return Ok(None);
    }
    let mut document = document.into_mut();
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for key in path {
        let inner = table.get_mut(key).and_then(|item| item.as_table_like_mut());
        table = inner.context("the table of runtimes is gone")?;
    }
    table.remove(&runtime.handler);
    Ok(Some(document.to_string().into_bytes()))
}

/// Removes the handler with this shim, with the installer's marks or without.
///
/// # Errors
/// When the file is not TOML, or has an unknown version.
pub fn without(config: &[u8], runtime: &Runtime) -> Result<Vec<u8>> {
    let removed = remove(config, runtime)?;
    Ok(remove_unmarked(&removed, runtime)?.unwrap_or(removed))
}

/// A key of containerd 2.1 and later. Without it, containerd may fail to unpack an
/// image whose platform is not the node's.
pub const LOCAL_PULL: &str = "use_local_image_pull";

/// Adds an entry to the table at `path`, in the notation of that table.
fn insert(mut text: String, path: &[&str], entry: &Entry) -> Result<String> {
    let newline = line_ending(&text);
    let (at, insertion) = match place(&text, &parse(&text)?, path)? {
        Place::Inline { at, rest, empty } => (at, mark::inline(&entry.inline(&rest), empty)),
        Place::Dotted { at, rest } => (
            at,
            mark::lines(&entry.dotted(&rest), newline, at < START_LIMIT),
        ),
        Place::Header { at } if entry.is_key() => {
            (at, mark::lines(&entry.dotted(&[]), newline, false))
        }
        Place::Header { .. } | Place::End => {
            (text.len(), mark::block(&entry.tables(path), newline))
        }
    };
    text.insert_str(at, &insertion);
    Ok(text)
}

/// A smaller offset is the start of the file, after a byte order mark at most. The
/// header of a table in `plugins` ends at a larger offset.
const START_LIMIT: usize = 4;

fn remove_added(config: &[u8], runtime: &Runtime) -> Result<String> {
    let text = std::str::from_utf8(config).context("the configuration is not UTF-8")?;
    let mut text = mark::without_marked(text)?;
    // `add` refuses a file of an unknown version.
    let Ok(tables) = Tables::of(&parse(&text)?) else {
        return Ok(text);
    };
    // In the reverse order of `add`, since both may be after the same brace.
    let runtimes = [None, Some(false), Some(true)].map(|systemd_cgroup| Runtime {
        systemd_cgroup,
        ..runtime.clone()
    });
    let entries = [(tables.images, Entry::LocalPull)].into_iter().chain(
        runtimes
            .iter()
            .map(|runtime| (tables.runtimes, Entry::Runtime(runtime))),
    );
    for (path, entry) in entries {
        let place = place(&text, &parse(&text)?, path)?;
        if let Place::Inline { at, rest, .. } = place
            && let Some(cut) = mark::find_inline(&text, at, &entry.inline(&rest))
        {
            text.replace_range(cut, "");
        }
    }
    Ok(text)
}

fn parse(text: &str) -> Result<Document<&str>> {
    Document::parse(text).map_err(|error| {
        let (line, column) = error
            .span()
            .map_or((1, 1), |span| position(text, span.start));
        let reason = error.message().lines().collect::<Vec<_>>().join(", ");
        anyhow::anyhow!("the configuration is not TOML: line {line}, column {column}: {reason}")
    })
}

fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count();
    (before.matches('\n').count() + 1, column + 1)
}

/// The table at `path`, if it exists.
fn lookup<'a>(root: &'a dyn TableLike, path: &[&str]) -> Result<Option<&'a dyn TableLike>> {
    let mut table = root;
    for (depth, key) in path.iter().enumerate() {
        table = match table.get(key) {
            None => return Ok(None),
            Some(item) => item.as_table_like().with_context(|| {
                let path = path.get(..=depth).unwrap_or(path);
                format!("{} is not a table in the configuration", dotted(path))
            })?,
        };
    }
    Ok(Some(table))
}

fn line_ending(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text.get(..at).is_some_and(|line| line.ends_with('\r')) => "\r\n",
        _ => "\n",
    }
}
