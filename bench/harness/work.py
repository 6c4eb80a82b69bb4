"""What one request costs, in counts that do not depend on how busy the machine is."""

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

# Instructions of a string operation would count once a byte; as vector
# operations they count as what they cost.
_PLAIN = "glibc.cpu.x86_rep_stosb_threshold=1000000000:glibc.cpu.x86_rep_movsb_threshold=1000000000"
# Of the host's clock, not of a request.
_TICKER = {"clock_nanosleep", "nanosleep", "restart_syscall"}
_SUM = "total"


def probe(verb: str, component: Path, *args: str) -> dict:
    command = [str(paths.PROBE), verb, str(component), *args]
    return json.loads(_run(command).stdout)


def counts(component: Path) -> dict:
    """All that the probe and callgrind count for one request."""
    return {
        **probe("work", component),
        "instructions": round(instructions(component)),
        "instructions_reused": round(instructions(component, REUSE)),
    }


def instructions(component: Path, reuse: int = 1, few: int = 50, many: int = 150) -> float:
    """Of the embedded host's call path for one request, counted by callgrind:
    more requests less fewer, so that start and end are not in it."""
    with ThreadPoolExecutor() as both:
        less, more = both.map(lambda n: _callgrind(component, n, reuse), (few, many))
    return (more - less) / (many - few)


def _callgrind(component: Path, requests: int, reuse: int) -> int:
    valgrind = paths.tool("valgrind")
    counted = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    # A cache of its own, because the processor that valgrind shows is another one.
    cache = paths.WORK / "callgrind"
    handle = ["handle", component, requests, reuse, cache]
    command = [*counted, str(paths.PROBE), *map(str, handle)]
    env = environment() | paths.debian(valgrind)
    output = _run(command, env | {"GLIBC_TUNABLES": _PLAIN}).stderr
    return int(re.search(r"Collected : (\d+)", output)[1])


def system_calls(peer: Peer, few: int = 100, many: int = 500) -> dict[str, float]:
    """By name, of one request; rare ones are left out."""
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
        # Not its own libraries for the server, too: -E sets what the server gets.
        own = paths.debian(strace)
        unset = [word for name in own for word in ("-E", name)]
        wrapper = (strace, "-f", "-c", "-U", "name,calls", "-o", log.name, *unset)
        with Server(peer, wrapper, own) as server:
            _ask(server.port, requests)
            _interrupt(server)
        return Counter(
            {n: int(c) for n, c in re.findall(r"^\s*(\w+)\s+(\d+)\s*$", log.read(), re.M)}
        )


def _ask(port: int, requests: int) -> None:
    """On one connection, or on as many as the server wants."""
    request = b"GET /will HTTP/1.1\r\nHost: localhost\r\n\r\n"
    # With Content-Length, and chunked.
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
    """Ends the traced server; strace, which waits for it, writes its counts."""
    for process in server.tree()[1:2]:
        process.terminate()
    server.process.wait()


def _run(command: list[str], env: dict | None = None) -> subprocess.CompletedProcess:
    done = subprocess.run(command, capture_output=True, text=True, env=env or dict(os.environ))
    if done.returncode:
        raise SystemExit(f"error: {' '.join(command[:3])} failed: {done.stderr.strip()[-500:]}")
    return done
