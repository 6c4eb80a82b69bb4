"""templates/{_gke.tpl,gce.yaml}: GKE's Ingress controller and Google's health checks."""

import json

import pytest

from cases import Case
from helm import kinds, merged, nested, only, refusal, template
from test_exposure import INGRESS, POLICY

GCE = merged(INGRESS, nested("ingress.className", "gce"))
CERTIFICATE = nested("ingress.gce.managedCertificate.domains", ["swiss.example"])
REDIRECT = nested("ingress.gce.frontendConfig", {"redirectToHttps": {"enabled": True}})
KINDS = {"BackendConfig", "FrontendConfig", "ManagedCertificate"}


def check(field, given) -> Case:
    value, pointer = f"ingress.gce.healthCheck.{field}", f"/spec/healthCheck/{field}"
    return Case(value, given, "BackendConfig", pointer, requires=GCE)


CASES = [
    check("requestPath", "/will"),
    check("checkIntervalSec", 9),
    check("timeoutSec", 4),
    check("healthyThreshold", 2),
    check("unhealthyThreshold", 5),
    Case("containerPort", 5001, "BackendConfig", "/spec/healthCheck/port", requires=GCE),
    Case(
        "ingress.gce.backendConfig",
        {"timeoutSec": 10},
        "BackendConfig",
        "/spec/timeoutSec",
        10,
        requires=GCE,
    ),
    Case(
        "ingress.gce.frontendConfig",
        {"sslPolicy": "modern"},
        "FrontendConfig",
        "/spec/sslPolicy",
        "modern",
        requires=GCE,
    ),
    Case(
        "ingress.gce.managedCertificate.domains",
        ["swiss.example"],
        "ManagedCertificate",
        "/spec/domains",
        requires=GCE,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_value_is_rendered(case):
    case.check(CASES)


@pytest.mark.parametrize("name", ["gce", "gce-internal"])
@pytest.mark.parametrize("where", ["className", "annotations"])
def test_gke_reads_its_class_from_an_annotation_only(name, where):
    annotation = {"kubernetes.io/ingress.class": name}
    given = {"className": name, "annotations": annotation}[where]
    values = merged(INGRESS, nested(f"ingress.{where}", given))
    rendered = only("Ingress", values)
    assert rendered["metadata"]["annotations"] == annotation
    assert "ingressClassName" not in rendered["spec"]


def test_gke_checks_the_readiness_of_the_pods_and_sends_requests_directly_to_them():
    annotations = only("Service", GCE)["metadata"]["annotations"]
    assert json.loads(annotations["cloud.google.com/neg"]) == {"ingress": True}
    name = only("BackendConfig", GCE)["metadata"]["name"]
    assert json.loads(annotations["cloud.google.com/backend-config"]) == {"default": name}
    health_check = only("BackendConfig", GCE)["spec"]["healthCheck"]
    assert (health_check["port"], health_check["requestPath"]) == (5000, "/ready")


def test_the_ingress_names_its_certificate_and_its_front_end():
    annotations = only("Ingress", merged(GCE, CERTIFICATE, REDIRECT))["metadata"]["annotations"]
    assert annotations["networking.gke.io/managed-certificates"] == "k8s-swiss"
    assert annotations["networking.gke.io/v1beta1.FrontendConfig"] == "k8s-swiss"


def test_annotations_of_the_service_take_precedence():
    own = {"cloud.google.com/backend-config": '{"default": "mine"}'}
    annotations = only("Service", merged(GCE, nested("service.annotations", own)))["metadata"]
    assert own.items() <= annotations["annotations"].items()


def test_other_ingress_classes_and_clusters_get_no_resources_of_gke():
    assert not KINDS & kinds({})
    assert not KINDS & kinds(merged(INGRESS, nested("ingress.className", "nginx")))
    assert KINDS & kinds(GCE) == {"BackendConfig"}
    assert "annotations" not in only("Service", INGRESS)["metadata"]


@pytest.mark.parametrize(
    "values",
    [
        CERTIFICATE,
        merged(INGRESS, REDIRECT),
        merged(GCE, {"ingress": {"className": "nginx"}}, REDIRECT),
        merged(GCE, {"ingress": {"className": "gce-internal"}}, CERTIFICATE),
    ],
    ids=["no Ingress", "no class", "another class", "the internal class"],
)
def test_what_only_the_external_load_balancer_has_is_refused_elsewhere(values):
    assert "need ingress.enabled and ingress.className=gce" in refusal(values)


def test_a_class_that_is_there_twice_is_refused():
    ingress = {"className": "nginx", "annotations": {"kubernetes.io/ingress.class": "nginx"}}
    assert "are both set" in refusal(merged(INGRESS, {"ingress": ingress}))


CHECKS = {
    "httpRoute.healthCheckPolicy": POLICY,
    "ingress.gce.healthCheck": GCE,
}


@pytest.mark.parametrize(("path", "values"), CHECKS.items(), ids=CHECKS.keys())
@pytest.mark.parametrize(("field", "given"), [("checkIntervalSec", 2), ("timeoutSec", 6)])
def test_a_health_check_whose_timeout_exceeds_its_interval_is_refused(path, values, field, given):
    message = refusal(merged(values, nested(f"{path}.{field}", given)))
    assert f"{path}.timeoutSec is" in message
    assert "more than checkIntervalSec" in message


@pytest.mark.parametrize(("path", "values"), CHECKS.items(), ids=CHECKS.keys())
def test_a_health_check_whose_timeout_is_its_interval_is_accepted(path, values):
    equal = {"checkIntervalSec": 2, "timeoutSec": 2}
    assert template(merged(values, nested(path, equal)))
