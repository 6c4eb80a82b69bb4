"""The three packagings of README's table, each under the Pod Security level of its row."""

import time

import pytest

from cluster.wait import until

from . import figures
from .namespaces import namespace as new_namespace
from .outside import ask, wait_for_answers
from .packaging import PACKAGINGS
from .release import QUICK, Release, is_ready

LEVELS = {"component": "restricted", "container": "restricted", "spin": "baseline"}


@pytest.fixture(scope="module", params=PACKAGINGS)
def packaging(request):
    return request.param


@pytest.fixture(scope="module")
def namespace(packaging):
    with new_namespace(packaging, LEVELS[packaging]) as name:
        yield name


@pytest.fixture
def release(wasm_nodes, namespace, packaged, packaging):
    """A release of each packaging, in a namespace that enforces its Pod Security."""
    release = Release(namespace, packaged[packaging].values)
    yield release
    release.uninstall()


def test_each_packaging_serves_and_passes_helm_test(release):
    release.install(QUICK)
    release.roll_out()
    address = release.address()
    wait_for_answers(address)
    assert ask(address, "/ready").content == b'"It works!"\n'
    assert "ok    GET /ready" in release.test()


def test_ten_pods_start_at_once_on_one_node(release, packaging):
    """All become ready. The number of restarts is a figure: README says that a Spin
    artifact may need some."""
    release.install(QUICK, {"replicaCount": 10})
    start = time.monotonic()

    def all_ready() -> bool:
        pods = release.pods()
        return len(pods) == 10 and all(map(is_ready, pods))

    until("ten pods are ready", all_ready, seconds=120)
    figures.note(
        f"Ten pods at once, {packaging}",
        seconds=round(time.monotonic() - start, 1),
        restarts=release.restarts(),
    )
