"""What the tests share: the pushed component, the RuntimeClass, evidence and figures."""

import pytest

from . import evidence, figures
from .commands import apply, get, kubectl
from .packaging import OTHER_CLUSTER, PACKAGINGS, push
from .release import Release

RUNTIME_CLASS = "wasmtime-spin-v2"
# The test of README wants the cluster as it is found: without a RuntimeClass.
FIRST = "test_install.py"


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name != FIRST)
    if OTHER_CLUSTER:
        for item in items:
            if mark := item.get_closest_marker("own_cluster"):
                item.add_marker(pytest.mark.skip(reason=f"another cluster: {mark.args[0]}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.failed:
        folder = evidence.collect(item.nodeid)
        report.sections.append(("evidence", f"Events and logs are in {folder}"))
    return report


def pytest_sessionfinish():
    figures.write()


@pytest.fixture(scope="session")
def packaged():
    """The component in the registry, by packaging."""
    return {packaging: push(packaging) for packaging in PACKAGINGS}


@pytest.fixture(scope="module")
def runtime_class():
    """The RuntimeClass of the handler `spin`, where the cluster has none."""
    found = kubectl("get", "runtimeclass", RUNTIME_CLASS, "--ignore-not-found")
    if not found:
        apply(
            {
                "apiVersion": "node.k8s.io/v1",
                "kind": "RuntimeClass",
                "metadata": {"name": RUNTIME_CLASS},
                "handler": "spin",
            }
        )
    yield
    if not found:
        kubectl("delete", "runtimeclass", RUNTIME_CLASS)


@pytest.fixture(scope="module")
def namespace(request):
    """A namespace for the tests of a file, which enforces what the pods are made for."""
    name = request.module.__name__.rpartition("test_")[2].replace("_", "-")
    labels = {"pod-security.kubernetes.io/enforce": getattr(request.module, "LEVEL", "restricted")}
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def release(runtime_class, namespace, packaged):
    """Not yet installed; gone after the test, however it ends."""
    release = Release(namespace, packaged["component"].values)
    yield release
    left = get("deployments", "--namespace", namespace)["items"]
    if left:
        release.uninstall()
