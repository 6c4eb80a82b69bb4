"""Reads images of the OCI image specification, from a folder or from a registry.

Every blob is checked against the digest and the size in its descriptor.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

# Returns the bytes of a digest, from a folder or from a registry.
Fetch = Callable[[str], bytes]


@dataclass(frozen=True)
class Image:
    """One manifest with the blobs that it names."""

    digest: str
    manifest: dict
    config: dict
    layers: tuple[bytes, ...]
    size: int
    """What a node pulls, in bytes: manifest, config and layers."""

    def files(self) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
        """Each file and folder of the layers, with its content, by path.

        Layers that delete or replace files are not supported.
        """
        found = {}
        for layer in self.layers:
            with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
                for member in tar:
                    path = "/" + member.name.strip("/")
                    assert path not in found or member.isdir(), f"{path} is in two layers"
                    found[path] = member, tar.extractfile(member).read() if member.isfile() else b""
        return found

    def unpack(self, folder: Path) -> None:
        """Writes the files to `folder`, as a node does before it starts a container."""
        for path, (entry, content) in self.files().items():
            target = folder / path.removeprefix("/")
            if entry.isfile():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)


def layout_index(folder: Path) -> list[dict]:
    """The descriptors of an OCI layout's index."""
    assert json.loads((folder / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    return json.loads((folder / "index.json").read_text())["manifests"]


def read_layout(folder: Path) -> Image:
    """The only image of an OCI layout."""
    [descriptor] = layout_index(folder)
    return read(
        descriptor, lambda digest: (folder / "blobs" / digest.replace(":", "/")).read_bytes()
    )


def read(descriptor: dict, fetch: Fetch) -> Image:
    """The image of a descriptor, which names a manifest and not an index."""
    assert descriptor["mediaType"] == MANIFEST, f"expected a manifest, found {descriptor}"
    manifest = json.loads(blob(descriptor, fetch))
    return Image(
        digest=descriptor["digest"],
        manifest=manifest,
        config=json.loads(blob(manifest["config"], fetch)),
        layers=tuple(blob(layer, fetch) for layer in manifest["layers"]),
        size=sum(part["size"] for part in (descriptor, manifest["config"], *manifest["layers"])),
    )


def blob(descriptor: dict, fetch: Fetch) -> bytes:
    """The bytes that a descriptor names. Checks their digest and size."""
    content = fetch(descriptor["digest"])
    assert digest(content) == descriptor["digest"]
    assert len(content) == descriptor["size"], f"{descriptor} has {len(content)} bytes"
    return content


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
