"""templates/{ingress,httproute,healthcheckpolicy}.yaml"""

import pytest

from cases import Case
from helm import kinds, merged, only

INGRESS = {"ingress": {"enabled": True}}
ROUTE = {"httpRoute": {"enabled": True, "parentRefs": [{"name": "external"}]}}
POLICY = merged(ROUTE, {"httpRoute": {"healthCheckPolicy": {"enabled": True}}})
HOST = {"host": "swiss.example", "paths": [{"path": "/", "pathType": "Prefix"}]}
TLS = [{"hosts": ["swiss.example"], "secretName": "cert"}]


def ingress(value, given, pointer, *expected) -> Case:
    return Case(f"ingress.{value}", given, "Ingress", pointer, *expected, requires=INGRESS)


def route(value, given, pointer, *expected) -> Case:
    return Case(f"httpRoute.{value}", given, "HTTPRoute", pointer, *expected, requires=ROUTE)


def policy(value, given, pointer) -> Case:
    value = f"httpRoute.healthCheckPolicy.{value}"
    return Case(value, given, "HealthCheckPolicy", f"/spec/default/{pointer}", requires=POLICY)


CASES = [
    Case("ingress.enabled", True, "Ingress", "/kind", "Ingress"),
    ingress("className", "nginx", "/spec/ingressClassName"),
    ingress("annotations", {"a": "b"}, "/metadata/annotations"),
    ingress("hosts", [HOST], "/spec/rules/0/host", "swiss.example"),
    ingress("hosts", [HOST], "/spec/rules/0/http/paths/0/path", "/"),
    ingress("hosts", [HOST], "/spec/rules/0/http/paths/0/pathType", "Prefix"),
    ingress("tls", TLS, "/spec/tls"),
    Case("httpRoute", ROUTE["httpRoute"], "HTTPRoute", "/kind", "HTTPRoute"),
    route("annotations", {"a": "b"}, "/metadata/annotations"),
    route("parentRefs", [{"name": "other"}], "/spec/parentRefs/0/name", "other"),
    route("hostnames", ["swiss.example"], "/spec/hostnames"),
    route("rules", [{"name": "all"}], "/spec/rules/0/name", "all"),
    Case(
        "httpRoute.healthCheckPolicy.enabled",
        True,
        "HealthCheckPolicy",
        "/kind",
        "HealthCheckPolicy",
        requires=ROUTE,
    ),
    policy("requestPath", "/will", "config/httpHealthCheck/requestPath"),
    policy("checkIntervalSec", 9, "checkIntervalSec"),
    policy("timeoutSec", 4, "timeoutSec"),
    policy("healthyThreshold", 2, "healthyThreshold"),
    policy("unhealthyThreshold", 5, "unhealthyThreshold"),
    Case(
        "containerPort",
        5001,
        "HealthCheckPolicy",
        "/spec/default/config/httpHealthCheck/port",
        requires=POLICY,
    ),
    Case("service.port", 8080, "HTTPRoute", "/spec/rules/0/backendRefs/0/port", requires=ROUTE),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_value_is_rendered(case):
    case.check(CASES)


def test_only_a_service_exposes_the_pods_by_default():
    assert not kinds({}) & {"Ingress", "HTTPRoute", "HealthCheckPolicy"}


def test_an_ingress_sends_only_the_two_routes_to_the_service():
    (rule,) = only("Ingress", INGRESS)["spec"]["rules"]
    backend = {"service": {"name": "k8s-swiss", "port": {"name": "http"}}}
    assert rule["http"]["paths"] == [
        {"path": path, "pathType": "Exact", "backend": backend} for path in ("/will", "/ready")
    ]


def test_an_http_route_sends_only_the_two_routes_to_the_service():
    (rule,) = only("HTTPRoute", ROUTE)["spec"]["rules"]
    (backend,) = rule["backendRefs"]
    assert {"name": "k8s-swiss", "port": 80}.items() <= backend.items()
    paths = [match["path"] for match in rule["matches"]]
    assert paths == [{"type": "Exact", "value": path} for path in ("/will", "/ready")]


def test_google_s_load_balancer_checks_the_readiness_of_the_pods():
    spec = only("HealthCheckPolicy", POLICY)["spec"]
    assert spec["targetRef"] == {"group": "", "kind": "Service", "name": "k8s-swiss"}
    check = {"port": 5000, "requestPath": "/ready"}
    assert spec["default"]["config"] == {"type": "HTTP", "httpHealthCheck": check}
