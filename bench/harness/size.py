"""Measures the bytes of a built file, those that a node pulls, and those on its disk."""

import gzip
import re
import subprocess
import tempfile
from pathlib import Path

from . import paths
from .peers import Peer, manifest

# On disk, from the original's description: its image cannot be built here. How many bytes
# of it a node pulls, compressed, is not known.
ORIGINAL_IMAGE = 108_000_000
# On disk, of containerd-shim-spin 0.24.0, built as its releases are (static, musl). The
# releases cannot be downloaded from a package registry.
SHIM = 81_000_000


def measure(peers: list[Peer]) -> dict:
    found = {
        "original": {"disk_bytes": ORIGINAL_IMAGE},
        "shim": {"disk_bytes": SHIM},
        "installer": {"disk_bytes": paths.INSTALLER.stat().st_size},
    }
    for peer in peers:
        if peer.file:
            found[peer.name] = _of(peer)
    return found


def _of(peer: Peer) -> dict:
    sizes = of_file(peer.file)
    # A native program's image has at least the gzipped program. The image's manifest
    # and the program's libraries are left out, in its favour.
    pulled = _artifact(peer.file) if peer.compiles else sizes["gzip_bytes"]
    return {**sizes, "pulled_bytes": pulled}


def of_file(file: Path) -> dict:
    content = file.read_bytes()
    return {"bytes": len(content), "gzip_bytes": len(gzip.compress(content, mtime=0))}


def _artifact(component: Path) -> int:
    """The bytes of manifest, config and layer, as `make push` packages them."""
    with tempfile.TemporaryDirectory() as folder:
        layout = Path(folder) / "layout"
        command = [paths.PUSH, "--from", manifest(component), "--layout", layout]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"error: cannot package {component.name}: {done.stderr.strip()}")
        return int(re.search(r"(\d+) bytes  in all", done.stdout)[1])
