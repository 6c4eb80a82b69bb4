"""Uses runtime-class/ as its README says."""

import os
import shutil
from pathlib import Path

from cluster import images

from .commands import REPOSITORY, kubectl
from .target import RUNTIME_CLASS

NAME = RUNTIME_CLASS
NAMESPACE = "swiss-node-installer"
HANDLER = "spin"
STATUS = "node-installer.swiss/status"
SHIM = Path("/home/kubernetes/bin/spin/containerd-shim-spin-v2")
_RESTARTS = SHIM.with_name("restarts")
_IMAGE = "swiss-node-installer"
_TAG = "0.1.0"


def push_image() -> None:
    """Pushes what runtime-class/Dockerfile builds, with the shim under test."""
    shim = Path(os.environ["SHIM"])
    digest = REPOSITORY / "target/e2e/containerd-shim-spin-v2.sha256"
    digest.parent.mkdir(parents=True, exist_ok=True)
    digest.write_text(f"{images.digest(shim.read_bytes()).removeprefix('sha256:')}  {SHIM.name}\n")
    files = {
        SHIM.name: shim,
        digest.name: digest,
        "node-installer": REPOSITORY / "target/static/node-installer",
    }
    images.push(_IMAGE, _TAG, files, {"Entrypoint": ["/node-installer"]})


def kustomization(folder: Path, registry: str) -> Path:
    """A copy of the folder in which the image's name is set."""
    copy = folder / "runtime-class"
    shutil.copytree(REPOSITORY / "runtime-class", copy, ignore=shutil.ignore_patterns("installer"))
    for file in copy.rglob("kustomization.yaml"):
        text = file.read_text()
        file.write_text(text.replace(f"gcr.io/PROJECT_ID/{_IMAGE}", f"{registry}/{_IMAGE}"))
    return copy


def roll_out() -> None:
    daemonset = "daemonset/node-installer"
    kubectl("rollout", "status", "--namespace", NAMESPACE, daemonset, "--timeout=120s")


def remove(copy: Path) -> None:
    kubectl("delete", "runtimeclass", NAME)
    daemonset = ("--namespace", NAMESPACE, "daemonset/node-installer")
    kubectl("patch", *daemonset, "--patch-file", copy / "uninstall.yaml")
    roll_out()
    kubectl("delete", "--ignore-not-found", "-k", copy)


def restarts() -> list[str]:
    """The times of the installer's recent restarts of containerd."""
    return _RESTARTS.read_text().split()


def forget_restarts() -> None:
    """Deletes the list of restarts, which otherwise expire after 20 minutes."""
    _RESTARTS.unlink()
