"""Sends requests from outside the cluster: for the cluster of e2e/cluster from the
client's network namespace, for another cluster from this machine's."""

import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from cluster import layout
from cluster.wait import until

from . import network

NAMESPACE = Path("/run/netns/client")
# The first source port of the open connections of each load.
_PORTS = count(layout.TEST_PORTS.start, 1000)


@dataclass(frozen=True)
class Response:
    status_line: str
    # Names are in lower case. `date` is left out, because it varies.
    headers: list[tuple[str, str]]
    content: bytes


def ask(address: str, path: str, method: str = "GET", port: int = 80) -> Response:
    """The response to one request on a new connection."""
    return parse(_in_client_namespace(lambda: _exchange(address, path, method, port)))


def wait_for_answers(address: str, times: int = 20) -> bool:
    """Waits until the load balancer answers `times` requests in a row. kube-proxy applies
    its last rule a moment after the rollout of the Deployment."""

    def all_succeed() -> bool:
        try:
            return all("200" in ask(address, "/will").status_line for _ in range(times))
        except OSError:
            return False

    return until("the load balancer answers", all_succeed, seconds=30)


def _in_client_namespace(work):
    """Runs `work` in the client's network namespace, if that exists."""
    return network.inside(NAMESPACE, work) if NAMESPACE.exists() else work()


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
    # `Connection` describes the connection, not the response.
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
def load(address: str, minimum: int = 20_000, **environment):
    """Sends requests to /will on new and on open connections, until the block ends and at
    least `minimum` requests of each kind were sent."""
    enter = ["nsenter", f"--net={NAMESPACE}"] if NAMESPACE.exists() else []
    script = Path(__file__).with_name("load.py")
    command = [*enter, sys.executable, script, address, str(minimum), str(next(_PORTS))]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    running = Load(process)
    try:
        # The block must not start before the first requests.
        assert process.stdout.readline() == "under way\n"
        yield running
        running.stop()
    finally:
        process.kill()
        process.wait()
