"""Reads from the first node what the Kubernetes API does not say about a pod."""

import os
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster import layout
from cluster.wait import until

from . import runtime_class
from .commands import get, kubectl, run
from .release import statuses


def process(pod: dict) -> int:
    """The PID of the pod's only container."""
    (status,) = statuses(pod)
    container = status["containerID"].removeprefix("containerd://")
    for line in run("ctr", "--namespace=k8s.io", "tasks", "list").stdout.splitlines():
        name, number, *_ = line.split()
        if name == container:
            return int(number)
    raise AssertionError(f"containerd has no task for container {container}")


def kill(pod: dict) -> None:
    """Kills the pod's process, as the kernel does when memory runs out."""
    os.kill(process(pod), signal.SIGKILL)


def restart_containerd() -> None:
    """Restarts containerd, and returns when it answers."""
    run("systemctl", "restart", "containerd")


@contextmanager
def containerd_restarts():
    """Waits until containerd, which the block restarts, answers again."""
    before = _containerd()
    yield
    is_another = lambda: (now := _containerd()) and now != before  # noqa: E731
    until("another containerd answers", is_another, seconds=60)


def _containerd() -> int | None:
    """The PID of containerd, once it answers."""
    properties = "--property=MainPID,ActiveState"
    lines = run("systemctl", "show", properties, "containerd").stdout.splitlines()
    values = dict(line.split("=", 1) for line in lines)
    return int(values["MainPID"]) if values["ActiveState"] == "active" else None


def service_rules() -> str:
    """The rules by which kube-proxy on the node chooses a pod."""
    return run("nft", "list", "table", "ip", "kube-proxy").stdout


def relisted() -> int:
    """How often the kubelet has listed the containers, to see what became of them."""
    metrics = kubectl("get", "--raw", f"/api/v1/nodes/{layout.FIRST.name}/proxy/metrics")
    start = "kubelet_pleg_relist_duration_seconds_count "
    (line,) = (each for each in metrics.splitlines() if each.startswith(start))
    return int(line.removeprefix(start))


def status(number: int) -> dict[str, str]:
    """/proc/NUMBER/status."""
    lines = Path(f"/proc/{number}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def mounts(number: int) -> dict[str, set[str]]:
    """The options of each mount, by mount point."""
    lines = Path(f"/proc/{number}/mountinfo").read_text().splitlines()
    return {fields[4]: set(fields[5].split(",")) for fields in map(str.split, lines)}


def accepted_connections(number: int) -> int:
    """The TCP connections accepted in the process's network namespace, including probes."""
    lines = Path(f"/proc/{number}/net/snmp").read_text().splitlines()
    names, values = (line.split() for line in lines if line.startswith("Tcp:"))
    return int(values[names.index("PassiveOpens")])


def memory_kib(number: int) -> int:
    """The proportional set size (PSS) of a process."""
    lines = Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def shim(number: int) -> int:
    """The PID of the pod's shim, which is the parent of a container's process."""
    return int(status(number)["PPid"])


@dataclass(frozen=True)
class NodeState:
    """What the installer changes on a node."""

    handlers: list[str]
    taints: list[str]
    configuration: str
    has_shim: bool


def state() -> NodeState:
    node = get("node", layout.FIRST.name)
    return NodeState(
        handlers=[each["name"] for each in node["status"].get("runtimeHandlers", [])],
        taints=[each["key"] for each in node["spec"].get("taints", [])],
        configuration=layout.CONTAINERD.read_text(),
        has_shim=runtime_class.SHIM.exists(),
    )
