"""The servers under test, each started once per session on a free port.

SWISS_URL       a running swiss to test instead of the embedded host
SWISS_HOST      the embedded host, target/release/swiss-host by default
SWISS_WASM      the component, target/swiss.wasm by default
SWISS_JCO       jco's entry point, by default the one that `npm ci` installs in this folder
SWISS_ORIGINAL  the Python of an environment with the packages of original.txt
SWISS_SPIN      Spin, if it supports the manifest; without it, tests of Spin are skipped
"""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from server import Server

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent

pytest_plugins = ["_hypothesis_pytestplugin", "schemathesis.pytest.plugin"]
set_hypothesis_home_dir(REPOSITORY / "target/hypothesis")


class RunningServer:
    """A server that these tests did not start."""

    def __init__(self, name: str, url: str):
        self.name, self.url, self.log = name, url.rstrip("/"), "(not started by these tests)\n"


@pytest.fixture(scope="session")
def swiss(request):
    """The component in the embedded host, or what SWISS_URL points to."""
    if url := os.environ.get("SWISS_URL"):
        return RunningServer("swiss", url)
    return request.getfixturevalue("embedded_host")


@pytest.fixture(scope="session")
def embedded_host():
    """The component in the embedded host."""
    host = existing("SWISS_HOST", REPOSITORY / "target/release/swiss-host", "make tools")
    manifest = REPOSITORY / "spin.toml"
    server = Server("swiss", [host, "--listen", "127.0.0.1:0", "--from", manifest])
    yield server
    server.stop()


@pytest.fixture(scope="session")
def spin():
    """The component in Spin."""
    if not (program := os.environ.get("SWISS_SPIN")):
        pytest.skip("no Spin: put version 3.6 or newer on PATH and run `make test-outside`")
    server = Server("Spin", [program, "up", "--listen", "127.0.0.1:0", "--from", REPOSITORY])
    yield server
    server.stop()


@pytest.fixture(scope="session")
def original_python():
    """The command that runs Python where original.py finds its packages and can be imported."""
    python = existing("SWISS_ORIGINAL", HERE / ".venv/bin/python", "make test-outside")
    return ["env", f"PYTHONPATH={HERE}", python]


@pytest.fixture(scope="session")
def original(original_python):
    """The reconstructed original, served as the original is, but on a free port."""
    serve = "import original; original.app.run(port=0)"
    server = Server("original", [*original_python, "-c", serve])
    yield server
    server.stop()


@pytest.fixture(scope="session")
def jco(tmp_path_factory):
    """The component in jco."""
    entry = HERE / "node_modules/@bytecodealliance/jco/dist/jco.js"
    jco = existing("SWISS_JCO", entry, "npm ci")
    wasm = existing("SWISS_WASM", REPOSITORY / "target/swiss.wasm", "make build")
    # jco writes the transpiled component here, and Node finds jco's packages from here.
    # jco does not remove its own temporary folder when it is stopped.
    folder = tmp_path_factory.mktemp("jco")
    setup = shutil.copy(HERE / "jco_setup.mjs", folder)
    options = ["--host=127.0.0.1", "--port=0", f"--jco-dir={folder}", f"--jco-import={setup}"]
    server = Server("jco", ["node", jco, "serve", wasm, *options])
    yield server
    server.stop()


def existing(variable: str, default: Path, remedy: str) -> Path:
    """The file that the environment variable names, else `default`."""
    path = Path(os.environ.get(variable, default))
    assert path.is_file(), f"{path} does not exist: run `{remedy}`, or set {variable}"
    return path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Adds the logs of a test's servers to the report of its failure."""
    report = yield
    if report.failed:
        for server in item.funcargs.values():
            if isinstance(server, Server | RunningServer):
                report.sections.append((f"log of {server.name}", server.log))
    return report
