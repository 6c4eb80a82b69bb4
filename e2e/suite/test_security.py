"""The rights of a pod's process, read from /proc and not from the manifest."""

import pytest

from . import node
from .commands import get
from .release import QUICK, is_ready

pytestmark = pytest.mark.own_cluster("the test reads /proc of the pods' processes")


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
    # Only NET_BIND_SERVICE, capability 10.
    assert int(status["CapEff"], 16) == 1 << 10
    assert int(status["CapBnd"], 16) == 1 << 10
    assert status["Seccomp"] == "2", "no seccomp filter"
    assert status["NoNewPrivs"] == "1"


def test_the_root_is_read_only_and_no_token_is_mounted(process):
    mounts = node.mounts(process)
    assert "ro" in mounts["/"]
    assert "rw" in mounts["/.cache"]
    assert not [path for path in mounts if "serviceaccount" in path]


def test_without_an_added_capability_the_process_has_nearly_all(release):
    """The control: the reason why the chart adds a capability."""
    security = {"capabilities": {"drop": ["ALL"], "add": None}}
    # The chart refuses these values, so the test patches the Deployment.
    release.install(QUICK, {"replicaCount": 1})
    release.roll_out()
    release.patch_container({"securityContext": security})
    release.roll_out()
    (pod,) = [pod for pod in release.pods() if is_ready(pod)]
    assert int(node.status(node.process(pod))["CapEff"], 16).bit_count() > 30
