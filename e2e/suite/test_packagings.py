"""The three packagings of README's table, each under the Pod Security level of its row."""

import time

import pytest

from cluster.wait import until

from . import figures
from .commands import apply, kubectl
from .outside import ask, wait_for_answers
from .packaging import PACKAGINGS
from .release import QUICK, Release, is_ready

LEVELS = {"component": "restricted", "container": "restricted", "spin": "baseline"}


@pytest.fixture(params=PACKAGINGS)
def release(request, wasm_nodes, packaged):
    """A release of each packaging, in a namespace that enforces its Pod Security."""
    packaging = request.param
    labels = {"pod-security.kubernetes.io/enforce": LEVELS[packaging]}
    metadata = {"name": packaging, "labels": labels}
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    release = Release(packaging, packaged[packaging].values)
    yield release
    release.uninstall()
    kubectl("delete", "namespace", packaging, "--wait=false")


def test_each_packaging_serves_and_passes_helm_test(release):
    release.install(QUICK)
    release.roll_out()
    address = release.address()
    wait_for_answers(address)
    assert ask(address, "/ready").content == b'"It works!"\n'
    assert "ok    GET /ready" in release.test()


def test_ten_pods_start_at_once_on_one_node(release):
    """All become ready. The number of restarts is a figure: README says that a Spin
    artifact may need some."""
    release.install(QUICK, {"replicaCount": 10})
    start = time.monotonic()

    def all_ready() -> bool:
        pods = release.pods()
        return len(pods) == 10 and all(map(is_ready, pods))

    until("ten pods are ready", all_ready, seconds=120)
    figures.note(
        f"Ten pods at once, {release.namespace}",
        seconds=round(time.monotonic() - start, 1),
        restarts=release.restarts(),
    )
