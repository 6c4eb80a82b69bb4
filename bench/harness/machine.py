"""Describes the machine, and measures whether it is quiet enough for a benchmark."""

import os
import platform
import subprocess
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

import psutil

from . import paths
from .server import LOAD_CORE, SERVER_CORE, on_core
from .stats import spread

# With `-dirty`, if tracked files differ from the commit.
_COMMIT = ("describe", "--always", "--dirty", "--exclude=*")
# A run above these limits proves nothing. An idle virtual machine has 1%, 0% and 5%.
MAX_BUSY, MAX_STOLEN, MAX_SPREAD = 0.10, 0.05, 0.20


@dataclass(frozen=True)
class Noise:
    """Fractions of 1: the core time that other programs take and that the hypervisor
    takes, and the spread of the times of a fixed loop."""

    busy: float
    stolen: float
    spread: float

    def __str__(self) -> str:
        return (
            f"other work takes {self.busy:.0%} of a core (at most {MAX_BUSY:.0%}), the "
            f"hypervisor {self.stolen:.0%} (at most {MAX_STOLEN:.0%}), and the times of a fixed "
            f"loop are {self.spread:.0%} apart (at most {MAX_SPREAD:.0%})"
        )

    @property
    def too_much(self) -> bool:
        return self.busy > MAX_BUSY or self.stolen > MAX_STOLEN or self.spread > MAX_SPREAD


def noise(seconds: float = 2) -> Noise:
    before = psutil.cpu_times(percpu=True)
    time.sleep(seconds)
    after = psutil.cpu_times(percpu=True)
    busy = stolen = 0.0
    for core in (SERVER_CORE, LOAD_CORE):
        idle = _since(before[core], after[core], "idle", "iowait")
        taken = _since(before[core], after[core], "steal")
        busy, stolen = max(busy, 1 - idle - taken), max(stolen, taken)
    return Noise(busy, stolen, max(spread(loops(SERVER_CORE)), spread(loops(LOAD_CORE))))


def _since(before, after, *kinds: str) -> float:
    total = sum(after) - sum(before)
    return sum(getattr(after, kind) - getattr(before, kind) for kind in kinds) / total


def loops(core: int, count: int = 60) -> list[float]:
    """The times of `count` runs of a fixed loop, in milliseconds."""
    times = []
    with on_core(core):
        for _ in range(count):
            start = time.perf_counter()
            sum(range(200_000))
            times.append((time.perf_counter() - start) * 1e3)
    return times


def pace() -> float:
    """The current pace of the server's core: the median time of the loop, in milliseconds."""
    return median(loops(SERVER_CORE, 20))


def check_cores() -> None:
    cores = os.sched_getaffinity(0)
    if not {SERVER_CORE, LOAD_CORE} <= cores:
        raise SystemExit(
            f"error: the server is pinned to core {SERVER_CORE} and the load to core "
            f"{LOAD_CORE}, but this process may run only on {sorted(cores)}: allow both"
        )


def facts() -> dict:
    cpus = Path("/proc/cpuinfo").read_text()
    model = next((x.split(":")[1].strip() for x in cpus.splitlines() if "model name" in x), "?")
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _first_line("git", "-C", str(paths.REPOSITORY), *_COMMIT),
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "kernel": platform.release(),
        "virtual": "hypervisor" in cpus,
        "versions": {
            "rustc": _first_line("rustc", "--version").split()[1],
            "go": _first_line("go", "env", "GOVERSION").removeprefix("go"),
            "python": platform.python_version(),
            "flask": version("flask"),
            "gunicorn": version("gunicorn"),
            "wasmtime": locked("Cargo.lock", "wasmtime"),
            "axum": locked("bench/peers/axum/Cargo.lock", "axum"),
            "spin-sdk": locked("bench/peers/spin-rust/Cargo.lock", "spin-sdk"),
        },
    }


def locked(lock: str, package: str) -> str:
    """The version of a crate in a Cargo.lock."""
    lines = (paths.REPOSITORY / lock).read_text().splitlines()
    at = lines.index(f'name = "{package}"')
    return lines[at + 1].split('"')[1]


def _first_line(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.partition("\n")[0]


def as_json(noise: Noise) -> dict:
    return {name: round(value, 3) for name, value in asdict(noise).items()}
