"""The servers under test, started once a session on ports that are free.

SWISS_URL   a running swiss to test instead of the embedded host
SWISS_HOST  the embedded host, target/release/swiss-host by default
SWISS_WASM  the component, target/swiss.wasm by default
SWISS_JCO   jco's entry point, by default that of `npm ci` in this folder
"""

import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from server import Server

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent

pytest_plugins = ["_hypothesis_pytestplugin", "schemathesis.pytest.plugin"]
set_hypothesis_home_dir(REPOSITORY / "target/hypothesis")


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
