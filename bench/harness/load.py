"""Loads a server from the other core: wrk measures the peak, vegeta the latency.

wrk sends the next request only after a response, so its latencies flatter a server that
stalls. vegeta sends at fixed times, on a new connection if the others still wait.
"""

import csv
import re
import subprocess
import tempfile

from . import paths
from .server import LOAD_CORE, on_core

CONNECTIONS = 16
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
PERCENTILES = (50, 90, 99, 99.9)


def peak(port: int, seconds: float, connections: int = CONNECTIONS) -> dict:
    """Requests per second, and the median latency in milliseconds."""
    program = paths.tool("wrk")
    # wrk accepts whole seconds only.
    options = ["-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency"]
    output = _run([program, *options, url(port)], env=paths.library_environment(program)).decode()
    if lost := re.search(r"Non-2xx.*|Socket errors.*", output):
        raise SystemExit(f"error: some of wrk's requests failed: {lost[0]}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    median = re.search(r"50%\s+([\d.]+)(us|ms|s|m)", output)
    return {
        "requests_per_second": float(rate[1]),
        "p50_ms": float(median[1]) * _UNITS[median[2]],
    }


def latency(port: int, rate: int, seconds: float) -> dict[str, float]:
    """Percentiles in milliseconds at `rate` requests per second."""
    program = paths.tool("vegeta")
    attack = ["attack", f"-rate={rate}", f"-duration={seconds:.1f}s", "-max-body=0"]
    with tempfile.NamedTemporaryFile() as results:
        target = f"GET {url(port)}\n".encode()
        _run([program, *attack, f"-output={results.name}"], stdin=target)
        table = _run([program, "encode", "--to=csv", results.name]).decode()
    rows = list(csv.reader(table.splitlines()))
    wrong = {row[1] if row[1] != "0" else row[5] for row in rows if row[1] != "200"}
    if wrong:
        raise SystemExit(f"error: some of vegeta's requests failed: {wrong}")
    milliseconds = sorted(int(row[2]) / 1e6 for row in rows)
    last = len(milliseconds) - 1
    return {f"p{p}_ms": milliseconds[min(last, int(last * p / 100 + 0.5))] for p in PERCENTILES}


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}/will"


def _run(command: list[str], stdin: bytes = b"", env: dict | None = None) -> bytes:
    with on_core(LOAD_CORE):
        done = subprocess.run(command, input=stdin, capture_output=True, env=env or None)
    if done.returncode:
        error = done.stderr.decode(errors="replace").strip()
        raise SystemExit(f"error: {command[0]} failed: {error[-500:]}")
    return done.stdout
