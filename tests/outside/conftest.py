"""The servers under test, started once a session on ports that are free.

SWISS_URL   a running swiss to test instead of the embedded host
SWISS_HOST  the embedded host, target/release/swiss-host by default
SWISS_WASM  the component, target/swiss.wasm by default
SWISS_JCO   jco's entry point, by default that of `npm ci` in this folder
"""

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
START_SECONDS = 60
STOP_SECONDS = 10

set_hypothesis_home_dir(REPOSITORY / "target/hypothesis")


class Server:
    """A server at `url`, and what it has printed since it started."""

    def __init__(self, name: str, command: list):
        """Returns when the server has printed its address, which all of them do
        once they listen."""
        self.name = name
        self._lines: list[str] = []
        self._address: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        # A session of its own, because jco serves from a child process.
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        try:
            address = self._address.get(timeout=START_SECONDS)
        except queue.Empty:
            address = None
        if address is None:
            self.stop()
            raise RuntimeError(f"{name} printed no address to connect to but:\n{self.log}")
        self.url = f"http://{address}"

    @property
    def log(self) -> str:
        return "".join(self._lines)

    def stop(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _read(self) -> None:
        """Collects the output to its end; reports the first address in it, or None."""
        for line in self._process.stdout:
            self._lines.append(line)
            if address := re.search(r"127\.0\.0\.1:\d+", line):
                self._address.put(address[0])
        self._address.put(None)


class RunningServer:
    """A server that somebody else started."""

    def __init__(self, name: str, url: str):
        self.name, self.url, self.log = name, url.rstrip("/"), "(not started by these tests)\n"


@pytest.fixture(scope="session")
def swiss():
    """The component in the embedded host, or what SWISS_URL points to."""
    if url := os.environ.get("SWISS_URL"):
        yield RunningServer("swiss", url)
        return
    host = existing("SWISS_HOST", REPOSITORY / "target/release/swiss-host", "make tools")
    manifest = REPOSITORY / "spin.toml"
    server = Server("swiss", [host, "--listen", "127.0.0.1:0", "--from", manifest])
    yield server
    server.stop()


@pytest.fixture(scope="session")
def original():
    """The Flask application under Flask's own server, as the original runs it."""
    app = HERE / "original.py"
    server = Server("original", [sys.executable, "-m", "flask", "--app", app, "run", "--port=0"])
    yield server
    server.stop()


@pytest.fixture(scope="session")
def jco(tmp_path_factory):
    """The component in jco."""
    entry = HERE / "node_modules/@bytecodealliance/jco/dist/jco.js"
    jco = existing("SWISS_JCO", entry, "npm ci")
    wasm = existing("SWISS_WASM", REPOSITORY / "target/swiss.wasm", "make build")
    # Where jco writes the transpiled component, and where Node then finds jco's
    # packages. Its own temporary folder would outlive it when it is told to stop.
    folder = tmp_path_factory.mktemp("jco")
    setup = shutil.copy(HERE / "jco_setup.mjs", folder)
    options = ["--host=127.0.0.1", "--port=0", f"--jco-dir={folder}", f"--jco-import={setup}"]
    server = Server("jco", ["node", jco, "serve", wasm, *options])
    yield server
    server.stop()


def existing(variable: str, default: Path, remedy: str) -> Path:
    """The file that the environment names, else `default`."""
    path = Path(os.environ.get(variable, default))
    assert path.is_file(), f"there is no {path}: run `{remedy}`, or set {variable}"
    return path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """A failure shows what the servers of the test have printed."""
    report = yield
    if report.failed:
        for server in item.funcargs.values():
            if isinstance(server, Server | RunningServer):
                report.sections.append((f"log of {server.name}", server.log))
    return report
