//! The size, imports, exports and types of the built component.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use wasmtime::Engine;
use wasmtime::component::Component;
use wit_component::targets;
use wit_parser::Resolve;

/// Whether the component keeps what two constant routes can promise: few bytes, no
/// panic, and therefore three imports. Change this to `false` when you add a route that
/// computes; docs/your-own-service.md says what that costs.
const LEAN: bool = true;

/// The size limit of the lean component.
const MAX_BYTES: usize = 7424;

const IMPORTS: [&str; 3] = ["wasi:http/types", "wasi:io/error", "wasi:io/streams"];
const EXPORTS: [&str; 1] = ["wasi:http/incoming-handler"];

#[test]
fn the_component_has_at_most_7424_bytes() {
    for path in components() {
        let bytes = fs::read(&path).unwrap().len();
        println!("{}: {bytes} bytes, of at most {MAX_BYTES}", path.display());
        assert!(
            !LEAN || bytes <= MAX_BYTES,
            "{} has {bytes} bytes",
            path.display()
        );
    }
}

/// The absence of `wasi:cli` also proves that no panic machinery is linked.
#[test]
fn the_lean_component_imports_and_exports_exactly_what_wit_states() {
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
        assert!(
            !LEAN || found == imports,
            "imports of {}: {found:?}",
            path.display()
        );
        let found: BTreeSet<_> = ty
            .exports(&engine)
            .map(|(name, _)| unversioned(name))
            .collect();
        assert_eq!(found, exports, "exports of {}", path.display());
    }
}

/// The standard's own check, which composition, registries and Spin do, too.
#[test]
fn the_component_implements_the_official_world_and_if_lean_its_own() {
    let mut own = Resolve::default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (package, _) = own.push_path(root.join("wit")).unwrap();
    let world = own.select_world(&[package], None).unwrap();
    let mut official = Resolve::default();
    let (package, _) = official.push_path(official_wit()).unwrap();
    let proxy = official.select_world(&[package], Some("wasi:http/proxy@0.2.6"));
    for path in components() {
        let component = fs::read(&path).unwrap();
        let worlds = [(&official, *proxy.as_ref().unwrap()), (&own, world)];
        for (resolve, world) in worlds.into_iter().take(if LEAN { 2 } else { 1 }) {
            if let Err(error) = targets(resolve, world, &component) {
                let world = &resolve.worlds[world].name;
                panic!("{} does not implement {world}: {error:#}", path.display());
            }
        }
    }
}

/// The WIT of the SDK, among which are the official packages of WASI.
fn official_wit() -> PathBuf {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        // Crates for other platforms may not be downloaded.
        .args(["--filter-platform", "host-tuple"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let sdk = packages
        .iter()
        .find(|package| package["name"] == "spin-sdk");
    let manifest = Path::new(sdk.unwrap()["manifest_path"].as_str().unwrap());
    manifest.with_file_name("wit")
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
