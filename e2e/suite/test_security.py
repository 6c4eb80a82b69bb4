"""What a pod may do: read from /proc of its process, not from the manifest."""

import pytest

from . import node
from .commands import get
from .release import QUICK, is_ready

pytestmark = pytest.mark.own_cluster("only its /proc is at hand")


@pytest.fixture
def process(release):
    release.install(QUICK, {"replicaCount": 1})
    release.roll_out()
    (pod,) = release.pods()
    return node.process(pod)


def test_the_process_has_no_more_rights_than_restricted_allows(process, namespace):
    labels = get("namespace", namespace)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    status = node.status(process)
    assert status["Uid"].split() == ["65532"] * 4
    assert status["Gid"].split() == ["65532"] * 4
    # NET_BIND_SERVICE, capability 10, and no other.
    assert int(status["CapEff"], 16) == 1 << 10
    assert int(status["CapBnd"], 16) == 1 << 10
    assert status["Seccomp"] == "2", "no seccomp filter"
    assert status["NoNewPrivs"] == "1"


def test_the_root_is_read_only_and_no_token_is_mounted(process):
    mounts = node.mounts(process)
    assert "ro" in mounts["/"]
    assert "rw" in mounts["/.cache"]
    assert not [path for path in mounts if "serviceaccount" in path]


def test_with_nothing_added_the_process_has_every_capability(release):
    """Why the chart adds one: a control for the test above, as it would fail."""
    security = {"capabilities": {"drop": ["ALL"], "add": None}}
    # The chart refuses this, so the Deployment is changed behind its back.
    release.install(QUICK, {"replicaCount": 1})
    release.roll_out()
    release.patch_container({"securityContext": security})
    release.roll_out()
    (pod,) = [pod for pod in release.pods() if is_ready(pod)]
    assert int(node.status(node.process(pod))["CapEff"], 16).bit_count() > 30
