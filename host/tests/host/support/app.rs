//! Applications, each in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A manifest with one component for all paths.
pub const MANIFEST: &str = r#"spin_manifest_version = 2
[application]
name = "app"
[[trigger.http]]
route = "/..."
component = "app"
[component.app]
source = "app.wasm"
"#;

/// Answers 201 to the first request of an instance, 202 to the second, and so on.
pub const COUNT: &str = r#"
    (global $count (mut i32) (i32.const 200))
    (func (export "handle") (param $request i32) (param $out i32)
      (global.set $count (i32.add (global.get $count) (i32.const 1)))
      (call $answer (local.get $out) (global.get $count)))"#;

/// Answers 200 when the first byte of the content arrives. Traps if it is `!`.
pub const READ: &str = r#"
    (func (export "handle") (param $request i32) (param $out i32)
      (if (i32.eq (call $first-byte (local.get $request)) (i32.const 33)) (then unreachable))
      (call $answer (local.get $out) (i32.const 200)))"#;

/// A folder with a `spin.toml` and the component `app.wasm`.
pub struct App(TempDir);

impl App {
    pub fn new(manifest: impl AsRef<[u8]>, handler: &str) -> Self {
        let app = Self(tempfile::tempdir().unwrap());
        app.add("spin.toml", manifest);
        app.add("app.wasm", component(handler));
        app
    }

    pub fn add(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.folder().join(name), content).unwrap();
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    pub fn manifest(&self) -> PathBuf {
        self.folder().join("spin.toml")
    }
}

/// The component with `handler`: see `handler.wat`.
pub fn component(handler: &str) -> Vec<u8> {
    let (before, after) = include_str!("handler.wat").rsplit_once("HANDLER").unwrap();
    wat::parse_str(format!("{before}{handler}{after}")).unwrap()
}
