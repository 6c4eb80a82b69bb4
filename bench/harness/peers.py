"""The servers to measure, each as its users would run it. bench/peers/README.md says why."""

import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from . import paths

REUSE = 128


@dataclass(frozen=True)
class Peer:
    """A server: its name in the results, its label in tables and plots, how it starts."""

    name: str
    label: str
    # `{port}` stands for the port to listen on.
    command: tuple[str, ...]
    # Whether it compiles at its first start and caches the compiled code.
    compiles: bool = False
    # The deployed file, if the harness can tell its size.
    file: Path | None = field(default=None, compare=False)


def _hosted(name: str, label: str, component: Path, reuse: int = 1) -> Peer:
    command = (str(paths.HOST), "--from", str(manifest(component)), "--listen", "127.0.0.1:{port}")
    reused = ("--instance-reuse", str(reuse)) if reuse > 1 else ()
    return Peer(name, label, command + reused, compiles=True, file=component)


def _flask(name: str, label: str, *worker: str) -> Peer:
    # Flask and gunicorn are installed in the harness's own environment.
    gunicorn = (sys.executable, "-m", "gunicorn", "--workers", "1", *worker)
    original = ("--chdir", str(paths.REPOSITORY / "tests/outside"), "original:app")
    return Peer(name, label, (*gunicorn, "--bind", "127.0.0.1:{port}", *original))


def manifest(component: Path) -> Path:
    """A spin.toml that routes all paths to `component`, as the product's does."""
    if component == paths.SWISS:
        return paths.REPOSITORY / "spin.toml"
    file = component.with_suffix(".toml")
    file.write_text(
        "spin_manifest_version = 2\n"
        f'[application]\nname = "{component.stem}"\nversion = "0.1.0"\n'
        f'[[trigger.http]]\nroute = "/..."\ncomponent = "{component.stem}"\n'
        f'[component.{component.stem}]\nsource = "{component.name}"\n'
    )
    return file


def embedded() -> list[Peer]:
    return [
        _hosted("swiss", "swiss, fresh instances", paths.SWISS),
        _hosted("swiss-reuse", f"swiss, reuse {REUSE}", paths.SWISS, REUSE),
        _hosted("stock", "stock Spin template, fresh instances", paths.STOCK),
        _hosted("stock-reuse", f"stock Spin template, reuse {REUSE}", paths.STOCK, REUSE),
        _hosted("floor", "by hand (yardstick), fresh instances", paths.FLOOR),
    ]


def native() -> list[Peer]:
    return [
        Peer("axum", "axum (native Rust)", (str(paths.AXUM), "127.0.0.1:{port}"), file=paths.AXUM),
        Peer("go", "Go net/http", (str(paths.GO), "127.0.0.1:{port}"), file=paths.GO),
        _flask("flask-sync", "Flask, gunicorn sync"),
        _flask("flask", "Flask, gunicorn gthread", "--worker-class", "gthread", "--threads", "8"),
    ]


def spin() -> list[Peer]:
    """Spin itself, if it is on PATH: with swiss, with stock, and without a component."""
    program = shutil.which("spin")
    if not program:
        return []
    up = (program, "up", "--log-dir", "", "--listen", "127.0.0.1:{port}", "--from")
    static = paths.REPOSITORY / "bench/peers/static/spin.toml"
    return [
        Peer("spin-swiss", "swiss in Spin", (*up, str(manifest(paths.SWISS))), compiles=True),
        Peer("spin-stock", "stock in Spin", (*up, str(manifest(paths.STOCK))), compiles=True),
        Peer("spin-static", "Spin's static_response, no component", (*up, str(static))),
    ]


def ceiling() -> Peer:
    """A server that does nothing. It is no peer: it shows what the load generators can do."""
    label = "a server that does nothing (the ceiling)"
    return Peer("ceiling", label, (str(paths.CEILING), "127.0.0.1:{port}"))


def all_peers() -> list[Peer]:
    return embedded() + native() + spin()
