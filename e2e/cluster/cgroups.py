"""The cgroups of the nodes, under one root in every hierarchy of the machine."""

import os
from pathlib import Path

from .layout import FIRST, NODE
from .wait import until

MACHINE = Path("/sys/fs/cgroup")


def _hierarchies() -> list[Path]:
    if (MACHINE / "cgroup.controllers").exists():
        return [MACHINE]
    return [path for path in MACHINE.iterdir() if path.is_dir() and path.name != "unified"]


def roots() -> list[Path]:
    """The existing cgroups of the first node, which contain the second node's."""
    folders = [*_hierarchies(), MACHINE / "unified"]
    return [path for folder in folders if (path := folder / FIRST.cgroup).is_dir()]


def make() -> None:
    for hierarchy in _hierarchies():
        root = hierarchy / NODE.cgroup
        root.mkdir(parents=True, exist_ok=True)
        # A new cpuset is empty, and accepts no process until these are set.
        for name in ("cpuset.cpus", "cpuset.mems"):
            if hierarchy != MACHINE and (hierarchy / name).exists():
                (root / name).write_text((root.parent / name).read_text())


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
