"""Starts the cluster and waits until it accepts pods; removes it with all its files."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from . import certificates, cgroups, configuration, layout
from .namespaces import inside
from .wait import TooLate, until

_PROCESS = layout.STATE / "process"


class Refusal(Exception):
    """The command cannot be run; the message says why."""


def up() -> None:
    """Starts the cluster, and returns when it accepts pods."""
    start = time.monotonic()
    if os.geteuid() != 0:
        raise Refusal("A cluster needs root: it creates namespaces, mounts and cgroups.")
    if first_process():
        raise Refusal(f"A cluster is already up, in {layout.STATE}: run `make cluster-down` first.")
    # A cluster that failed to start leaves its logs.
    down()
    for name in layout.NODES:
        (layout.LOGS / name).mkdir(parents=True)
        (layout.STATE / name).mkdir()
    (layout.STATE / "home").mkdir()
    configuration.write()
    certificates.write()
    process = _unshare()
    try:
        until("the cluster accepts pods", lambda: _ready(process), seconds=180)
    except (TooLate, Refusal) as reason:
        _end()
        raise Refusal(f"{reason} The logs are in {layout.LOGS}.") from reason
    times = json.loads(layout.TIMES.read_text())
    for what, seconds in times.items():
        print(f"{seconds:7.2f} s  {what}")
    print(f"{time.monotonic() - start:7.2f} s  in total")


def _unshare() -> subprocess.Popen:
    """Starts the first process of new namespaces; the other processes there end with it."""
    flags = ("--mount", "--net", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child")
    with (layout.LOGS / "node.log").open("wb") as log:
        process = subprocess.Popen(
            ["unshare", *flags, sys.executable, "-m", "cluster.node"],
            env=layout.environment(),
            cwd=Path(__file__).parents[1],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    first = until("the namespaces exist", children.read_text, seconds=10, every=0.01)
    _PROCESS.write_text(first.strip())
    return process


def _ready(process: subprocess.Popen) -> bool:
    if process.poll() is not None:
        raise Refusal("The node's first process ended.")
    return layout.TIMES.exists()


def first_process() -> int | None:
    """The PID of the node's first process on this machine; None if no cluster is up."""
    if not _PROCESS.exists():
        return None
    process = int(_PROCESS.read_text())
    command = Path(f"/proc/{process}/cmdline")
    # Another process may have the PID by now.
    return process if command.exists() and b"cluster.node" in command.read_bytes() else None


def down() -> None:
    """Ends every process of the cluster, and removes its cgroups and files."""
    _end()
    if layout.STATE.exists():
        shutil.rmtree(layout.STATE)


def _end() -> None:
    if process := first_process():
        os.kill(process, signal.SIGKILL)
        until("the processes are gone", lambda: _gone(process), seconds=30)
    cgroups.remove()


def _gone(process: int) -> bool:
    """Whether the process has ended or is a zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def run(command: list[str]) -> int:
    """Runs a command in the node's namespaces, as the administrator of the cluster."""
    process = first_process()
    if not process:
        raise Refusal("No cluster is up: run `make cluster-up`.")
    # The cluster has no way to a proxy of the user's.
    direct = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    environment = direct | {
        "PATH": f"{layout.PATH}:{os.environ['PATH']}",
        "KUBECONFIG": str(layout.ADMIN),
        "HOME": str(layout.STATE / "home"),
    }
    return subprocess.run([*inside(process), *command], env=environment, check=False).returncode
