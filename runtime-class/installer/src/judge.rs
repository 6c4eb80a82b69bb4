//! Whether two dumps of containerd differ by exactly what was meant.
//!
//! containerd accepts a file that makes it forget half of its settings, and
//! exits 0. Only comparing its own words before and after shows that.

use anyhow::{Result, bail, ensure};
use serde_json::{Map, Value};

use crate::config::Runtime;
use crate::dump::Dump;

/// Accepts a configuration that has the handler, and otherwise says what the
/// one before says.
///
/// # Errors
/// When it does not, with what differs.
pub fn judge_added(before: &Dump, after: &Dump, runtime: &Runtime) -> Result<()> {
    same_rest(before, after, &runtime.handler)?;
    let handler = &runtime.handler;
    match after.runtime_type(handler) {
        None => bail!(
            "containerd would not know the handler {handler}: it does not read the part of its \
             configuration that has the runtimes"
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

/// Accepts a configuration that has no handler of that name, and otherwise
/// says what the one before says.
///
/// # Errors
/// When it does not, with what differs.
pub fn judge_removed(before: &Dump, after: &Dump, handler: &str) -> Result<()> {
    same_rest(before, after, handler)?;
    ensure!(
        after.runtime_type(handler).is_none(),
        "containerd would still have a handler {handler} that this installer has not added"
    );
    Ok(())
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
    differences.truncate(SHOWN);
    ensure!(
        count == 0,
        "containerd would change more than was meant, so nothing was changed: {}{}",
        differences.join("; "),
        if count > SHOWN {
            format!("; and {} more", count - SHOWN)
        } else {
            String::new()
        }
    );
    Ok(())
}

/// How many differences a message has: it also goes into a Kubernetes event of
/// at most 1024 characters.
const SHOWN: usize = 5;

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
        // A table that is missing says as much as an empty one.
        (Value::Null, Value::Object(table)) | (Value::Object(table), Value::Null)
            if *table == empty => {}
        (before, after) if before == after => {}
        (before, Value::Null) => differences.push(format!("{path} = {before} is gone")),
        (Value::Null, after) => differences.push(format!("{path} = {after} is new")),
        (before, after) => differences.push(format!("{path} = {before} becomes {after}")),
    }
}
