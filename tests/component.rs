//! The size, imports and exports of the built component.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

/// The size limit of the component.
const GATE_BYTES: usize = 6144;

const IMPORTS: [&str; 3] = ["wasi:http/types", "wasi:io/error", "wasi:io/streams"];
const EXPORTS: [&str; 1] = ["wasi:http/incoming-handler"];

#[test]
fn the_component_has_at_most_6144_bytes() {
    for path in components() {
        let bytes = fs::read(&path).unwrap().len();
        println!("{}: {bytes} bytes, of at most {GATE_BYTES}", path.display());
        assert!(bytes <= GATE_BYTES, "{} has {bytes} bytes", path.display());
    }
}

/// The absence of `wasi_snapshot_preview1` and `wasi:cli` also proves that no
/// panic machinery is linked.
#[test]
fn the_component_imports_and_exports_exactly_what_wit_states() {
    let world = include_str!("../wit/world.wit");
    let (imports, exports) = (stated(world, "import "), stated(world, "export "));
    assert_eq!(
        imports,
        BTreeSet::from(IMPORTS.map(String::from)),
        "wit/world.wit"
    );
    assert_eq!(
        exports,
        BTreeSet::from(EXPORTS.map(String::from)),
        "wit/world.wit"
    );
    for path in components() {
        let engine = Engine::default();
        let component = Component::from_file(&engine, &path);
        let component = component.unwrap_or_else(|error| panic!("{}: {error:#}", path.display()));
        let ty = component.component_type();
        let found: BTreeSet<_> = ty
            .imports(&engine)
            .map(|(name, _)| unversioned(name))
            .collect();
        assert_eq!(found, imports, "imports of {}", path.display());
        let found: BTreeSet<_> = ty
            .exports(&engine)
            .map(|(name, _)| unversioned(name))
            .collect();
        assert_eq!(found, exports, "exports of {}", path.display());
    }
}

/// The component, and its variants that `make build-variants` has built.
fn components() -> Vec<PathBuf> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let component = target.join("swiss.wasm");
    assert!(
        component.exists(),
        "there is no {}: run `make build`",
        component.display()
    );
    let variants = target
        .join("variants")
        .read_dir()
        .into_iter()
        .flatten()
        .flatten();
    let variants = variants.map(|entry| entry.path());
    let variants = variants.filter(|path| path.extension().is_some_and(|ending| ending == "wasm"));
    [component].into_iter().chain(variants).collect()
}

/// The interfaces in those lines of `world` that begin with `keyword`.
fn stated(world: &str, keyword: &str) -> BTreeSet<String> {
    let lines = world
        .lines()
        .filter_map(|line| line.trim().strip_prefix(keyword));
    lines
        .map(|name| unversioned(name.trim_end_matches(';')))
        .collect()
}

fn unversioned(name: &str) -> String {
    name.split('@').next().unwrap_or(name).to_owned()
}
