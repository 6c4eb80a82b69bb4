"""What a restart of containerd does to Wasm pods: an installer of shims needs one."""

import time

import pytest

from cluster.wait import until

from . import figures, node
from .outside import answers, load
from .release import QUICK


@pytest.mark.own_cluster("its containerd is not ours to restart")
@pytest.mark.xfail(
    reason="containerd finds the pods' sandboxes again, not the Wasm containers in them: the "
    "kubelet starts each a second time, while the first still has the port"
)
def test_a_restart_of_containerd_is_not_noticed(release):
    release.install(QUICK)
    release.roll_out()
    answers(release.address())
    with load(release.address()) as running:
        node.restart_containerd()
        # The kubelet has looked at every pod by then.
        later = time.monotonic() + 10
        until("the kubelet has looked", lambda: time.monotonic() > later, seconds=11)
    figures.note_load("During restart of containerd", running.results)
    figures.note("Restart of containerd", container_restarts=release.restarts())
    assert release.restarts() == 0
    running.assert_none_lost()
