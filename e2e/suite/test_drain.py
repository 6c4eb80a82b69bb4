"""A drain of a node, as in GKE's upgrade of each node."""

import time

import pytest

from cluster import layout

from . import figures, runtime_class
from .commands import kubectl
from .outside import load, wait_for_answers
from .release import QUICK_PROBES, Release

pytestmark = pytest.mark.own_cluster("the test drains a node")

NODE = layout.SECOND.name


@pytest.fixture
def spread(wasm_nodes, namespace, packaged):
    """Four pods, which the chart spreads over the nodes."""
    runtime_class.roll_out()
    kubectl("uncordon", NODE)
    release = Release(namespace, packaged["component"].values)
    release.install(QUICK_PROBES, {"replicaCount": 4})
    release.roll_out()
    yield release
    release.uninstall()
    kubectl("cordon", NODE)


def nodes(release: Release) -> list[str]:
    return [pod["spec"]["nodeName"] for pod in release.pods()]


def test_no_request_is_lost_while_a_node_is_drained(spread):
    assert set(nodes(spread)) == set(layout.NODES)
    wait_for_answers(spread.address())
    with load(spread.address()) as running:
        start = time.monotonic()
        kubectl("drain", NODE, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=120s")
        seconds = round(time.monotonic() - start, 1)
        spread.roll_out()
    figures.note("Under load, drain", seconds=seconds)
    figures.note_load("During drain", running.results)
    assert set(nodes(spread)) == {layout.FIRST.name}
    running.assert_none_lost()
