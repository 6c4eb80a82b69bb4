"""The embedded host serves every packaging as it is pulled from a registry."""

import json
import re
import urllib.request
from pathlib import Path

import pytest

import oci
from repository import COMPONENT, REPOSITORY
from server import Server


@pytest.fixture
def pushed(push, buildah, registry):
    """Pushes a packaging; returns the digest."""

    def pushed(packaging: str) -> str:
        image = f"{registry.address}/served:{packaging}"
        if packaging == "container":
            name = buildah.build(REPOSITORY, f"--build-context=build={COMPONENT.parent}")
            buildah.push(name, image)
            return registry.pull("served", packaging).digest
        result = push("--format", packaging, image)
        assert (result.returncode, result.stderr) == (0, "")
        return re.search(r"@(sha256:[0-9a-f]{64})", result.stdout)[1]

    return pushed


@pytest.mark.parametrize("packaging", ["component", "spin", "container"])
def test_a_packaging_pulled_by_digest_is_served(pushed, registry, packaging, tmp_path):
    artifact = registry.pull("served", pushed(packaging))
    host = REPOSITORY / "target/release/swiss-host"
    command = [host, "--listen", "127.0.0.1:0", "--from", application(artifact, tmp_path)]
    server = Server("swiss", command)
    try:
        assert content(f"{server.url}/will") == b'"Hello World"\n'
        assert content(f"{server.url}/ready") == b'"It works!"\n'
    finally:
        server.stop()


def application(artifact: oci.Image, folder: Path) -> Path:
    """The `spin.toml` of an artifact: its own, or one that describes the application
    that the shim creates from the artifact's layers."""
    manifest = folder / "spin.toml"
    media_type = artifact.manifest["layers"][0]["mediaType"]
    if media_type == oci.LAYER:
        artifact.unpack(folder)
        return manifest
    if media_type == "application/wasm":
        routes = ["/..."]
    else:
        locked = json.loads(artifact.layers[1])
        routes = [trigger["trigger_config"]["route"] for trigger in locked["triggers"]]
        digests = [component["source"]["digest"] for component in locked["components"]]
        assert digests == [oci.digest(artifact.layers[0])]
    (folder / "app.wasm").write_bytes(artifact.layers[0])
    triggers = [f'[[trigger.http]]\nroute = "{route}"\ncomponent = "app"\n' for route in routes]
    manifest.write_text(
        'spin_manifest_version = 2\n[application]\nname = "app"\n'
        + "".join(triggers)
        + '[component.app]\nsource = "app.wasm"\n'
    )
    return manifest


def content(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read()
