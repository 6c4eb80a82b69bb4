"""templates/_validate.tpl: combinations of values that are each valid by themselves."""

import pytest

from helm import DIGEST, HELMS, merged, nested, refusal, template

OTHER_DIGEST = "sha256:" + "6" * 64
SPIN = {"image": {"packaging": "spin"}}
COMPONENT = {"image": {"packaging": "component"}}
DROP_ALL = {"securityContext": {"capabilities": {"drop": ["ALL"]}}}
KEEP_ONE = {"securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}}
EXEC = {"exec": {"command": ["true"]}}
REFUSED = {
    "tag and digest that disagree": (
        {"image": {"tag": f"v1@{DIGEST}", "digest": OTHER_DIGEST}},
        "image.tag and image.digest disagree",
    ),
    "drop ALL and add none": (COMPONENT | DROP_ALL, "leaves the process every capability"),
    "spin with a read-only root": (
        merged(SPIN, {"securityContext": {"readOnlyRootFilesystem": True}}),
        "readOnlyRootFilesystem does not work with image.packaging=spin",
    ),
    "spin with a user and no capabilities": (
        merged(SPIN, {"podSecurityContext": {"runAsUser": 65532}}),
        "cannot be both non-root and without capabilities",
    ),
    "spin with a user in the container's context": (
        merged(SPIN, KEEP_ONE, {"securityContext": {"runAsUser": 65532}}),
        "cannot be both non-root and without capabilities",
    ),
    "spin as non-root": (
        merged(SPIN, {"podSecurityContext": {"runAsNonRoot": True}}),
        "cannot be both non-root and without capabilities",
    ),
    "exec as liveness": ({"livenessProbe": EXEC}, "livenessProbe.exec does not work"),
    "exec as readiness": ({"readinessProbe": EXEC}, "readinessProbe.exec does not work"),
    "exec as startup": ({"startupProbe": EXEC}, "startupProbe.exec does not work"),
    "two mechanisms of a probe": (
        {"livenessProbe": {"tcpSocket": {"port": "http"}}},
        "livenessProbe needs exactly one of httpGet, tcpSocket and grpc",
    ),
    "no mechanism of a probe": (
        {"startupProbe": {"periodSeconds": 1}},
        "startupProbe needs exactly one of httpGet, tcpSocket and grpc",
    ),
    "exec as preStop": ({"lifecycle": {"preStop": EXEC}}, "lifecycle.preStop.exec"),
    "a sleep as long as the grace period": (
        {"terminationGracePeriodSeconds": 15},
        "terminationGracePeriodSeconds is 15 and lifecycle.preStop.sleep.seconds is 15",
    ),
    "the listen address in extraEnv": (
        {"extraEnv": [{"name": "SPIN_HTTP_LISTEN_ADDR", "value": "0.0.0.0:80"}]},
        "Set listenAddress and containerPort instead",
    ),
    "memory as a quantity": (
        {"extraEnv": [{"name": "SPIN_MAX_INSTANCE_MEMORY", "value": "64Mi"}]},
        "silently ignores",
    ),
    "variables of a component artifact": (
        COMPONENT | {"spinVariables": {"a": "b"}},
        "spinVariables have no effect with image.packaging=component",
    ),
    "a label of the chart in commonLabels": (
        {"commonLabels": {"app.kubernetes.io/name": "x"}},
        "commonLabels sets app.kubernetes.io/name",
    ),
    "a label of the chart in podLabels": (
        {"podLabels": {"app.kubernetes.io/instance": "x"}},
        "podLabels sets app.kubernetes.io/instance",
    ),
    "a label's key": ({"podLabels": {"a b": "c"}}, "podLabels has the key a b. Write a name such"),
    "an annotation's key": (
        {"service": {"annotations": {"a/b/c": "d"}}},
        "service.annotations has the key a/b/c. Write a name such as team or example.com/team",
    ),
    "a class without a load balancer": (
        {"service": {"type": "ClusterIP", "loadBalancerClass": "x"}},
        "service.loadBalancerClass needs service.type=LoadBalancer",
    ),
    "an address without a load balancer": (
        {"service": {"type": "NodePort", "loadBalancerIP": "203.0.113.7"}},
        "service.loadBalancerIP needs service.type=LoadBalancer",
    ),
    "source ranges without a load balancer": (
        {"service": {"type": "ClusterIP", "loadBalancerSourceRanges": ["203.0.113.0/24"]}},
        "service.loadBalancerSourceRanges needs service.type=LoadBalancer",
    ),
    "an external traffic policy of a ClusterIP": (
        {"service": {"type": "ClusterIP", "externalTrafficPolicy": "Local"}},
        "service.externalTrafficPolicy needs service.type=LoadBalancer or NodePort",
    ),
    "a node port of a ClusterIP": (
        {"service": {"type": "ClusterIP", "nodePort": 30080}},
        "service.nodePort needs service.type=LoadBalancer or NodePort",
    ),
    "a route without a gateway": (
        {"httpRoute": {"enabled": True}},
        "httpRoute.enabled needs httpRoute.parentRefs",
    ),
    "a health check without a route": (
        nested("httpRoute.healthCheckPolicy.enabled", True),
        "httpRoute.healthCheckPolicy.enabled needs httpRoute.enabled",
    ),
    "telemetry that the NetworkPolicy blocks": (
        {"otel": {"endpoint": "http://collector:4318"}},
        "no telemetry would arrive",
    ),
    "minReplicas above maxReplicas": (
        {"autoscaling": {"enabled": True, "minReplicas": 11}},
        "autoscaling.minReplicas is 11, which is more than autoscaling.maxReplicas, 10",
    ),
    "autoscaling without a metric": (
        {"autoscaling": {"enabled": True, "targetCPUUtilizationPercentage": None}},
        "autoscaling.enabled needs a metric",
    ),
    "a progress deadline that minReadySeconds exceeds": (
        {"minReadySeconds": 600},
        "progressDeadlineSeconds is 600 and minReadySeconds is 600",
    ),
    "autoscaling without a CPU request": (
        {"autoscaling": {"enabled": True}, "resources": {"requests": None}},
        "autoscaling.enabled needs resources.requests.cpu",
    ),
    "maxUnavailable 0 and maxSurge 0": (
        nested("strategy.rollingUpdate", {"maxSurge": "0%"}),
        "so no pod could ever be replaced",
    ),
    "Recreate with a rolling update": (
        {"strategy": {"type": "Recreate"}},
        "strategy.type=Recreate takes no strategy.rollingUpdate",
    ),
    "both bounds of the budget": (
        {"podDisruptionBudget": {"minAvailable": 1}},
        "podDisruptionBudget takes either minAvailable or maxUnavailable",
    ),
    "no bound of the budget": (
        {"podDisruptionBudget": {"maxUnavailable": None}},
        "podDisruptionBudget takes either minAvailable or maxUnavailable",
    ),
}


@pytest.mark.parametrize(("values", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_an_invalid_combination_is_refused_with_the_reason(values, words):
    assert words in refusal(values)


@pytest.mark.parametrize("binary", HELMS, ids=["helm 3", "helm 4"])
def test_a_missing_repository_is_refused_with_an_example(binary):
    message = refusal({}, binary=binary, base={})
    assert "image.repository is missing" in message
    assert "--set image.repository=gcr.io/my-project/swiss --set image.digest=" in message
    assert "--set image.packaging=component" in message


ACCEPTED = {
    "tag and digest that agree": {"image": {"tag": f"v1@{DIGEST}", "digest": DIGEST}},
    "a tag beside a digest": {"image": {"tag": "v1", "digest": DIGEST}},
    "a component with a read-only root": merged(
        COMPONENT,
        KEEP_ONE,
        {"securityContext": {"readOnlyRootFilesystem": True, "runAsUser": 65532}},
    ),
    "a digest in the tag": {"image": {"tag": f"v1@{DIGEST}"}},
    "spin with a user and its capabilities": merged(
        SPIN,
        {"podSecurityContext": {"runAsUser": 65532}, "securityContext": {"privileged": False}},
    ),
    "drop ALL and add one": COMPONENT | KEEP_ONE,
    "a probe with tcpSocket and no httpGet": nested(
        "livenessProbe", {"httpGet": None, "tcpSocket": {"port": "http"}}
    ),
    "no sleep": {"lifecycle": None, "terminationGracePeriodSeconds": 1},
    "variables of a container": {"image": {"packaging": "container"}, "spinVariables": {"a": "b"}},
    "memory in bytes": {"extraEnv": [{"name": "SPIN_MAX_INSTANCE_MEMORY", "value": "67108864"}]},
    "telemetry without a policy": {
        "otel": {"endpoint": "http://collector:4318"},
        "networkPolicy": {"enabled": False},
    },
    "Recreate without a rolling update": {"strategy": {"type": "Recreate", "rollingUpdate": None}},
    "no budget and no bound": {"podDisruptionBudget": {"enabled": False, "maxUnavailable": None}},
}


@pytest.mark.parametrize("values", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_similar_valid_combination_is_accepted(values):
    assert template(values)
