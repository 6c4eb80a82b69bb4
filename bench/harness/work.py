"""Counts the work for one request. The counts hardly depend on how busy the machine is."""

import json
import os
import re
import socket
import subprocess
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import paths
from .peers import REUSE, Peer
from .server import Server, environment

# callgrind counts a `rep` string instruction once per byte. These thresholds make glibc use
# vector instructions instead, whose count is close to their cost.
_NO_REP_STRINGS = (
    "glibc.cpu.x86_rep_stosb_threshold=1000000000:glibc.cpu.x86_rep_movsb_threshold=1000000000"
)
# The system calls of the host's clock, not of a request.
_TICKER = {"clock_nanosleep", "nanosleep", "restart_syscall"}
_SUM = "total"


def probe(verb: str, component: Path, *args: str) -> dict:
    command = [str(paths.PROBE), verb, str(component), *args]
    return json.loads(_run(command).stdout)


def counts(component: Path) -> dict:
    """The counts of the probe and of callgrind for one request."""
    return {
        **probe("work", component),
        "instructions": round(instructions(component)),
        "instructions_reused": round(instructions(component, REUSE)),
    }


def instructions(component: Path, reuse: int = 1, few: int = 50, many: int = 150) -> float:
    """The instructions of the embedded host's call path for one request, as callgrind
    counts them. The difference of two runs leaves out the start and the end."""
    # Compiles the component, so that valgrind does not.
    _run([str(paths.PROBE), *_handle(component, 0, reuse)])
    with ThreadPoolExecutor() as both:
        less, more = both.map(lambda n: _callgrind(component, n, reuse), (few, many))
    return (more - less) / (many - few)


def _callgrind(component: Path, requests: int, reuse: int) -> int:
    valgrind = paths.tool("valgrind")
    counted = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    command = [*counted, str(paths.PROBE), *_handle(component, requests, reuse)]
    env = environment() | paths.library_environment(valgrind)
    output = _run(command, env | {"GLIBC_TUNABLES": _NO_REP_STRINGS}).stderr
    return int(re.search(r"Collected : (\d+)", output)[1])


def _handle(component: Path, requests: int, reuse: int) -> list[str]:
    return ["handle", str(component), str(requests), str(reuse), str(paths.WORK / "callgrind")]


def system_calls(peer: Peer, few: int = 100, many: int = 500) -> dict[str, float]:
    """The system calls of one request, by name; rare ones are left out."""
    less, more = _strace(peer, few), _strace(peer, many)
    counts = {name: (more[name] - less[name]) / (many - few) for name in more}
    return {
        name: round(count, 2)
        for name, count in sorted(counts.items(), key=lambda item: -item[1])
        if count >= 0.05 and name not in {*_TICKER, _SUM}
    }


def _strace(peer: Peer, requests: int) -> Counter:
    strace = paths.tool("strace")
    with tempfile.NamedTemporaryFile("r") as log:
        # `-E NAME` keeps the variables for strace's own libraries from the server.
        own = paths.library_environment(strace)
        unset = [word for name in own for word in ("-E", name)]
        wrapper = (strace, "-f", "-c", "-U", "name,calls", "-o", log.name, *unset)
        with Server(peer, wrapper, own) as server:
            _send_requests(server.port, requests)
            _interrupt(server)
        return Counter(
            {n: int(c) for n, c in re.findall(r"^\s*(\w+)\s+(\d+)\s*$", log.read(), re.M)}
        )


def _send_requests(port: int, requests: int) -> None:
    """Sends requests on one connection, and on a new one after the server closes it."""
    request = b"GET /will HTTP/1.1\r\nHost: localhost\r\n\r\n"
    # The end of a body with Content-Length, and of a chunked one.
    ends = (b'"Hello World"\n', b"\r\n0\r\n\r\n")
    client, answered = None, 0
    while answered < requests:
        client = client or socket.create_connection(("127.0.0.1", port), timeout=10)
        client.sendall(request)
        answer = part = client.recv(4096)
        while part and not answer.endswith(ends):
            answer += (part := client.recv(4096))
        answered += bool(answer)
        if not part or b"Connection: close" in answer:
            client.close()
            client = None


def _interrupt(server: Server) -> None:
    """Ends the traced server. strace waits for it and then writes its counts."""
    for process in server.tree()[1:2]:
        process.terminate()
    server.process.wait()


def _run(command: list[str], env: dict | None = None) -> subprocess.CompletedProcess:
    done = subprocess.run(command, capture_output=True, text=True, env=env or dict(os.environ))
    if done.returncode:
        raise SystemExit(f"error: {' '.join(command[:3])} failed: {done.stderr.strip()[-500:]}")
    return done
