"""The paths of files and programs. The Makefile passes the tools that it fetches."""

import os
import shutil
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
# Generated files that are not committed: components, caches, unpublished results.
WORK = REPOSITORY / "target/bench"
RESULTS = REPOSITORY / "bench/results"

# Cargo's profile: `optimized` for timed programs. See the repository's Cargo.toml.
_BUILT = REPOSITORY / "target" / os.environ.get("BENCH_PROFILE", "release")
HOST = _BUILT / "swiss-host"
PROBE = _BUILT / "examples/probe"
PUSH = REPOSITORY / "target/release/swiss-push"
SWISS = REPOSITORY / "target/swiss.wasm"
STOCK = WORK / "spin-rust.wasm"
FLOOR = WORK / "floor.wasm"
AXUM = WORK / "axum/release/axum-peer"
GO = WORK / "go-peer"
CEILING = WORK / "ceiling/release/ceiling-peer"
INSTALLER = REPOSITORY / "target/optimized/node-installer"


def tool(name: str) -> str:
    """The path of a program: from the environment variable of its name, else from PATH."""
    found = os.environ.get(name.upper()) or shutil.which(name)
    if not found:
        raise SystemExit(f"error: cannot find {name}: install it (on Debian 12 make fetches it)")
    return found


def library_environment(program: str) -> dict[str, str]:
    """The variables with which a program from unpacked Debian packages finds its libraries."""
    root = Path(program).parents[2]
    if root == Path("/"):
        return {}
    libraries = [str(folder) for folder in root.glob("usr/lib/*-linux-gnu")]
    return {
        "LD_LIBRARY_PATH": ":".join(libraries),
        "VALGRIND_LIB": str(root / "usr/libexec/valgrind"),
    }
