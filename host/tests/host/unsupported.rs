//! A feature that the host does not support is an error that names it.

use crate::manifest::{END, assert_each_is_one_line_and_exit_code_1, run};
use crate::support::app::MANIFEST;

#[test]
fn an_unsupported_trigger_is_named() {
    let route = "route = \"/...\"\ncomponent = \"app\"\n";
    let component = "component = \"app\"";
    assert_each_is_one_line_and_exit_code_1(&[
        (
            route,
            "route = \"/...\"\nstatic_response = { body = \"fixed\" }\n",
            "6:1: trigger.http[0].static_response: not a key that this tool supports: \
             unknown field `static_response`, expected `route` or `component`",
        ),
        (
            component,
            "component = { source = \"app.wasm\" }",
            "6:13: trigger.http[0].component: not a table that this tool supports: \
             invalid type: map, expected a string",
        ),
        (
            component,
            "component = \"app\"\nexecutor = { type = \"wagi\" }",
            "7:1: trigger.http[0].executor: not a key that this tool supports: \
             unknown field `executor`, expected `route` or `component`",
        ),
        (
            "route = \"/...\"",
            "route = { private = true }",
            "5:9: trigger.http[0].route: not a table that this tool supports: \
             invalid type: map, expected a string",
        ),
        (
            component,
            "component = \"app\"\n[[trigger.redis]]\nchannel = \"news\"\ncomponent = \"app\"",
            "7:11: trigger.redis: not a key that this tool supports: \
             unknown field `redis`, expected `http`",
        ),
    ]);
}

#[test]
fn an_unsupported_feature_of_the_application_is_named() {
    assert_each_is_one_line_and_exit_code_1(&[
        (
            END,
            "source = \"app.wasm\"\n[variables]\npassword = { required = true }\n",
            "9:2: variables: not a key that this tool supports: unknown field `variables`, \
             expected one of `spin_manifest_version`, `application`, `trigger`, `component`",
        ),
        (
            "name = \"app\"",
            "name = \"app\"\ntrigger.http.base = \"/base\"",
            "4:1: application.trigger: not a key that this tool supports: unknown field \
             `trigger`, expected one of `name`, `version`, `description`, `authors`",
        ),
    ]);
}

#[test]
fn an_unsupported_feature_of_a_component_is_named() {
    for (line, key) in [
        ("variables = { password = \"{{ password }}\" }", "variables"),
        ("environment = { KEY = \"value\" }", "environment"),
        ("files = [\"content/*\"]", "files"),
        ("exclude_files = [\"content/a\"]", "exclude_files"),
        ("key_value_stores = [\"default\"]", "key_value_stores"),
        ("sqlite_databases = [\"default\"]", "sqlite_databases"),
        ("ai_models = [\"a-model\"]", "ai_models"),
        ("dependencies = { \"a:b/c\" = \"1.0.0\" }", "dependencies"),
        ("allowed_http_hosts = []", "allowed_http_hosts"),
        ("profile.debug.source = \"debug.wasm\"", "profile"),
    ] {
        let ended = run(format!("{MANIFEST}{line}\n"));
        let expected = format!(
            "error: spin.toml:9:1: component.app.{key}: not a key that this tool supports: \
             unknown field `{key}`, expected one of `source`, `description`, \
             `allowed_outbound_hosts`, `build`\n"
        );
        assert_eq!(ended.stderr, expected, "stderr for {line}");
        assert_eq!(ended.code, Some(1), "the exit code for {line}");
    }
    assert_each_is_one_line_and_exit_code_1(&[
        (
            END,
            "source = { url = \"https://example.com/app.wasm\", digest = \"sha256:0\" }\n",
            "8:10: component.app.source: not a table that this tool supports: \
             invalid type: map, expected path string",
        ),
        (
            END,
            "source = \"app.wasm\"\nallowed_outbound_hosts = [\"https://example.com\"]\n",
            "9:26: component.app.allowed_outbound_hosts: \
             outbound requests are not supported by this tool, only by Spin",
        ),
    ]);
}
