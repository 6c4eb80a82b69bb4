"""The content of the Dockerfile's image.

target/ replaces the build stage, as the Dockerfile allows; test_dockerfile.py tests that
stage.
"""

import platform
import shutil
from pathlib import Path

import pytest

import oci
from repository import COMPONENT, REPOSITORY, toml

# 10% more than the image's 5,576 bytes: room for a label, not for a file.
MAX_BYTES = 6_144


@pytest.fixture(scope="module")
def layout(buildah):
    return buildah.layout(build(buildah))


def build(buildah, target=COMPONENT.parent) -> str:
    options = (f"--build-context=build={target}", "--timestamp=0", "--no-cache")
    return buildah.build(REPOSITORY, *options)


@pytest.fixture(scope="module")
def image(layout):
    return oci.read_layout(layout)


def test_it_is_one_manifest_and_no_index(layout):
    assert [entry["mediaType"] for entry in oci.layout_index(layout)] == [oci.MANIFEST]


def test_its_parts_have_the_media_types_of_oci(image):
    assert image.manifest["mediaType"] == oci.MANIFEST
    assert image.manifest["config"]["mediaType"] == oci.CONFIG
    assert {layer["mediaType"] for layer in image.manifest["layers"]} == {oci.LAYER}


def test_it_has_the_nodes_operating_system_and_architecture(image):
    assert image.config["os"] == "linux"
    cpus = {"x86_64": "amd64", "aarch64": "arm64"}
    assert image.config["architecture"] == cpus[platform.machine()]


def test_its_user_is_not_root_and_is_a_number(image):
    assert image.config["config"]["User"] == "65532:65532"


def test_its_labels_match_the_manifests(image):
    package = toml("Cargo.toml")["workspace"]["package"]
    application = toml("spin.toml")["application"]
    assert package["version"] == application["version"]
    prefix = "org.opencontainers.image."
    labels = image.config["config"]["Labels"].items()
    assert {name.removeprefix(prefix): text for name, text in labels if prefix in name} == {
        "title": application["name"],
        "description": application["description"],
        "version": application["version"],
        "licenses": package["license"],
    }


def test_it_holds_the_manifest_and_the_component_and_nothing_else(image):
    files = {path: content for path, (entry, content) in image.files().items() if entry.isfile()}
    source = toml("spin.toml")["component"]["swiss"]["source"]
    assert files == {
        "/spin.toml": (REPOSITORY / "spin.toml").read_bytes(),
        f"/{source}": COMPONENT.read_bytes(),
    }


def test_any_user_can_read_it_and_none_can_write_it(image):
    modes = {
        path: oct(entry.mode & 0o7777)
        for path, (entry, _) in image.files().items()
        if entry.isfile()
    }
    assert modes == {"/spin.toml": "0o444", "/target/swiss.wasm": "0o555"}
    for path, (entry, _) in image.files().items():
        assert (entry.uid, entry.gid) == (0, 0), path
        assert entry.isfile() or (entry.isdir() and entry.mode & 0o557 == 0o555), path


def test_a_node_pulls_few_bytes(image):
    print(f"\na node pulls {image.size} bytes of at most {MAX_BYTES}")
    assert image.size <= MAX_BYTES


def test_its_layers_do_not_depend_on_who_builds_it(buildah, image, tmp_path):
    """Neither the component's mode nor its modification time changes them."""
    component = Path(shutil.copyfile(COMPONENT, tmp_path / "swiss.wasm"))
    component.chmod(0o600)
    again = buildah.layout(build(buildah, tmp_path))
    assert oci.read_layout(again).manifest["layers"] == image.manifest["layers"]
