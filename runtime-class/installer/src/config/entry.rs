//! The two entries that are added, in each notation of TOML.

use super::place::dotted;
use super::{LOCAL_PULL, Runtime};

pub enum Entry<'a> {
    /// A table inside the table of runtimes.
    Runtime(&'a Runtime),
    /// A key in the table of images.
    LocalPull,
}

impl Entry<'_> {
    /// Whether the entry is a key: if its table has a header, the key must follow
    /// that header. A table can have a header of its own anywhere.
    pub fn is_key(&self) -> bool {
        matches!(self, Self::LocalPull)
    }

    /// Headers and their keys, for the end of the file.
    pub fn tables(&self, path: &[&str]) -> Vec<String> {
        let Self::Runtime(runtime) = self else {
            return vec![
                format!("[{}]", dotted(path)),
                format!("  {LOCAL_PULL} = true"),
            ];
        };
        let table = dotted(&[path, &[&runtime.handler]].concat());
        let mut lines = vec![
            format!("[{table}]"),
            format!("  runtime_type = {}", quoted(&runtime.shim)),
        ];
        if let Some(systemd_cgroup) = runtime.systemd_cgroup {
            lines.push(format!("[{table}.options]"));
            lines.push(format!("  SystemdCgroup = {systemd_cgroup}"));
        }
        lines
    }

    /// Lines with dotted keys, for after a header.
    pub fn dotted(&self, rest: &[&str]) -> Vec<String> {
        let Self::Runtime(runtime) = self else {
            return vec![format!(
                "{} = true",
                dotted(&[rest, &[LOCAL_PULL]].concat())
            )];
        };
        let key = dotted(&[rest, &[&runtime.handler]].concat());
        let mut lines = vec![format!("{key}.runtime_type = {}", quoted(&runtime.shim))];
        if let Some(systemd_cgroup) = runtime.systemd_cgroup {
            lines.push(format!("{key}.options.SystemdCgroup = {systemd_cgroup}"));
        }
        lines
    }

    /// An entry of an inline table.
    pub fn inline(&self, rest: &[&str]) -> String {
        let Self::Runtime(runtime) = self else {
            let tables: String = rest.iter().map(|table| dotted(&[table]) + ".").collect();
            // The quotes mark the key as the installer's, since an inline table
            // cannot hold a comment.
            return format!("{tables}\"{LOCAL_PULL}\" = true");
        };
        let key = dotted(&[rest, &[&runtime.handler]].concat());
        let path = quoted(&runtime.shim);
        let options = runtime
            .systemd_cgroup
            .map(|systemd_cgroup| format!(", options = {{ SystemdCgroup = {systemd_cgroup} }}"))
            .unwrap_or_default();
        format!("{key} = {{ runtime_type = {path}{options} }}")
    }
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}
