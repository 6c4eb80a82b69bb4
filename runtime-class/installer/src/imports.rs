//! The files that containerd's main configuration imports. On some
//! versions of containerd, one that has a table of CRI replaces all of CRI's settings of
//! the main file.

use std::fs;
use std::path::Path;

use anyhow::{Error, anyhow};

use crate::config::{self, Runtime};
use crate::dump::Dump;
use crate::files;
use crate::host::Host;
use crate::snapshot::Imported;

/// Reads the files of `imports`, and of the imports of these files. They are patterns or
/// paths, relative to the folder of the file that has them. A file that cannot be read is
/// left out.
#[must_use]
pub fn read(host: &Host, config: &Path, bytes: &[u8]) -> Vec<Imported> {
    let mut imported = Vec::new();
    add(host, config, config, bytes, &mut imported);
    let mut next = 0;
    while let Some(file) = imported.get(next).cloned() {
        add(host, config, &file.path, &file.bytes, &mut imported);
        next += 1;
    }
    imported
}

/// Adds the files that the file at `from` imports, if they are not there yet.
fn add(host: &Host, config: &Path, from: &Path, bytes: &[u8], imported: &mut Vec<Imported>) {
    let folder = from.parent().unwrap_or(Path::new("/"));
    for pattern in config::imports(bytes) {
        // The root of the node may have characters that patterns give a meaning.
        let root = glob::Pattern::escape(&host.root.display().to_string());
        let pattern = folder.join(pattern);
        let pattern = pattern.strip_prefix("/").unwrap_or(&pattern);
        let pattern = format!("{}/{}", root.trim_end_matches('/'), pattern.display());
        for path in glob::glob(&pattern).into_iter().flatten().flatten() {
            let on_node = Path::new("/").join(path.strip_prefix(&host.root).unwrap_or(&path));
            if on_node != config
                && imported.iter().all(|file| file.path != on_node)
                && let Ok(metadata) = fs::metadata(&path)
                && metadata.is_file()
                && let Ok(bytes) = fs::read(&path)
            {
                imported.push(Imported {
                    path: on_node,
                    bytes,
                    changed: files::changed(&metadata),
                });
            }
        }
    }
}

/// Names the file that makes containerd ignore the main file, and the lines to add to it.
pub fn explain_shadow(
    imported: &[Imported],
    after: &Dump,
    runtime: &Runtime,
    error: Error,
) -> Error {
    let shadow = imported
        .iter()
        .rfind(|file| config::has_runtimes(&file.bytes));
    match shadow {
        Some(file) if after.runtime_type(&runtime.handler).is_none() => anyhow!(
            "containerd takes CRI's settings from {}, and ignores those of the main file: add these \
             lines to it: {}",
            file.path.display(),
            config::lines(&file.bytes, runtime).join(", ")
        ),
        _ => error,
    }
}

/// Names the imported file that has the handler.
pub fn explain_import(imported: &[Imported], runtime: &Runtime, error: Error) -> Error {
    let has_handler = |file: &&Imported| config::has_handler(&file.bytes, &runtime.handler);
    match imported.iter().rfind(has_handler) {
        Some(file) => anyhow!(
            "{} also has the handler {}, with this installer's shim: remove these lines from it, and \
             then uninstall again: {}",
            file.path.display(),
            runtime.handler,
            config::lines(&file.bytes, runtime).join(", ")
        ),
        None => error,
    }
}
