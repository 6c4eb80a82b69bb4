"""templates/_validate.tpl: values that are right each by itself and wrong together."""

import pytest

from helm import DIGEST, HELMS, merged, nested, refusal, template

OTHER_DIGEST = "sha256:" + "6" * 64
SPIN = {"image": {"packaging": "spin"}}
COMPONENT = {"image": {"packaging": "component"}}
DROP_ALL = {"securityContext": {"capabilities": {"drop": ["ALL"]}}}
DROP_WELL = {"securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}}
EXEC = {"exec": {"command": ["true"]}}
TOGETHER = {
    "tag and digest that disagree": (
        {"image": {"tag": f"v1@{DIGEST}", "digest": OTHER_DIGEST}},
        "image.tag and image.digest disagree",
    ),
    "drop ALL and nothing else": (COMPONENT | DROP_ALL, "leaves the process every capability"),
    "spin with a read-only root": (
        merged(SPIN, {"securityContext": {"readOnlyRootFilesystem": True}}),
        "readOnlyRootFilesystem cannot be with image.packaging=spin",
    ),
    "spin with a user and no capabilities": (
        merged(SPIN, {"podSecurityContext": {"runAsUser": 65532}}),
        "cannot be both non-root and without capabilities",
    ),
    "spin with a user of the container": (
        merged(SPIN, DROP_WELL, {"securityContext": {"runAsUser": 65532}}),
        "cannot be both non-root and without capabilities",
    ),
    "spin as non-root": (
        merged(SPIN, {"podSecurityContext": {"runAsNonRoot": True}}),
        "cannot be both non-root and without capabilities",
    ),
    "exec as liveness": ({"livenessProbe": EXEC}, "livenessProbe.exec does not work"),
    "exec as readiness": ({"readinessProbe": EXEC}, "readinessProbe.exec does not work"),
    "exec as startup": ({"startupProbe": EXEC}, "startupProbe.exec does not work"),
    "two handlers of a probe": (
        {"livenessProbe": {"tcpSocket": {"port": "http"}}},
        "livenessProbe needs exactly one of httpGet, tcpSocket and grpc",
    ),
    "no handler of a probe": (
        {"startupProbe": {"periodSeconds": 1}},
        "startupProbe needs exactly one of httpGet, tcpSocket and grpc",
    ),
    "exec before the stop": ({"lifecycle": {"preStop": EXEC}}, "lifecycle.preStop.exec"),
    "a sleep as long as the grace": (
        {"terminationGracePeriodSeconds": 15},
        "terminationGracePeriodSeconds is 15 and lifecycle.preStop.sleep.seconds 15",
    ),
    "the address by extraEnv": (
        {"extraEnv": [{"name": "SPIN_HTTP_LISTEN_ADDR", "value": "0.0.0.0:80"}]},
        "Set containerPort.",
    ),
    "memory as a quantity": (
        {"extraEnv": [{"name": "SPIN_MAX_INSTANCE_MEMORY", "value": "64Mi"}]},
        "silently ignores",
    ),
    "variables of a component artifact": (
        COMPONENT | {"spinVariables": {"a": "b"}},
        "spinVariables have no effect with image.packaging=component",
    ),
    "a common label of the chart's": (
        {"commonLabels": {"app.kubernetes.io/name": "x"}},
        "commonLabels sets app.kubernetes.io/name",
    ),
    "a pod label of the chart's": (
        {"podLabels": {"app.kubernetes.io/instance": "x"}},
        "podLabels sets app.kubernetes.io/instance",
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
    "a policy for traffic that cannot come": (
        {"service": {"type": "ClusterIP", "externalTrafficPolicy": "Local"}},
        "service.externalTrafficPolicy needs service.type=LoadBalancer or NodePort",
    ),
    "a node's port of a ClusterIP": (
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
    "telemetry that the policy keeps in": (
        {"otel": {"endpoint": "http://collector:4318"}},
        "no telemetry would arrive",
    ),
    "more pods at least than at most": (
        {"autoscaling": {"enabled": True, "minReplicas": 11}},
        "autoscaling.minReplicas is 11, more than autoscaling.maxReplicas, 10",
    ),
    "a percentage of nothing": (
        {"autoscaling": {"enabled": True}, "resources": {"requests": None}},
        "autoscaling.enabled needs resources.requests.cpu",
    ),
    "nobody may go and nobody may come": (
        nested("strategy.rollingUpdate", {"maxSurge": "0%"}),
        "so no pod could ever be replaced",
    ),
    "all at once and one by one": (
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
    "a budget that stops every drain": (
        {"podDisruptionBudget": {"maxUnavailable": None, "minAvailable": 3}},
        "no node could ever be drained",
    ),
}


@pytest.mark.parametrize(("values", "words"), TOGETHER.values(), ids=TOGETHER.keys())
def test_what_cannot_be_together_is_refused_with_the_reason(values, words):
    assert words in refusal(values)


@pytest.mark.parametrize("binary", HELMS, ids=["helm 3", "helm 4"])
def test_a_missing_repository_is_refused_with_the_way_to_set_it(binary):
    message = refusal({}, binary=binary, base={})
    assert "image.repository is missing" in message
    assert "--set image.repository=gcr.io/PROJECT/swiss --set image.tag=v1" in message


RIGHT = {
    "tag and digest that agree": {"image": {"tag": f"v1@{DIGEST}", "digest": DIGEST}},
    "a tag beside a digest": {"image": {"tag": "v1", "digest": DIGEST}},
    "a component with a read-only root": merged(
        COMPONENT,
        DROP_WELL,
        {"securityContext": {"readOnlyRootFilesystem": True, "runAsUser": 65532}},
    ),
    "a digest in the tag": {"image": {"tag": f"v1@{DIGEST}"}},
    "a user with its capabilities": merged(
        SPIN,
        {"podSecurityContext": {"runAsUser": 65532}, "securityContext": {"privileged": False}},
    ),
    "drop ALL and add one": COMPONENT | DROP_WELL,
    "another handler of a probe": nested(
        "livenessProbe", {"httpGet": None, "tcpSocket": {"port": "http"}}
    ),
    "no sleep": {"lifecycle": None, "terminationGracePeriodSeconds": 1},
    "variables of a container": {"image": {"packaging": "container"}, "spinVariables": {"a": "b"}},
    "memory in bytes": {"extraEnv": [{"name": "SPIN_MAX_INSTANCE_MEMORY", "value": "67108864"}]},
    "telemetry without a policy": {
        "otel": {"endpoint": "http://collector:4318"},
        "networkPolicy": {"enabled": False},
    },
    "recreated": {"strategy": {"type": "Recreate", "rollingUpdate": None}},
    "a budget in percent": {"podDisruptionBudget": {"maxUnavailable": None, "minAvailable": "50%"}},
    "a budget below the fewest pods": {
        "replicaCount": 5,
        "podDisruptionBudget": {"maxUnavailable": None, "minAvailable": 4},
    },
    "no budget and no bound": {"podDisruptionBudget": {"enabled": False, "maxUnavailable": None}},
}


@pytest.mark.parametrize("values", RIGHT.values(), ids=RIGHT.keys())
def test_what_is_near_it_and_right_is_let_through(values):
    assert template(values)
