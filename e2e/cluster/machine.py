"""A snapshot of what a cluster might change on the machine, to test that it does not."""

import os
from dataclasses import dataclass, fields
from pathlib import Path

from . import layout

# These sysctls change by themselves.
_VOLATILE = (
    "fs/aio-nr",
    "fs/dentry-state",
    "fs/file-nr",
    "fs/inode-nr",
    "fs/inode-state",
    "fs/quota",
    "kernel/ns_last_pid",
    "kernel/pty/nr",
    "kernel/random",
    "net/netfilter/nf_conntrack_count",
)
# The folders that Kubernetes' programs write to by default.
_FOLDERS = ("/etc", "/opt", "/run", "/usr/libexec", "/usr/local", "/var/lib", "/var/log")


@dataclass(frozen=True)
class Snapshot:
    mounts: frozenset
    cgroups: frozenset
    network_namespaces: frozenset
    links: frozenset
    processes: frozenset
    sysctls: frozenset
    files: frozenset

    def since(self, before: "Snapshot") -> dict[str, set]:
        """What was added since `before`, by kind."""
        new = {
            field.name: set(getattr(self, field.name) - getattr(before, field.name))
            for field in fields(self)
        }
        return {name: added for name, added in new.items() if added}


def take_snapshot() -> Snapshot:
    return Snapshot(
        mounts=frozenset(_mounts()),
        cgroups=frozenset(_cgroups()),
        network_namespaces=frozenset(Path("/run/netns").glob("*")),
        links=frozenset(Path("/sys/class/net").iterdir()),
        processes=frozenset(_processes()),
        sysctls=frozenset(_sysctls()),
        files=frozenset(_files()),
    )


def _mounts() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split()[4] for line in lines]


def _cgroups() -> list[str]:
    """The cgroups with the cluster's name, at any depth. Other programs change the others."""
    return [
        folder
        for folder, _, _ in os.walk("/sys/fs/cgroup")
        if layout.FIRST.cgroup in folder.split("/")
    ]


def _processes() -> list[str]:
    """The processes that have STATE in their command or environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except OSError:
            continue
        if int(process.name) != os.getpid() and str(layout.STATE).encode() in words:
            found.append(words.decode(errors="replace"))
    return found


def _sysctls() -> list[str]:
    values = []
    for folder, _, files in os.walk("/proc/sys"):
        for file in files:
            path = Path(folder) / file
            name = str(path.relative_to("/proc/sys"))
            if not name.startswith(_VOLATILE):
                try:
                    values.append(f"{name} = {path.read_text().strip()}")
                except (OSError, UnicodeDecodeError):
                    continue
    return values


def _files() -> list[str]:
    return [
        str(Path(folder) / name)
        for root in _FOLDERS
        for folder, folders, files in os.walk(root)
        for name in (*folders, *files)
    ]
