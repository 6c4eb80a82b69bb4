"""The cgroups of the nodes, under one root in every hierarchy of the machine."""

import os
from pathlib import Path

from .layout import FIRST, NODE
from .wait import until

MACHINE = Path("/sys/fs/cgroup")


def _has_one_hierarchy() -> bool:
    """Whether the machine has only cgroups of version 2."""
    return (MACHINE / "cgroup.controllers").exists()


def _hierarchies() -> list[Path]:
    if _has_one_hierarchy():
        return [MACHINE]
    return [path for path in MACHINE.iterdir() if path.is_dir() and path.name != "unified"]


def roots() -> list[Path]:
    """The existing cgroups of the first node, which contain the second node's."""
    folders = [*_hierarchies(), MACHINE / "unified"]
    return [path for folder in folders if (path := folder / FIRST.cgroup).is_dir()]


def of_systemd() -> list[Path]:
    """The cgroups in which this process's node starts systemd, and below which systemd
    makes those of its units. They are its own, because systemd moves every other process
    out of them, and removes the empty cgroups below them, such as the kubelet's. With
    version 1 it has none in the hierarchies of the controllers, so it does not use these."""
    folders = [MACHINE] if _has_one_hierarchy() else [MACHINE / "systemd", MACHINE / "unified"]
    return [folder / NODE.cgroup / "systemd" for folder in folders if folder.is_dir()]


def make() -> None:
    for hierarchy in _hierarchies():
        root = hierarchy / NODE.cgroup
        root.mkdir(parents=True, exist_ok=True)
        # A new cpuset is empty, and accepts no process until these are set.
        for name in ("cpuset.cpus", "cpuset.mems"):
            if hierarchy != MACHINE and (hierarchy / name).exists():
                (root / name).write_text((root.parent / name).read_text())
    for cgroup in of_systemd():
        cgroup.mkdir(parents=True, exist_ok=True)


def remove() -> None:
    """Retries, because a cgroup can stay busy for a moment after its processes have ended."""
    until("the cgroups are gone", _removed, seconds=10)


def _removed() -> bool:
    for root in roots():
        for folder, _, _ in os.walk(root, topdown=False):
            try:
                Path(folder).rmdir()
            except OSError:
                return False
    return True
