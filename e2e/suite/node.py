"""What the first node knows of a pod, and Kubernetes does not."""

import os
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster import layout
from cluster.wait import until

from . import runtime_class
from .commands import get, run
from .release import statuses


def process(pod: dict) -> int:
    """Of the pod's one container."""
    (status,) = statuses(pod)
    container = status["containerID"].removeprefix("containerd://")
    for line in run("ctr", "--namespace=k8s.io", "tasks", "list").stdout.splitlines():
        name, number, *_ = line.split()
        if name == container:
            return int(number)
    raise AssertionError(f"containerd has no task of {container}")


def kill(pod: dict) -> None:
    """Ends its process as the kernel does where memory runs out."""
    os.kill(process(pod), signal.SIGKILL)


def restart_containerd() -> None:
    with containerd_restarts():
        run("systemctl", "restart", "containerd")


@contextmanager
def containerd_restarts():
    """In the block somebody has it restarted; afterwards it answers."""
    file = layout.FIRST.folder / "containerd.pid"
    before = file.read_text()
    yield
    until("another containerd runs", lambda: file.read_text() != before, seconds=60)
    answers = lambda: run("ctr", "version", check=False).returncode == 0  # noqa: E731
    until("containerd answers", answers, seconds=30)


def status(number: int) -> dict[str, str]:
    """/proc/NUMBER/status."""
    lines = Path(f"/proc/{number}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def mounts(number: int) -> dict[str, set[str]]:
    """Where something is mounted, and with which options."""
    lines = Path(f"/proc/{number}/mountinfo").read_text().splitlines()
    return {fields[4]: set(fields[5].split(",")) for fields in map(str.split, lines)}


def accepted_connections(number: int) -> int:
    """TCP connections that were accepted in its network namespace, probes included."""
    lines = Path(f"/proc/{number}/net/snmp").read_text().splitlines()
    names, values = (line.split() for line in lines if line.startswith("Tcp:"))
    return int(values[names.index("PassiveOpens")])


def memory_kib(number: int) -> int:
    """The share of the memory that a process is charged with (PSS)."""
    lines = Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def shim(number: int) -> int:
    """The process that containerd has started for the pod, by one of its container's."""
    return int(status(number)["PPid"])


@dataclass(frozen=True)
class Look:
    """What of the node the installer changes."""

    handlers: list[str]
    taints: list[str]
    configuration: str
    has_shim: bool


def look() -> Look:
    node = get("node", layout.FIRST.name)
    return Look(
        handlers=[each["name"] for each in node["status"].get("runtimeHandlers", [])],
        taints=[each["key"] for each in node["spec"].get("taints", [])],
        configuration=layout.CONTAINERD.read_text(),
        has_shim=runtime_class.SHIM.exists(),
    )
