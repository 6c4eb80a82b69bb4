"""What of the machine a cluster might leave changed: for the test that it does not."""

import os
from dataclasses import dataclass, fields
from pathlib import Path

from . import layout

# They change by themselves.
_RESTLESS = (
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
# Where programs of Kubernetes write when nobody tells them otherwise.
_FOLDERS = ("/etc", "/opt", "/run", "/usr/libexec", "/usr/local", "/var/lib", "/var/log")


@dataclass(frozen=True)
class Machine:
    mounts: frozenset
    cgroups: frozenset
    network_namespaces: frozenset
    links: frozenset
    processes: frozenset
    sysctls: frozenset
    files: frozenset

    def since(self, before: "Machine") -> dict[str, set]:
        """What there is now and was not there before, by kind; empty is good."""
        new = {
            field.name: set(getattr(self, field.name) - getattr(before, field.name))
            for field in fields(self)
        }
        return {name: what for name, what in new.items() if what}


def look() -> Machine:
    return Machine(
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
    """Those of the cluster's name, at any depth: others come and go with other programs."""
    return [
        folder
        for folder, _, _ in os.walk("/sys/fs/cgroup")
        if layout.FIRST.cgroup in folder.split("/")
    ]


def _processes() -> list[str]:
    """Those with something of the cluster's in the command or the environment."""
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
            if not name.startswith(_RESTLESS):
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
