"""The images that the nodes and the chart need, built from Debian's static binaries
and pushed to the cluster's registry."""

import hashlib
import io
import json
import os
import tarfile
import urllib.request
from pathlib import Path

from . import layout

SHELL = "sh cat echo env grep head httpd id kill ls printf sed sleep test timeout touch tr wget"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def push_all() -> None:
    catatonit = layout.BOOKWORM / "usr/bin/catatonit"
    push("pause", "1", {"catatonit": catatonit}, {"Entrypoint": ["/catatonit", "-P"]})
    busybox = {"bin/busybox": layout.BOOKWORM / "bin/busybox"}
    links = {f"bin/{name}": "busybox" for name in SHELL.split()}
    push("busybox", "1", busybox, {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]}, links)


def push(
    repository: str,
    tag: str,
    files: dict[str, Path],
    config: dict,
    links: dict[str, str] | None = None,
) -> str:
    """Pushes an image of one layer, and returns its digest."""
    layer = _tar(files, links or {})
    image = {
        "architecture": _ARCHITECTURES[os.uname().machine],
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _blob(repository, _CONFIG, json.dumps(image).encode()),
        "layers": [_blob(repository, _LAYER, layer)],
    }
    content = json.dumps(manifest).encode()
    _put(f"{repository}/manifests/{tag}", MANIFEST, content)
    return digest(content)


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _tar(files: dict[str, Path], links: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in sorted({str(Path(name).parent) for name in files} - {"."}):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for name, source in files.items():
            content = source.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o755 if os.access(source, os.X_OK) else 0o644
            tar.addfile(entry, io.BytesIO(content))
        for name, target in links.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    return buffer.getvalue()


def _blob(repository: str, media_type: str, content: bytes) -> dict:
    request = urllib.request.Request(
        f"http://{layout.IMAGES}/v2/{repository}/blobs/uploads/", method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        location = response.headers["Location"]
    separator = "&" if "?" in location else "?"
    _put(f"{location}{separator}digest={digest(content)}", "application/octet-stream", content)
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)}


def _put(where: str, media_type: str, content: bytes) -> None:
    url = where if where.startswith("http") else f"http://{layout.IMAGES}/v2/{where}"
    request = urllib.request.Request(
        url, data=content, method="PUT", headers={"Content-Type": media_type}
    )
    urllib.request.urlopen(request, timeout=10).close()
