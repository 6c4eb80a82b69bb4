"""Asking from outside of the cluster: from its own network namespace, where the
cluster is that of e2e/cluster, else from here."""

import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from cluster import layout
from cluster.wait import until

NAMESPACE = Path("/run/netns/client")
_CLONE_NEWNET = 0x40000000
# The first of the ports of open connections, for one load after the other.
_PORTS = count(layout.OWN_PORTS.start, 1000)


@dataclass(frozen=True)
class Response:
    status_line: str
    # Names in small letters; `date` is left out, as it is never the same.
    headers: list[tuple[str, str]]
    content: bytes


def ask(address: str, path: str, method: str = "GET", port: int = 80) -> Response:
    """One request on a connection of its own, read to its end."""
    return parse(_there(lambda: _exchange(address, path, method, port)))


def answers(address: str, times: int = 20) -> bool:
    """Whether the load balancer leads to pods, many times in a row: the last node
    rule is in place a moment after the Deployment is rolled out."""

    def all_right() -> bool:
        try:
            return all("200" in ask(address, "/will").status_line for _ in range(times))
        except OSError:
            return False

    return until("the load balancer answers", all_right, seconds=30)


def _there(work):
    """Runs `work` in a thread that is in the client's network namespace."""
    result: list = []

    def enter_and_work() -> None:
        try:
            if NAMESPACE.exists():
                with NAMESPACE.open() as namespace:
                    libc = ctypes.CDLL(None, use_errno=True)
                    if libc.setns(namespace.fileno(), _CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
            result.append(work())
        except OSError as error:
            result.append(error)

    thread = threading.Thread(target=enter_and_work)
    thread.start()
    thread.join()
    if isinstance(result[0], OSError):
        raise result[0]
    return result[0]


def _exchange(address: str, path: str, method: str, port: int) -> bytes:
    request = f"{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    with socket.create_connection((address, port), timeout=5) as connection:
        connection.sendall(request.encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


def parse(raw: bytes) -> Response:
    head, _, content = raw.partition(b"\r\n\r\n")
    status_line, *lines = head.decode().split("\r\n")
    pairs = [line.split(": ", 1) for line in lines]
    headers = [(name.lower(), value) for name, value in pairs if name.lower() != "date"]
    # What Connection: close is answered with is the connection's, not the response's.
    return Response(status_line, [each for each in headers if each[0] != "connection"], content)


class Load:
    """Requests that run while something happens to the pods."""

    def __init__(self, process: subprocess.Popen):
        self._process = process
        self.results: dict = {}

    def stop(self) -> None:
        output, _ = self._process.communicate("stop\n", timeout=300)
        self.results = json.loads(output)

    def assert_none_lost(self) -> None:
        for kind, results in self.results.items():
            assert results["sent"] >= 20_000
            assert results["lost"] == 0, f"{kind}: {results}"


@contextmanager
def load(address: str, least: int = 20_000, **environment):
    """Asks /will over new and over open connections, until the block has ended and
    each has asked at least `least` times."""
    enter = ["nsenter", f"--net={NAMESPACE}"] if NAMESPACE.exists() else []
    script = Path(__file__).with_name("load.py")
    command = [*enter, sys.executable, script, address, str(least), str(next(_PORTS))]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    running = Load(process)
    try:
        # What happens must not happen before the first requests.
        time_to_start = time.monotonic() + 1
        until("requests are under way", lambda: time.monotonic() > time_to_start, seconds=5)
        yield running
        running.stop()
    finally:
        process.kill()
        process.wait()
