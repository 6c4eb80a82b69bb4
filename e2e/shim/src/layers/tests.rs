use containerd_shim_wasm::shim::Compiler;
use serde_json::json;
use tempfile::TempDir;

use crate::shim::SpinCompiler;

use super::*;

const DIGEST: &str = "sha256:6c3c624b58dbbcd3c0dd82b4c53f04194d1247c6eebdaab7c610cf7d66709b3b";
/// The smallest component.
const EMPTY: [u8; 8] = *b"\0asm\x0d\0\x01\0";

fn layer(media_type: &str, content: &[u8], precompiled: bool) -> WasmLayer {
    serde_json::from_value(json!({
        "config": {"mediaType": media_type, "digest": DIGEST, "size": content.len()},
        "precompiled": precompiled,
        "layer": content,
    }))
    .unwrap()
}

fn locked() -> WasmLayer {
    let application = json!({
        "spin_lock_version": 0,
        "metadata": {"name": "app", "triggers": {}},
        "triggers": [{
            "id": "app-http-trigger",
            "trigger_type": "http",
            "trigger_config": {"component": "app", "route": "/only"},
        }],
        "components": [{
            "id": "app",
            "source": {"content_type": "application/wasm", "digest": DIGEST},
        }],
    });
    layer(
        LOCKED_APPLICATION,
        application.to_string().as_bytes(),
        false,
    )
}

fn root() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn unpack(layers: &[WasmLayer], root: &TempDir) -> Result<Manifest> {
    Application::unpack(&Source::Oci(layers), root.path()).map(|application| application.manifest)
}

#[test]
fn a_spin_artifact_is_read_from_its_locked_application() {
    let root = root();
    let manifest = unpack(&[layer(COMPONENT, &EMPTY, false), locked()], &root).unwrap();
    assert_eq!(manifest.triggers[0].route, "/only".parse().unwrap());
    let file = root.path().join(".cache/registry/wasm").join(DIGEST);
    assert_eq!(manifest.components["app"], file);
    assert_eq!(fs::read(file).unwrap(), EMPTY);
}

#[test]
fn a_spin_artifact_is_written_into_the_root_directory() {
    let root = root();
    unpack(&[layer(COMPONENT, &EMPTY, false), locked()], &root).unwrap();
    let written = fs::read(root.path().join("spin.json")).unwrap();
    assert_eq!(written, locked().layer);
}

#[test]
fn a_component_artifact_gets_every_request() {
    let root = root();
    let manifest = unpack(&[layer(BARE_COMPONENT, &EMPTY, false)], &root).unwrap();
    assert_eq!(manifest.triggers[0].route, "/...".parse().unwrap());
    assert!(manifest.components.contains_key(DIGEST));
}

#[test]
fn a_component_artifact_is_written_to_the_cache_only() {
    let root = root();
    unpack(&[layer(BARE_COMPONENT, &EMPTY, false)], &root).unwrap();
    let mut written: Vec<_> = fs::read_dir(root.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    written.sort();
    assert_eq!(written, [".cache", ".spin"]);
}

#[test]
fn an_image_without_layers_for_the_shim_is_read_from_its_spin_toml() {
    let root = root();
    let source = Source::File("/".into());
    let error = Application::unpack(&source, root.path()).err().unwrap();
    let expected = format!(
        "cannot read the manifest {}/spin.toml",
        root.path().display()
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn layers_that_are_not_an_application_are_refused() {
    let component = layer(BARE_COMPONENT, &EMPTY, false);
    for (layers, expected) in [
        (
            vec![component.clone(), component],
            "a component artifact has 2 layers, not one",
        ),
        (
            vec![layer(ASSET, b"", false)],
            "a layer is of type application/vnd.wasm.content.layer.v1+data, which only Spin supports",
        ),
        (vec![layer(COMPONENT, &EMPTY, false)], "cannot read "),
        (
            vec![locked()],
            "the locked application's component app: there is no layer ",
        ),
    ] {
        let error = unpack(&layers, &root()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "expected {expected}: {error}");
    }
}

#[test]
fn a_folder_that_cannot_be_created_is_named() {
    let root = root();
    fs::write(root.path().join(".cache"), "").unwrap();
    let error = unpack(&[locked()], &root).unwrap_err().to_string();
    let folder = root.path().join(".cache/registry/manifests");
    assert_eq!(error, format!("cannot create {}", folder.display()));
}

#[tokio::test]
async fn a_component_that_was_compiled_ahead_of_time_is_loaded() {
    let layers = [layer(BARE_COMPONENT, &EMPTY, false), locked()];
    let compiler = SpinCompiler::new().unwrap();
    let compiled = compiler.compile(&layers).await.unwrap();
    assert_eq!(compiled[1], None, "only components are compiled");
    let compiled = layer(BARE_COMPONENT, compiled[0].as_ref().unwrap(), true);
    let root = root();
    let manifest = unpack(&[compiled], &root).unwrap();
    let engine = swiss_host::engine(1000, None).unwrap();
    load(&engine, &manifest.components[DIGEST]).unwrap();
}

#[test]
fn compiled_code_from_an_image_is_not_loaded() {
    let engine = swiss_host::engine(1, None).unwrap();
    let code = engine.precompile_component(&EMPTY).unwrap();
    let root = root();
    let manifest = unpack(&[layer(BARE_COMPONENT, &code, false)], &root).unwrap();
    assert!(load(&engine, &manifest.components[DIGEST]).is_err());
}
