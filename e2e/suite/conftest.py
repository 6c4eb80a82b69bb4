"""What the tests share: the pushed component, nodes that run it, evidence and figures."""

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

# What a user does first, and what last; between them the order does not matter.
FIRST = ("test_nodes.py", "test_install.py")
LAST = "test_removal.py"


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: place(item.path.name))
    if OTHER_CLUSTER:
        for item in items:
            if mark := item.get_closest_marker("own_cluster"):
                item.add_marker(pytest.mark.skip(reason=f"another cluster: {mark.args[0]}"))


def place(file: str) -> int:
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
class Before(node.Look):
    """The node as it came, and the kustomization that was applied then."""

    kustomization: Path


@pytest.fixture(scope="session")
def wasm_nodes(tmp_path_factory):
    """Nodes that can run Wasm, or soon will: pods wait till then."""
    if OTHER_CLUSTER:
        with class_of_other_cluster():
            yield
        return
    runtime_class.push_image()
    copy = runtime_class.kustomization(tmp_path_factory.mktemp("kustomization"), REGISTRY)
    before = Before(**vars(node.look()), kustomization=copy)
    # What is read of a pod's process is read on the first.
    kubectl("cordon", layout.SECOND.name)
    kubectl("apply", "-k", copy)
    yield before


@contextmanager
def class_of_other_cluster():
    """Its nodes have the shim; a RuntimeClass comes for the tests if there is none."""
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
    """A namespace for the tests of a file, which enforces what the pods are made for."""
    name = request.module.__name__.rpartition("test_")[2].replace("_", "-")
    labels = {"pod-security.kubernetes.io/enforce": getattr(request.module, "LEVEL", "restricted")}
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def release(wasm_nodes, namespace, packaged):
    """Not yet installed; gone after the test, however it ends."""
    release = Release(namespace, packaged["component"].values)
    yield release
    left = get("deployments", "--namespace", namespace)["items"]
    if left:
        release.uninstall()
