"""A server on its own core and a free port, for the time of a measurement."""

import contextlib
import os
import socket
import subprocess
import time

import psutil

from . import paths
from .peers import Peer

SERVER_CORE, LOAD_CORE = 0, 1
START_SECONDS, STOP_SECONDS = 30, 10
# The servers' cache of compiled code.
CACHE = paths.WORK / "cache"
REQUEST = b"GET /will HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@contextlib.contextmanager
def on_core(core: int):
    """Pins this process, and those that it starts, to `core`. This is cheaper than to pin
    a running process, and is not part of a measured time."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def environment(cache=CACHE) -> dict[str, str]:
    """Omits the user's variables that change how a server runs, such as RUST_BACKTRACE."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"XDG_CACHE_HOME": str(cache)}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Server:
    """A running peer. `start_seconds` is the time from exec to its first 200."""

    def __init__(self, peer: Peer, wrapper: tuple[str, ...] = (), env: dict | None = None):
        self.peer, self.port = peer, free_port()
        command = [part.format(port=self.port) for part in (*wrapper, *peer.command)]
        paths.WORK.mkdir(parents=True, exist_ok=True)
        log = (paths.WORK / f"{peer.name}.log").open("w+b")
        with log, on_core(SERVER_CORE):
            start = time.perf_counter()
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment() | (env or {}),
                close_fds=False,
            )
        os.sched_setaffinity(0, {LOAD_CORE})
        self._wait(start)

    def _wait(self, start: float) -> None:
        while not answers(self.port):
            if self.process.poll() is not None or time.perf_counter() - start > START_SECONDS:
                self.stop()
                log = (paths.WORK / f"{self.peer.name}.log").read_text(errors="replace")
                raise SystemExit(f"error: {self.peer.label} did not start: {log.strip()[-500:]}")
            time.sleep(0.0005)
        self.start_seconds = time.perf_counter() - start

    def pss_bytes(self) -> int:
        """The memory of the server and its children; shared pages count once."""
        return sum(process.memory_full_info().pss for process in self.tree())

    def tree(self) -> list[psutil.Process]:
        process = psutil.Process(self.process.pid)
        return [process, *process.children(recursive=True)]

    def stop(self) -> None:
        tree = self.tree() if self.process.poll() is None else []
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for process in tree:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def answers(port: int) -> bool:
    """Whether the server answers a request with 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
            client.sendall(REQUEST)
            return client.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
