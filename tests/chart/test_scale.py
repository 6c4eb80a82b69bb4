"""templates/{hpa,poddisruptionbudget}.yaml"""

import pytest

from cases import ABSENT, Case
from helm import kinds, merged, only

HPA = {"autoscaling": {"enabled": True}}
KIND = "HorizontalPodAutoscaler"
METRIC = {
    "type": "Pods",
    "pods": {
        "metric": {"name": "requests_per_second"},
        "target": {"type": "AverageValue", "averageValue": "1000"},
    },
}
BEHAVIOR = {"scaleDown": {"stabilizationWindowSeconds": 60}}
NO_MAX = {"podDisruptionBudget": {"maxUnavailable": None, "minAvailable": 2}}


def autoscaling(value, given, pointer, *expected) -> Case:
    return Case(f"autoscaling.{value}", given, KIND, pointer, *expected, requires=HPA)


CASES = [
    Case("autoscaling.enabled", True, KIND, "/kind", KIND),
    autoscaling("minReplicas", 2, "/spec/minReplicas"),
    autoscaling("maxReplicas", 20, "/spec/maxReplicas"),
    autoscaling(
        "targetCPUUtilizationPercentage",
        55,
        "/spec/metrics/0/resource/target/averageUtilization",
    ),
    autoscaling("behavior", BEHAVIOR, "/spec/behavior"),
    autoscaling("metrics", [METRIC], "/spec/metrics/1", METRIC),
    Case("podDisruptionBudget.enabled", False, "PodDisruptionBudget", "/kind", ABSENT, alone=True),
    Case("podDisruptionBudget.maxUnavailable", 2, "PodDisruptionBudget", "/spec/maxUnavailable"),
    Case(
        "podDisruptionBudget.minAvailable",
        "50%",
        "PodDisruptionBudget",
        "/spec/minAvailable",
        requires=NO_MAX,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_value_is_rendered(case):
    case.check(CASES)


def test_there_is_no_autoscaler_by_default():
    assert KIND not in kinds({})


def test_only_the_autoscaler_sets_the_replicas_of_the_deployment():
    target = only(KIND, HPA)["spec"]["scaleTargetRef"]
    assert target == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "k8s-swiss"}
    assert "replicas" not in only("Deployment", HPA)["spec"]


def test_metrics_of_ones_own_can_replace_the_cpu_target():
    own = {"autoscaling": {"targetCPUUtilizationPercentage": None, "metrics": [METRIC]}}
    without_cpu = {"resources": {"requests": {"cpu": None}}}
    assert only(KIND, merged(HPA, own, without_cpu))["spec"]["metrics"] == [METRIC]


def test_a_drain_evicts_one_pod_at_a_time_and_any_pod_that_is_not_ready():
    spec = only("PodDisruptionBudget", {})["spec"]
    assert spec["maxUnavailable"] == 1
    assert "minAvailable" not in spec
    assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert spec["selector"] == only("Deployment", {})["spec"]["selector"]
