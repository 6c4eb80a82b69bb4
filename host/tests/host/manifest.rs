//! An error in a manifest names file, line and key.

use crate::support::app::{App, COUNT, MANIFEST};
use crate::support::process::{Ended, Process};

/// Runs the command with this manifest and a component until it ends.
pub fn run(manifest: impl AsRef<[u8]>) -> Ended {
    Process::start(&App::new(manifest, COUNT), &[]).end()
}

/// A part of `MANIFEST`, its replacement, and the expected error.
pub type Case = (&'static str, &'static str, &'static str);

/// The last line of `MANIFEST`, the eighth, in the table `[component.app]`.
pub const END: &str = "source = \"app.wasm\"\n";

#[track_caller]
pub fn assert_each_is_one_line_and_exit_code_1(cases: &[Case]) {
    for (text, other, expected) in cases {
        assert!(MANIFEST.contains(text), "expected {text} in the manifest");
        let ended = run(MANIFEST.replace(text, other));
        assert_eq!(
            ended.stderr,
            format!("error: spin.toml:{expected}\n"),
            "stderr for {other}"
        );
        assert_eq!(ended.code, Some(1), "the exit code for {other}");
    }
}

#[test]
fn an_error_in_a_manifest_names_line_and_key() {
    let version = "spin_manifest_version = 2";
    let route = "route = \"/...\"";
    let trigger = "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"app\"\n";
    assert_each_is_one_line_and_exit_code_1(&[
        (version, "", "1:1: missing field `spin_manifest_version`"),
        (
            version,
            "spin_manifest_version = 3",
            "1:25: spin_manifest_version: this tool reads version 2 only",
        ),
        (
            version,
            "spin_manifest_version = \"1\"\n[[component]]\nid = \"app\"",
            "1:25: spin_manifest_version: invalid type: string \"1\", expected u32",
        ),
        (
            "name = \"app\"",
            "name = 3",
            "3:8: application.name: invalid type: integer `3`, expected a string",
        ),
        (
            "name = \"app\"",
            "name = app",
            "3:8: string values must be quoted, expected literal string: name = app",
        ),
        (
            END,
            "source = \"a\"\nsource = \"b\"\n",
            "9:1: duplicate key: source = \"b\"",
        ),
        (END, "", "7:1: component.app: missing field `source`"),
        (
            END,
            "source = \"other.wasm\"\n",
            "8:10: component.app.source: there is no file other.wasm",
        ),
        (trigger, "[trigger]\n", "4:1: trigger: missing field `http`"),
        (
            trigger,
            "[trigger]\nhttp = []\n",
            "5:8: trigger.http: there is no trigger",
        ),
        (
            "component = \"app\"",
            "component = \"other\"",
            "6:13: trigger.http.component: there is no [component.other]",
        ),
        (
            route,
            "route = \"/a/:/b\"",
            "5:9: trigger.http.route: /a/:/b is not a valid route: params must be named",
        ),
        (
            "component = \"app\"\n",
            "component = \"app\"\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"app\"\n",
            "8:9: trigger.http.route: /... already has a trigger",
        ),
    ]);
}

#[test]
fn a_missing_component_names_the_command_that_builds_it() {
    let build = "source = \"target/app.wasm\"\n[component.app.build]\ncommand = \"make build\"\n";
    assert_each_is_one_line_and_exit_code_1(&[(
        END,
        build,
        "8:10: component.app.source: there is no file target/app.wasm: run `make build`",
    )]);
}

#[test]
fn a_manifest_that_cannot_be_read_is_named() {
    let app = App::new(b"\xff", COUNT);
    for (path, expected) in [
        (
            "spin.toml",
            "cannot read the manifest spin.toml: stream did not contain valid UTF-8",
        ),
        (
            "other.toml",
            "cannot read the manifest other.toml: No such file or directory (os error 2)",
        ),
    ] {
        let ended = Process::start(&app, &["--from", path]).end();
        assert_eq!(
            ended.stderr,
            format!("error: {expected}\n"),
            "stderr for --from {path}"
        );
        assert_eq!(ended.code, Some(1), "the exit code for --from {path}");
    }
}
