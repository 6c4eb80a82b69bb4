"""Pushed artifacts have the format that a node expects, and are small."""

import json
import subprocess

import pytest

import oci
from repository import COMPONENT, REPOSITORY, toml

PACKAGE = toml("Cargo.toml")["workspace"]["package"]
VERSION = PACKAGE["version"]
# The original's image has 108 MB on disk, and containerd stores this artifact as it is pulled.
MAX_BYTES = 12_288
CREATED = "2026-01-01T00:00:00Z"
EPOCH = "1767225600"


def git(*arguments: str) -> str:
    command = ["git", "-C", str(REPOSITORY), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def pushed(push, registry):
    """Pushes an artifact, and pulls it by the printed digest."""

    def pushed(packaging: str, tag: str):
        image = f"{registry.address}/swiss:{tag}"
        result = push("--format", packaging, image, SOURCE_DATE_EPOCH=EPOCH)
        assert (result.returncode, result.stderr) == (0, "")
        digest = result.stdout.split(f"{registry.address}/swiss@")[1].split()[0]
        return registry.pull("swiss", digest)

    return pushed


def test_the_component_artifact_is_cncfs_wasm_artifact(pushed):
    artifact = pushed("component", "component")
    wasm = COMPONENT.read_bytes()
    assert artifact.layers == (wasm,)
    assert artifact.manifest["config"]["mediaType"] == "application/vnd.wasm.config.v0+json"
    assert [layer["mediaType"] for layer in artifact.manifest["layers"]] == ["application/wasm"]
    config = dict(artifact.config)
    component = config.pop("component")
    assert config == {
        "created": CREATED,
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [oci.digest(wasm)],
    }
    assert component["target"] is None
    assert [name.split("@")[0] for name in component["exports"]] == ["wasi:http/incoming-handler"]
    assert sorted(name.split("@")[0] for name in component["imports"]) == [
        "wasi:http/types",
        "wasi:io/error",
        "wasi:io/streams",
    ]


def test_the_spin_artifact_is_what_spin_writes(pushed):
    artifact = pushed("spin", "spin")
    wasm, locked = artifact.layers
    assert wasm == COMPONENT.read_bytes()
    manifest = artifact.manifest
    assert manifest["config"]["mediaType"] == "application/vnd.oci.image.config.v1+json"
    assert [layer["mediaType"] for layer in manifest["layers"]] == [
        "application/vnd.wasm.content.layer.v1+wasm",
        "application/vnd.fermyon.spin.application.v1+config",
    ]
    assert artifact.config == {
        "architecture": "wasm",
        "os": "wasip1",
        "config": {"Labels": {"com.fermyon.spin.lockedAppDigest": oci.digest(locked)}},
        "rootfs": {"type": "layers", "diff_ids": []},
    }
    assert json.loads(locked) == {
        "spin_lock_version": 0,
        "metadata": {
            "name": "swiss",
            "version": VERSION,
            "description": "Two JSON routes",
            "trigger": {"type": "http"},
            "triggers": {},
        },
        "triggers": [
            {
                "id": "swiss-http-trigger",
                "trigger_type": "http",
                "trigger_config": {"component": "swiss", "route": "/..."},
            }
        ],
        "components": [
            {
                "id": "swiss",
                "source": {"content_type": "application/wasm", "digest": oci.digest(wasm)},
            }
        ],
    }


@pytest.mark.parametrize("packaging", ["component", "spin"])
def test_the_annotations_describe_the_artifact(pushed, packaging):
    artifact = pushed(packaging, f"annotated-{packaging}")
    annotations = artifact.manifest["annotations"]
    # The source is set only if this clone has a remote that is not a folder.
    annotations.pop("org.opencontainers.image.source", None)
    assert artifact.manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert annotations == {
        "org.opencontainers.image.created": CREATED,
        "org.opencontainers.image.title": "swiss",
        "org.opencontainers.image.version": VERSION,
        "org.opencontainers.image.description": "Two JSON routes",
        "org.opencontainers.image.licenses": PACKAGE["license"],
        "org.opencontainers.image.revision": git(
            "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"
        ),
    }


@pytest.mark.parametrize("packaging", ["component", "spin"])
def test_the_same_source_makes_the_same_artifact(pushed, packaging):
    first, second = (pushed(packaging, f"{time}-{packaging}") for time in ("first", "second"))
    assert first.digest == second.digest


def test_a_layout_on_disk_is_the_artifact_and_a_node_pulls_few_bytes(push, pushed, tmp_path):
    layout = tmp_path / "layout"
    result = push("--layout", layout, SOURCE_DATE_EPOCH=EPOCH)
    assert result.stderr == ""
    artifact = oci.read_layout(layout)
    assert artifact.digest == pushed("component", "layout").digest
    assert f"{artifact.size} bytes  in all" in result.stdout
    print(f"\na node pulls {artifact.size} bytes of at most {MAX_BYTES}")
    assert artifact.size <= MAX_BYTES
    # The layout has no other bytes than the counted ones.
    on_disk = sum(file.stat().st_size for file in (layout / "blobs").rglob("*") if file.is_file())
    assert on_disk == artifact.size


def test_a_layout_does_not_replace_a_folder(push, tmp_path):
    result = push("--layout", tmp_path)
    assert (result.returncode, result.stderr) == (1, f"error: {tmp_path} exists already\n")


def test_an_application_that_only_spin_can_package_is_refused(push, tmp_path):
    text = (REPOSITORY / "spin.toml").read_text()
    (tmp_path / "target").mkdir()
    (tmp_path / "target/swiss.wasm").write_bytes(COMPONENT.read_bytes())
    manifest = tmp_path / "spin.toml"
    manifest.write_text(text.replace("/...", "/will"))
    result = push("--from", manifest, "--layout", tmp_path / "layout")
    assert result.stderr == (
        f"error: cannot package {manifest}: it has the routes /will, but a component artifact "
        "has no spin.toml, and the shim gives it every path: use FORMAT=spin\n"
    )
    assert not (tmp_path / "layout").exists()
    result = push("--from", manifest, "--format", "spin", "--layout", tmp_path / "layout")
    assert (result.returncode, result.stderr) == (0, "")
    manifest.write_text(text + '[component.swiss.variables]\nname = "value"\n')
    result = push("--from", manifest, "--format", "spin", "--layout", tmp_path / "other")
    assert "component.swiss.variables: not a key that this tool supports" in result.stderr
