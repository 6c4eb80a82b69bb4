//! What a `containerd config dump` says, and whether two of them differ by
//! exactly what was meant.
//!
//! containerd accepts a file that makes it forget half of its settings, and
//! exits 0. Only comparing its own words before and after shows that.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

use crate::config::{LOCAL_PULL, Runtime};

/// The settings that containerd would run with.
#[derive(Clone, Debug, PartialEq)]
pub struct Dump(Value);

impl Dump {
    /// Reads what containerd printed for the file at `config`.
    ///
    /// # Errors
    /// When it is no TOML.
    pub fn read(printed: &[u8], config: &Path) -> Result<Self> {
        let text = std::str::from_utf8(printed).context("containerd's dump is not UTF-8")?;
        let mut settings: Value =
            toml_edit::de::from_str(text).context("containerd's dump is no TOML")?;
        // containerd 1.x lists the file itself among the imports, and a
        // candidate has another name.
        if let Some(imports) = settings.get_mut("imports").and_then(Value::as_array_mut) {
            let config = config.display().to_string();
            imports.retain(|path| path.as_str() != Some(&config));
        }
        Ok(Self(settings))
    }

    /// The path or name of the shim that a handler has, if there is the handler.
    #[must_use]
    pub fn runtime_type(&self, handler: &str) -> Option<&str> {
        self.runtime(handler)?.get("runtime_type")?.as_str()
    }

    /// Whether a handler's containers are put under systemd's cgroups, if it says so.
    #[must_use]
    pub fn systemd_cgroup(&self, handler: &str) -> Option<bool> {
        self.runtime(handler)?
            .get("options")?
            .get("SystemdCgroup")?
            .as_bool()
    }

    /// The same for the node's ordinary containers: the kubelet is set up for it.
    #[must_use]
    pub fn systemd_cgroup_of_runc(&self) -> Option<bool> {
        let default = self
            .containerd()?
            .get("default_runtime_name")
            .and_then(Value::as_str);
        self.systemd_cgroup("runc")
            .or_else(|| self.systemd_cgroup(default?))
    }

    /// `use_local_image_pull`; `None` where containerd does not know it.
    #[must_use]
    pub fn local_image_pull(&self) -> Option<bool> {
        self.0
            .get("plugins")?
            .get(IMAGES)?
            .get(LOCAL_PULL)?
            .as_bool()
    }

    /// Whether containerd has its plugin for Kubernetes.
    #[must_use]
    pub fn has_cri(&self) -> bool {
        self.containerd().is_some()
    }

    fn runtime(&self, handler: &str) -> Option<&Value> {
        self.containerd()?.get("runtimes")?.get(handler)
    }

    fn containerd(&self) -> Option<&Value> {
        let plugins = self.0.get("plugins")?;
        RUNTIME_PLUGINS
            .iter()
            .find_map(|plugin| plugins.get(plugin)?.get("containerd"))
    }

    /// Everything but what the installer adds.
    fn rest(&self, handler: &str) -> Value {
        let mut rest = self.0.clone();
        if let Some(plugins) = rest.get_mut("plugins") {
            for plugin in RUNTIME_PLUGINS {
                let runtimes = plugins
                    .get_mut(plugin)
                    .and_then(|plugin| plugin.get_mut("containerd")?.get_mut("runtimes"))
                    .and_then(Value::as_object_mut);
                if let Some(runtimes) = runtimes {
                    runtimes.remove(handler);
                }
            }
            if let Some(images) = plugins.get_mut(IMAGES).and_then(Value::as_object_mut) {
                images.remove(LOCAL_PULL);
            }
        }
        rest
    }
}

/// containerd 2 dumps a configuration of any version with its newest names.
const RUNTIME_PLUGINS: [&str; 2] = ["io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri"];
const IMAGES: &str = "io.containerd.cri.v1.images";

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
