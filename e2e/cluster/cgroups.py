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
    """Those that there are; the second node's is in the first's."""
    folders = [*_hierarchies(), MACHINE / "unified"]
    return [path for folder in folders if (path := folder / FIRST.cgroup).is_dir()]


def make() -> None:
    for hierarchy in _hierarchies():
        root = hierarchy / NODE.cgroup
        root.mkdir(parents=True, exist_ok=True)
        # A new one is empty, and takes no process until it has some.
        for name in ("cpuset.cpus", "cpuset.mems"):
            if hierarchy != MACHINE and (hierarchy / name).exists():
                (root / name).write_text((root.parent / name).read_text())


def remove() -> None:
    """Once their processes are dead, which the kernel may notice a moment later."""
    until("the cgroups are gone", _removed, seconds=10)


def _removed() -> bool:
    for root in roots():
        for folder, _, _ in os.walk(root, topdown=False):
            try:
                Path(folder).rmdir()
            except OSError:
                return False
    return True
