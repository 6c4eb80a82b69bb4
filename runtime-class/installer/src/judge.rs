//! Checks that two dumps of containerd differ only by the handler.
//!
//! containerd accepts a file that makes it lose half of its settings, and exits
//! 0. Only a comparison of its dumps before and after shows the loss.

use anyhow::{Error, Result, anyhow, bail, ensure};
use serde_json::{Map, Value};

use crate::config::Runtime;
use crate::dump::Dump;

/// Accepts a configuration that has the handler and otherwise the settings of
/// `before`.
///
/// # Errors
/// When it does not, with the differences.
pub fn judge_added(before: &Dump, after: &Dump, runtime: &Runtime) -> Result<()> {
    same_rest(before, after, &runtime.handler)?;
    let handler = &runtime.handler;
    match after.runtime_type(handler) {
        None => bail!(
            "containerd would not have the handler {handler}: it ignores the table of runtimes in \
             its configuration"
        ),
        Some(path) => ensure!(
            path == runtime.shim,
            "containerd would have {path} as the handler {handler}, not {}",
            runtime.shim
        ),
    }
    if let Some(wanted) = runtime.systemd_cgroup {
        ensure!(
            after.systemd_cgroup(handler) == Some(wanted),
            "containerd would not have SystemdCgroup = {wanted} for the handler {handler}"
        );
    }
    Ok(())
}

/// Accepts a configuration that does not have the handler, and otherwise has the
/// settings of `before`.
///
/// # Errors
/// When it does not, with the differences.
pub fn judge_removed(before: &Dump, after: &Dump, handler: &str) -> Result<()> {
    same_rest(before, after, handler)?;
    ensure!(
        after.runtime_type(handler).is_none(),
        "containerd would still have a handler {handler} that this installer did not add"
    );
    Ok(())
}

/// Names the handler that this installer added earlier with another name.
pub fn explain_renamed(before: &Dump, after: &Dump, runtime: &Runtime, error: Error) -> Error {
    match before.lost(after, &runtime.shim, &runtime.handler) {
        Some(other) => anyhow!(
            "this installer has added the handler {other}, not {}: set HANDLER to {other} and \
             uninstall first",
            runtime.handler
        ),
        None => error,
    }
}

fn same_rest(before: &Dump, after: &Dump, handler: &str) -> Result<()> {
    let mut differences = Vec::new();
    compare(
        "",
        &before.rest(handler),
        &after.rest(handler),
        &mut differences,
    );
    let count = differences.len();
    differences.truncate(MAX_SHOWN);
    ensure!(
        count == 0,
        "containerd's settings would change by more than the handler, so nothing was changed: {}{}",
        differences.join("; "),
        if count > MAX_SHOWN {
            format!("; and {} more", count - MAX_SHOWN)
        } else {
            String::new()
        }
    );
    Ok(())
}

/// The most differences in a message, which also goes into a Kubernetes event of at
/// most 1024 characters.
const MAX_SHOWN: usize = 5;

fn compare(path: &str, before: &Value, after: &Value, differences: &mut Vec<String>) {
    let empty = Map::new();
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let keys = before
                .keys()
                .chain(after.keys().filter(|key| !before.contains_key(*key)));
            for key in keys {
                let dot = if path.is_empty() { "" } else { "." };
                let path = format!("{path}{dot}{key}");
                let value = |table: &Map<_, _>| table.get(key).cloned().unwrap_or_default();
                compare(&path, &value(before), &value(after), differences);
            }
        }
        // A missing table equals an empty one.
        (Value::Null, Value::Object(table)) | (Value::Object(table), Value::Null)
            if *table == empty => {}
        (before, after) if before == after => {}
        // Only the paths: a value may be the password of a registry, and this goes into
        // the log, an event and the Node's annotation.
        (_, Value::Null) => differences.push(format!("{path} would be gone")),
        (Value::Null, _) => differences.push(format!("{path} would be new")),
        (_, _) => differences.push(format!("{path} would change")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_difference_names_the_key_and_never_a_value() {
        let dump = |lines: &str| Dump::read(lines.as_bytes(), Path::new("/config.toml")).unwrap();
        let before = dump("[auth]\na = \"secret-1\"\nb = \"secret-2\"");
        let after = dump("[auth]\na = \"secret-3\"\nc = \"secret-4\"");
        let error = same_rest(&before, &after, "spin").unwrap_err().to_string();
        for difference in [
            "auth.a would change",
            "auth.b would be gone",
            "auth.c would be new",
        ] {
            assert!(error.contains(difference), "{error}");
        }
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn a_dump_that_is_not_toml_is_not_quoted() {
        let error = Dump::read(b"a = \"secret\" b", Path::new("/config.toml")).unwrap_err();
        assert!(!format!("{error:#}").contains("secret"), "{error:#}");
    }
}
