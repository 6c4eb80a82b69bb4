"""templates/service.yaml"""

import pytest

from cases import Case
from helm import manifests, only, pod

NODE_PORT = {"service": {"type": "NodePort"}}
CASES = [
    Case("service.type", "NodePort", "Service", "/spec/type", alone=True),
    Case("service.port", 8080, "Service", "/spec/ports/0/port"),
    Case("service.nodePort", 30080, "Service", "/spec/ports/0/nodePort", requires=NODE_PORT),
    Case("service.annotations", {"a": "b"}, "Service", "/metadata/annotations"),
    Case("service.loadBalancerClass", "c.example/lb", "Service", "/spec/loadBalancerClass"),
    Case("service.loadBalancerIP", "203.0.113.7", "Service", "/spec/loadBalancerIP"),
    Case(
        "service.loadBalancerSourceRanges",
        ["203.0.113.0/24"],
        "Service",
        "/spec/loadBalancerSourceRanges",
    ),
    Case("service.externalTrafficPolicy", "Local", "Service", "/spec/externalTrafficPolicy"),
    Case("service.ipFamilyPolicy", "PreferDualStack", "Service", "/spec/ipFamilyPolicy"),
    Case("service.ipFamilies", ["IPv6", "IPv4"], "Service", "/spec/ipFamilies"),
    Case("service.trafficDistribution", "PreferSameZone", "Service", "/spec/trafficDistribution"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_value_is_rendered(case):
    case.check(CASES)


def test_port_80_of_a_load_balancer_forwards_to_the_component():
    spec = only("Service", {})["spec"]
    assert spec["type"] == "LoadBalancer"
    assert spec["ports"] == [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]
    (port,) = pod({})["containers"][0]["ports"]
    assert port["name"] == "http"


def test_the_service_selects_the_pods_of_the_deployment_but_not_the_helm_test_pod():
    selector = only("Service", {})["spec"]["selector"].items()
    assert selector <= only("Deployment", {})["spec"]["template"]["metadata"]["labels"].items()
    (test,) = [m for m in manifests({}) if m["kind"] == "Pod"]
    assert not selector <= test["metadata"]["labels"].items()
