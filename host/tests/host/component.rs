//! Which components the host serves, and that it compiles them once.

use swiss_host::{Manifest, Options, Server};
use wasmtime::{Cache, CacheConfig};

use crate::support::app::{App, COUNT, MANIFEST};
use crate::support::process::Process;
use crate::support::server::options;

#[test]
fn imports_that_the_host_lacks_are_listed() {
    let app = App::new(MANIFEST, COUNT);
    for (imports, expected) in [
        (
            r#"(import "fermyon:spin/key-value@2.0.0" (instance))
               (import "wasi:cli/environment@0.2.0" (instance))
               (import "wasi:keyvalue/store@0.2.0-draft" (instance))
               (import "wasi:http/types@0.3.0" (instance))
               (import "own" (func))"#,
            "imports what this host does not have: fermyon:spin/key-value@2.0.0, \
             wasi:keyvalue/store@0.2.0-draft, wasi:http/types@0.3.0, own",
        ),
        (
            r#"(import "wasi:cli/other@0.2.0" (instance (export "f" (func))))"#,
            "does not fit this host: component imports instance `wasi:cli/other@0.2.0`, but a \
             matching implementation was not found in the linker: instance export `f` has the \
             wrong type: function implementation is missing",
        ),
        (
            "",
            "does not fit this host: no exported instance named `wasi:http/incoming-handler@0.2.12`",
        ),
    ] {
        app.add(
            "app.wasm",
            wat::parse_str(format!("(component {imports})")).unwrap(),
        );
        let ended = Process::start(&app, &[]).end();
        assert_eq!(
            ended.stderr,
            format!("error: app.wasm {expected}\n"),
            "stderr for {imports}"
        );
        assert_eq!(ended.code, Some(1), "the exit code for {imports}");
    }
}

#[test]
fn a_file_that_is_not_a_component_is_one_line_and_exit_code_1() {
    let app = App::new(MANIFEST, COUNT);
    let module = wat::parse_str("(module)").unwrap();
    for (what, content) in [
        ("nothing", &[][..]),
        ("a text", b"(component)"),
        ("a core module", &module),
        ("half a header", &module[..6]),
    ] {
        app.add("app.wasm", content);
        let ended = Process::start(&app, &[]).end();
        let stderr = ended.stderr;
        assert_eq!(
            stderr.lines().count(),
            1,
            "lines of stderr for {what}: {stderr}"
        );
        let expected = "error: app.wasm is not a WebAssembly component: ";
        assert!(
            stderr.starts_with(expected),
            "expected `{expected}` for {what}: {stderr}"
        );
        assert_eq!(ended.code, Some(1), "the exit code for {what}");
    }
}

#[tokio::test]
async fn the_second_start_compiles_nothing() {
    let app = App::new(MANIFEST, COUNT);
    let manifest = Manifest::read(&app.manifest()).unwrap();
    let mut counts = Vec::new();
    for _ in ["first start", "second start"] {
        let mut config = CacheConfig::new();
        config.with_directory(app.folder().join("cache"));
        let cache = Cache::new(config).unwrap();
        let options = Options {
            cache: Some(cache.clone()),
            ..options()
        };
        Server::bind(&manifest, options).await.unwrap();
        counts.push((cache.cache_misses() > 0, cache.cache_hits() > 0));
    }
    assert_eq!(
        counts[0],
        (true, false),
        "whether the first start compiles, and whether it uses the cache"
    );
    assert_eq!(
        counts[1],
        (false, true),
        "whether the second start compiles, and whether it uses the cache"
    );
}
