"""Shared fixtures: the pushed component, nodes that run it; evidence and figures."""

import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster import layout

from . import evidence, figures, node, runtime_class
from .commands import apply, get, kubectl
from .packaging import OTHER_CLUSTER, PACKAGINGS, REGISTRY, push
from .release import Release

# What a user does first and last. The order of the other files does not matter.
FIRST = ("test_nodes.py", "test_install.py")
LAST = "test_removal.py"


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


def pytest_sessionfinish():
    if not OTHER_CLUSTER:
        times = json.loads(layout.TIMES.read_text())
        figures.note("Cluster, seconds after its start", **times)
    figures.write()


@pytest.fixture(scope="session")
def packaged():
    """The component in the registry, by packaging."""
    return {packaging: push(packaging) for packaging in PACKAGINGS}


@dataclass(frozen=True)
class InitialState(node.NodeState):
    """The first node before the installation, and the kustomization applied to it."""

    kustomization: Path


@pytest.fixture(scope="session")
def wasm_nodes(tmp_path_factory):
    """Nodes that can run Wasm, or will after the installation, for which pods wait."""
    if OTHER_CLUSTER:
        with runtime_class_of_other_cluster():
            yield
        return
    runtime_class.push_image()
    copy = runtime_class.kustomization(tmp_path_factory.mktemp("kustomization"), REGISTRY)
    initial = InitialState(**vars(node.state()), kustomization=copy)
    # Tests read a pod's process on the first node, so all pods must run there.
    kubectl("cordon", layout.SECOND.name)
    kubectl("apply", "-k", copy)
    yield initial


@contextmanager
def runtime_class_of_other_cluster():
    """The nodes of another cluster have the shim. Creates a missing RuntimeClass for the tests."""
    name = runtime_class.NAME
    found = kubectl("get", "runtimeclass", name, "--ignore-not-found")
    if not found:
        api = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass"}
        apply(api | {"metadata": {"name": name}, "handler": runtime_class.HANDLER})
    yield
    if not found:
        kubectl("delete", "runtimeclass", name)


@pytest.fixture(scope="module")
def namespace(request):
    """A namespace for the tests of a file. It enforces the Pod Security level `LEVEL`."""
    name = request.module.__name__.rpartition("test_")[2].replace("_", "-")
    labels = {"pod-security.kubernetes.io/enforce": getattr(request.module, "LEVEL", "restricted")}
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def release(wasm_nodes, namespace, packaged):
    """A release that is not yet installed, and is uninstalled after the test."""
    release = Release(namespace, packaged["component"].values)
    yield release
    left = get("deployments", "--namespace", namespace)["items"]
    if left:
        release.uninstall()
