"""Who sets the number of pods: replicaCount, or an autoscaler."""

import pytest

from .commands import HELMS, get
from .release import QUICK, Release

HPA = {"autoscaling": {"enabled": True}}
BY_OTHERS = {"the autoscaler": HPA, "another autoscaler": {"replicaCount": None}}

pytestmark = pytest.mark.parametrize("helm", HELMS.values(), ids=HELMS)


def names(release: Release) -> set[str]:
    return {pod["metadata"]["name"] for pod in release.pods()}


def replicas(release: Release) -> int:
    deployment = get("deployment", "--namespace", release.namespace, release.deployment)
    return deployment["spec"]["replicas"]


@pytest.mark.parametrize("values", BY_OTHERS.values(), ids=BY_OTHERS)
def test_a_switch_to_an_autoscaler_removes_no_pod(release, helm, values):
    """If `replicas` vanished from the manifest, the API server would set one, and two pods
    would end before the autoscaler's next turn. The same pods show that none did."""
    release.helm = helm
    release.install(QUICK)
    release.roll_out()
    before = names(release)
    assert len(before) == 3

    release.upgrade(QUICK, values)
    assert replicas(release) == 3
    assert names(release) == before

    # An autoscaler changes the number. The next upgrade leaves it.
    release.scale(5)
    release.upgrade(QUICK, values)
    assert replicas(release) == 5

    # Back to a fixed number.
    release.scale(3)
    release.upgrade(QUICK)
    assert replicas(release) == 3


def test_a_rollback_leaves_the_number_to_the_autoscaler_of_the_first_installation(release, helm):
    release.helm = helm
    release.install(QUICK, HPA)
    release.scale(3)
    release.upgrade(QUICK, HPA, {"podAnnotations": {"revision": "two"}})
    release.scale(5)
    release.rollback()
    assert replicas(release) == 5
