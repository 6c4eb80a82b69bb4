"""templates/_scale.tpl: a budget that lets no pod be evicted blocks every drain."""

import pytest

from helm import merged, refusal, template
from test_scale import HPA


def budget(**bounds) -> dict:
    return {"podDisruptionBudget": {"maxUnavailable": None, **bounds}}


# Kubernetes rounds a percentage up: 67% of 3 pods is 3, and 34% is 2.
BLOCKING = {
    "maxUnavailable 0": budget(maxUnavailable=0),
    "maxUnavailable 0%": budget(maxUnavailable="0%"),
    "maxUnavailable 00%": budget(maxUnavailable="00%"),
    "all pods": budget(minAvailable=3),
    "more than all pods": budget(minAvailable=4),
    "100%": budget(minAvailable="100%"),
    "100% of an unknown number": merged(budget(minAvailable="100%"), {"replicaCount": None}),
    "100% of no pods": merged(budget(minAvailable="100%"), {"replicaCount": 0}),
    "maxUnavailable 0 of an unknown number": budget(maxUnavailable=0) | {"replicaCount": None},
    "a percentage that is rounded up to all pods": budget(minAvailable="67%"),
    "any percentage of one pod": budget(minAvailable="1%") | {"replicaCount": 1},
    "one of one pod": budget(minAvailable=1) | {"replicaCount": 1},
    "all pods of the autoscaler's minimum": merged(HPA, budget(minAvailable=3)),
    "a percentage of the autoscaler's minimum": merged(
        HPA, budget(minAvailable="60%"), {"autoscaling": {"minReplicas": 2}, "replicaCount": 9}
    ),
}


@pytest.mark.parametrize("values", BLOCKING.values(), ids=BLOCKING.keys())
def test_a_budget_that_blocks_every_drain_is_refused(values):
    message = refusal(values)
    assert "no node could ever be drained" in message
    assert "set podDisruptionBudget.mayBlockDrains to true" in message


def test_a_value_asks_for_a_budget_that_blocks_every_drain():
    for each in ("maxUnavailable 0", "100%", "all pods"):
        assert template(merged(BLOCKING[each], {"podDisruptionBudget": {"mayBlockDrains": True}}))


ACCEPTED = {
    "1%": budget(maxUnavailable="1%"),
    "a percentage that leaves one pod": budget(minAvailable="66%"),
    "all but one": budget(minAvailable=4) | {"replicaCount": 5},
    "a number, while nobody knows how many pods there are": budget(minAvailable=3)
    | {"replicaCount": None},
    "a release that is scaled to nothing": budget(minAvailable=2) | {"replicaCount": 0},
    "no budget": {"podDisruptionBudget": {"enabled": False, "maxUnavailable": 0}},
}


@pytest.mark.parametrize("values", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_budget_that_allows_drains_is_accepted(values):
    assert template(values)
