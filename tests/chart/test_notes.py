"""templates/NOTES.txt: the next command for every kind of exposure, and the warnings."""

import pytest

from api_server import INSTALLED, runtime_classes
from environments import ENVIRONMENTS
from helm import DIGEST, HELM3, HELM4, merged, nested
from test_cluster import RUNTIME_CLASS
from test_exposure import HOST, INGRESS, ROUTE


def service(kind: str) -> dict:
    return nested("service.type", kind)


NODE_PORT = "NODE=$(kubectl get nodes -o jsonpath='{.items[0].status.addresses[0].address}')"
EXPOSURES = {
    "load balancer": ({}, "curl http://$ADDRESS/will"),
    "load balancer on another port": (
        nested("service.port", 8080),
        "curl http://$ADDRESS:8080/will",
    ),
    "load balancer with an IPv6 address": (
        nested("service.ipFamilies", ["IPv6"]),
        "curl http://[$ADDRESS]/will",
    ),
    "node port": (service("NodePort"), NODE_PORT),
    "cluster IP": (
        service("ClusterIP"),
        "kubectl -n default port-forward service/k8s-swiss 8080:80 &",
    ),
    "ingress": (
        merged(INGRESS, service("ClusterIP")),
        "ADDRESS=$(kubectl -n default get ingress k8s-swiss",
    ),
    "ingress with a host": (
        merged(INGRESS, service("ClusterIP"), {"ingress": {"hosts": [HOST]}}),
        'curl -H "Host: swiss.example" http://$ADDRESS/will',
    ),
    "gateway": (
        merged(ROUTE, service("ClusterIP")),
        "ADDRESS=$(kubectl -n default get gateway external",
    ),
    "gateway with a host": (
        merged(ROUTE, service("ClusterIP"), nested("httpRoute.hostnames", ["swiss.example"])),
        'curl -H "Host: swiss.example" http://$ADDRESS/will',
    ),
}


@pytest.mark.parametrize(("values", "command"), EXPOSURES.values(), ids=EXPOSURES.keys())
def test_the_next_command_fits_the_exposure(cluster, values, command):
    notes = cluster(values, INSTALLED)
    assert f"  {command}" in notes
    assert "kubectl -n default rollout status deployment/k8s-swiss" in notes
    assert "helm test k8s -n default\n" in notes
    assert "kubectl -n default get events --field-selector reason=FailedCreate" in notes
    assert "WARNING" not in notes


LOOK = {"lookup": {"runtimeClass": True}}


@pytest.mark.parametrize("binary", [HELM3, HELM4], ids=["helm 3", "helm 4"])
def test_the_notes_warn_of_a_missing_runtime_class_where_they_may_look(cluster, binary):
    warning = "WARNING: the cluster has no RuntimeClass wasmtime-spin-v2"
    assert warning in cluster(LOOK, runtime_classes("other"), binary=binary)
    assert warning in cluster(LOOK, runtime_classes(), binary=binary)
    assert warning not in cluster(LOOK, INSTALLED, binary=binary)
    assert warning not in cluster({}, runtime_classes(), binary=binary)
    other = LOOK | {"runtimeClassName": "other"}
    assert "RuntimeClass other, so" in cluster(other, INSTALLED, binary=binary)


def test_the_notes_do_not_warn_if_the_chart_creates_the_runtime_class(cluster):
    assert "WARNING" not in cluster(LOOK | RUNTIME_CLASS, runtime_classes())


def test_the_notes_warn_of_a_second_load_balancer(cluster):
    assert "besides the Ingress, the Service creates a load balancer" in cluster(INGRESS, INSTALLED)
    assert "besides the Gateway, the Service creates a load balancer" in cluster(ROUTE, INSTALLED)


def test_the_notes_say_who_sets_the_number_of_pods(cluster):
    notes = cluster({"replicaCount": None}, INSTALLED)
    assert " in as many pods as your autoscaler sets, in the namespace" in notes


def test_an_upgrade_takes_the_defaults_of_a_new_chart(cluster):
    """With --reuse-values, Helm would lack the values that the new chart has added."""
    notes = cluster(LOOK, runtime_classes())
    assert "--reset-then-reuse-values" in notes
    assert "--reuse-values" not in notes


def test_the_notes_recommend_a_digest_instead_of_a_tag(cluster):
    assert "--set image.digest=sha256:..." in cluster({}, INSTALLED)
    assert "image.digest=" not in cluster(nested("image.digest", DIGEST), INSTALLED)


@pytest.mark.parametrize("environment", ["dev", "qa", "prod", "gke"])
def test_the_notes_of_the_environments_have_no_gaps(cluster, environment):
    files, values = ENVIRONMENTS[environment]
    notes = cluster(values, INSTALLED, files=files)
    assert notes.startswith("swiss runs gcr.io/project/swiss")
    assert "<no value>" not in notes
    assert "\n\n\n" not in notes
