"""The effect on Wasm pods of a restart of containerd, which the installation of a shim needs."""

import pytest

from cluster.wait import until

from . import figures, node
from .outside import load, wait_for_answers
from .release import QUICK


class Restarted(Exception):
    """Containers were restarted, which is the expected failure."""


@pytest.mark.own_cluster("the test restarts containerd")
@pytest.mark.xfail(
    raises=Restarted,
    reason="containerd recovers the pods' sandboxes, but not the Wasm containers in them: the "
    "kubelet starts each container a second time, while the first still has the port",
)
def test_a_restart_of_containerd_restarts_no_container_and_loses_no_request(release):
    release.install(QUICK)
    release.roll_out()
    wait_for_answers(release.address())
    with load(release.address()) as running:
        before = node.relisted()
        node.restart_containerd()
        # What the kubelet does about a container, it does after it has listed them.
        synced = lambda: release.restarts() or node.relisted() > before + 10  # noqa: E731
        until("the kubelet has synced every pod", synced, seconds=60)
    figures.note_load("During restart of containerd", running.results)
    figures.note("Restart of containerd", container_restarts=release.restarts())
    if release.restarts():
        raise Restarted
    running.assert_none_lost()
