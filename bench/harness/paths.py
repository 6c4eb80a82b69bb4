"""Where things are. The Makefile names the tools, since it fetches them."""

import os
import shutil
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
# What is made here and belongs to nobody: components, caches, unpublished results.
WORK = REPOSITORY / "target/bench"
RESULTS = REPOSITORY / "bench/results"

# Cargo's profile: `optimized` for what is timed, see the repository's Cargo.toml.
_BUILT = REPOSITORY / "target" / os.environ.get("BENCH_PROFILE", "release")
HOST = _BUILT / "swiss-host"
PROBE = _BUILT / "examples/probe"
PUSH = REPOSITORY / "target/release/swiss-push"
SWISS = REPOSITORY / "target/swiss.wasm"
STOCK = WORK / "spin-rust.wasm"
FLOOR = WORK / "floor.wasm"
AXUM = WORK / "axum/release/axum-peer"
GO = WORK / "go-peer"


def tool(name: str) -> str:
    """The program `name`: that of the variable of its name, else of PATH."""
    found = os.environ.get(name.upper()) or shutil.which(name)
    if not found:
        raise SystemExit(f"error: there is no {name}: install it, or run on Debian 12")
    return found


def debian(program: str) -> dict[str, str]:
    """The environment in which a program that is unpacked but not installed finds its parts."""
    root = Path(program).parents[2]
    if root == Path("/"):
        return {}
    libraries = [str(folder) for folder in root.glob("usr/lib/*-linux-gnu")]
    return {
        "LD_LIBRARY_PATH": ":".join(libraries),
        "VALGRIND_LIB": str(root / "usr/libexec/valgrind"),
    }
