"""Shared fixtures: the pushed component, nodes that run it; evidence and figures."""

import json
import shlex
import signal
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster import layout

from . import evidence, figures, namespaces, node, runtime_class, target
from .commands import get, kubectl
from .packaging import REGISTRY, push
from .release import Release
from .target import OTHER_CLUSTER

# What a user does first and last. The order of the other files does not matter.
FIRST = ("test_nodes.py", "test_install.py")
LAST = "test_removal.py"


def pytest_configure(config):
    # A signal ends the run as the last test does: nothing is left.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    try:
        target.check()
        running = ExitStack()
        config.add_cleanup(running.close)
        running.enter_context(target.use(layout.ADMIN))
    except target.Refusal as reason:
        pytest.exit(f"error: {reason}", returncode=2)


def end(number, _frame):
    pytest.exit(f"ended by {signal.Signals(number).name}", returncode=128 + number)


def pytest_report_header():
    if not OTHER_CLUSTER:
        return f"objects of this run: kubectl get namespaces --selector {namespaces.SELECTOR}"
    kubectl = ("kubectl", "--kubeconfig", str(target.kubeconfig()), *target.CONTEXT)
    delete = (*kubectl, "delete", "namespaces", "--selector", namespaces.SELECTOR)
    return f"if this run is killed, delete what it leaves: {shlex.join(delete)}"


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: position(item.path.name))
    if OTHER_CLUSTER:
        for item in items:
            if mark := item.get_closest_marker("own_cluster"):
                item.add_marker(pytest.mark.skip(reason=f"another cluster: {mark.args[0]}"))


def position(file: str) -> int:
    return FIRST.index(file) if file in FIRST else len(FIRST) + (file == LAST)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.failed:
        folder = evidence.collect(item.nodeid)
        report.sections.append(("evidence", f"Events and logs are in {folder}"))
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    if session.config.option.collectonly:
        return
    try:
        write_figures()
    finally:
        # After the fixtures, which a test that is interrupted may not have ended.
        if OTHER_CLUSTER and (left := namespaces.remove_all()):
            print(f"\nNot deleted within four minutes: the namespaces {', '.join(left)}.")
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def write_figures():
    if not OTHER_CLUSTER:
        times = json.loads(layout.TIMES.read_text())
        figures.note("Cluster, seconds after its start", **times)
    figures.write()


@pytest.fixture(scope="session")
def packaged():
    """The component in the registry, by packaging."""
    return Packaged()


class Packaged(dict):
    """Each packaging is pushed when a test first asks for it."""

    def __missing__(self, packaging: str):
        self[packaging] = push(packaging)
        return self[packaging]


@dataclass(frozen=True)
class InitialState(node.NodeState):
    """The first node before the installation, and the kustomization applied to it."""

    kustomization: Path


@pytest.fixture(scope="session")
def wasm_nodes(tmp_path_factory):
    """Nodes that can run Wasm, or will after the installation, for which pods wait."""
    if OTHER_CLUSTER:
        return None
    runtime_class.push_image()
    copy = runtime_class.kustomization(tmp_path_factory.mktemp("kustomization"), REGISTRY)
    initial = InitialState(**vars(node.state()), kustomization=copy)
    # Tests read a pod's process on the first node, so all pods must run there.
    kubectl("cordon", layout.SECOND.name)
    kubectl("apply", "-k", copy)
    return initial


@pytest.fixture(scope="module")
def namespace(request):
    """A namespace for the tests of a file. It enforces the Pod Security level `LEVEL`."""
    purpose = request.module.__name__.rpartition("test_")[2].replace("_", "-")
    level = getattr(request.module, "LEVEL", "restricted")
    with namespaces.namespace(purpose, level) as name:
        yield name


@pytest.fixture
def release(wasm_nodes, namespace, packaged):
    """A release that is not yet installed, and is uninstalled after the test."""
    release = Release(namespace, packaged["component"].values)
    yield release
    left = get("deployments", "--namespace", namespace)["items"]
    if left:
        release.uninstall()
