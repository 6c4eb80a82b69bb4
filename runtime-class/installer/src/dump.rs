//! The output of `containerd config dump`.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use crate::config::LOCAL_PULL;

/// The settings with which containerd would run.
#[derive(Clone, Debug, PartialEq)]
pub struct Dump(Value);

impl Dump {
    /// Parses the output of containerd for the file at `config`.
    ///
    /// # Errors
    /// When it is not TOML.
    pub fn read(printed: &[u8], config: &Path) -> Result<Self> {
        let text = std::str::from_utf8(printed).context("containerd's dump is not UTF-8")?;
        // The whole error quotes the line, in which a password may be.
        let mut settings: Value = toml_edit::de::from_str(text)
            .map_err(|error| anyhow!("containerd's dump is not TOML: {}", error.message()))?;
        // containerd 1.x lists the file itself among the imports. Without it, the
        // dumps of the main file and of a candidate can be compared.
        if let Some(imports) = settings.get_mut("imports").and_then(Value::as_array_mut) {
            let config = config.display().to_string();
            imports.retain(|path| path.as_str() != Some(&config));
        }
        Ok(Self(settings))
    }

    /// The handler's `runtime_type`: the path or the name of its shim.
    #[must_use]
    pub fn runtime_type(&self, handler: &str) -> Option<&str> {
        self.runtime(handler)?.get("runtime_type")?.as_str()
    }

    /// A handler with this shim that `after` has no more, apart from `except`.
    #[must_use]
    pub fn lost(&self, after: &Self, shim: &str, except: &str) -> Option<&str> {
        let runtimes = self.containerd()?.get("runtimes")?.as_object()?;
        runtimes.keys().map(String::as_str).find(|handler| {
            *handler != except
                && self.runtime_type(handler) == Some(shim)
                && after.runtime_type(handler).is_none()
        })
    }

    /// The handler's `SystemdCgroup`, if it is set.
    #[must_use]
    pub fn systemd_cgroup(&self, handler: &str) -> Option<bool> {
        self.runtime(handler)?
            .get("options")?
            .get("SystemdCgroup")?
            .as_bool()
    }

    /// `SystemdCgroup` of the default handler, or else of runc. It matches the
    /// kubelet's cgroup driver: the pods of the node have that handler, which is not
    /// runc on nodes with GPUs or with crun.
    #[must_use]
    pub fn systemd_cgroup_of_default(&self) -> Option<bool> {
        let default = self
            .containerd()?
            .get("default_runtime_name")
            .and_then(Value::as_str);
        default
            .and_then(|default| self.systemd_cgroup(default))
            .or_else(|| self.systemd_cgroup("runc"))
    }

    /// `use_local_image_pull`; `None` where containerd does not have the key.
    #[must_use]
    pub fn local_image_pull(&self) -> Option<bool> {
        self.0
            .get("plugins")?
            .get(IMAGES)?
            .get(LOCAL_PULL)?
            .as_bool()
    }

    /// Whether containerd's CRI plugin is enabled.
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

    /// All settings except those that the installer adds.
    pub(crate) fn rest(&self, handler: &str) -> Value {
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

/// The names in containerd 2 and 1.x, which dump a configuration of any version
/// with their newest names.
const RUNTIME_PLUGINS: [&str; 2] = ["io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri"];
const IMAGES: &str = "io.containerd.cri.v1.images";

#[cfg(test)]
mod tests {
    use super::*;

    fn cgroup(default: &str) -> Option<bool> {
        let runtimes = "[plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes";
        let text = format!(
            "[plugins.\"io.containerd.cri.v1.runtime\".containerd]\n{default}\n\
             {runtimes}.runc.options]\nSystemdCgroup = false\n\
             {runtimes}.vendor.options]\nSystemdCgroup = true\n\
             {runtimes}.bare]\nruntime_type = \"x\"\n"
        );
        let dump = Dump::read(text.as_bytes(), Path::new("/config.toml")).unwrap();
        dump.systemd_cgroup_of_default()
    }

    #[test]
    fn the_default_handler_tells_the_cgroup_driver_and_runc_if_it_does_not() {
        assert_eq!(cgroup("default_runtime_name = \"vendor\""), Some(true));
        assert_eq!(cgroup("default_runtime_name = \"runc\""), Some(false));
        assert_eq!(cgroup("default_runtime_name = \"bare\""), Some(false));
        assert_eq!(cgroup(""), Some(false));
    }
}
