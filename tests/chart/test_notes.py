"""templates/NOTES.txt: the next command for every kind of exposure, and the warnings.

Helm prints notes only if it reaches a cluster. A server gives the few responses of the
Kubernetes API that a dry run of an installation needs.
"""

import http.server
import json
import os
import threading

import pytest

from environments import ENVIRONMENTS
from helm import CHART, DIGEST, HELM3, HELM4, REPOSITORY_VALUE, helm, merged, nested
from test_cluster import RUNTIME_CLASS
from test_exposure import HOST, INGRESS, ROUTE

# For each group and version, the chart's resources: plural, kind, namespaced or not.
API = {
    "v1": (
        ("namespaces", "Namespace", False),
        ("pods", "Pod", True),
        ("secrets", "Secret", True),
        ("serviceaccounts", "ServiceAccount", True),
        ("services", "Service", True),
    ),
    "apps/v1": (("deployments", "Deployment", True),),
    "autoscaling/v2": (("horizontalpodautoscalers", "HorizontalPodAutoscaler", True),),
    "gateway.networking.k8s.io/v1": (("httproutes", "HTTPRoute", True),),
    "networking.k8s.io/v1": (
        ("ingresses", "Ingress", True),
        ("networkpolicies", "NetworkPolicy", True),
    ),
    "node.k8s.io/v1": (("runtimeclasses", "RuntimeClass", False),),
    "policy/v1": (("poddisruptionbudgets", "PodDisruptionBudget", True),),
}
GROUPS = [
    {"name": group, "versions": [{"groupVersion": f"{group}/{v}", "version": v}]}
    for group, _, v in (name.partition("/") for name in API if name != "v1")
]
KUBE_SYSTEM = "/api/v1/namespaces/kube-system"
RUNTIME_CLASSES = "/apis/node.k8s.io/v1/runtimeclasses"
ANSWERS = {
    "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.3"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "groups": GROUPS},
    KUBE_SYSTEM: {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}},
    # No release yet.
    "/api/v1/namespaces/default/secrets": {"kind": "SecretList", "apiVersion": "v1", "items": []},
} | {
    f"/{'api' if name == 'v1' else 'apis'}/{name}": {
        "kind": "APIResourceList",
        "groupVersion": name,
        "resources": [
            {"name": plural, "kind": kind, "namespaced": inside, "verbs": ["get", "create"]}
            for plural, kind, inside in resources
        ],
    }
    for name, resources in API.items()
}
INSTALLED = {
    f"{RUNTIME_CLASSES}/wasmtime-spin-v2": {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": "wasmtime-spin-v2"},
        "handler": "spin",
    }
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A function that returns the notes, or the manifest, of a dry run in a cluster with
    given answers."""
    answers: dict = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One packet for each answer: a second one would wait for an acknowledgement.
        wbufsize = -1

        def do_GET(self):
            found = answers.get(self.path.partition("?")[0])
            missing = {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}
            content = json.dumps(found or missing).encode()
            self.send_response(200 if found else 404)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    home = tmp_path_factory.mktemp("home")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "KUBECONFIG": str(home / "none")}

    def notes(
        values: dict,
        known: dict,
        *,
        binary: str = HELM4,
        files: tuple = (),
        part: str = "NOTES",
    ) -> str:
        answers.clear()
        answers.update(ANSWERS | known)
        url = f"http://127.0.0.1:{listening.server_address[1]}"
        dry_run = ("--dry-run=server", "--disable-openapi-validation", "--kube-apiserver", url)
        paths = [argument for file in files for argument in ("--values", str(CHART / file))]
        values = merged(REPOSITORY_VALUE, values)
        result = helm(
            binary, "install", "k8s", str(CHART), *dry_run, *paths, values=values, env=environment
        )
        assert result.returncode == 0, result.stderr
        before, after = result.stdout.split("\nNOTES:\n")
        return after if part == "NOTES" else before.split("\nMANIFEST:\n")[1]

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield notes
        listening.shutdown()


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
    assert "WARNING" not in notes


@pytest.mark.parametrize("binary", [HELM3, HELM4], ids=["helm 3", "helm 4"])
def test_the_notes_warn_of_a_missing_runtime_class(cluster, binary):
    warning = "WARNING: the cluster has no RuntimeClass wasmtime-spin-v2"
    assert warning in cluster({}, {}, binary=binary)
    assert warning not in cluster({}, INSTALLED, binary=binary)
    assert "RuntimeClass other" in cluster({"runtimeClassName": "other"}, INSTALLED, binary=binary)


def test_the_notes_do_not_warn_if_the_chart_creates_the_runtime_class(cluster):
    assert "WARNING" not in cluster(RUNTIME_CLASS, {})


def test_the_notes_do_not_warn_if_lookup_finds_no_cluster(cluster):
    assert "WARNING" not in cluster({}, {KUBE_SYSTEM: None})


def test_the_notes_warn_of_a_second_load_balancer(cluster):
    assert "besides the Ingress, the Service creates a load balancer" in cluster(INGRESS, INSTALLED)
    assert "besides the Gateway, the Service creates a load balancer" in cluster(ROUTE, INSTALLED)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "the pods run as root"),
        (nested("image.packaging", "component"), "the pods run as user 65532"),
        ({"securityContext": {"privileged": False}}, "replaces the default for"),
    ],
    ids=["spin", "component", "custom"],
)
def test_the_notes_name_the_security_context_in_effect(cluster, values, words):
    notes = cluster(values, INSTALLED)
    assert words in notes
    assert notes.count("Security: ") == 1


def test_the_notes_say_who_sets_the_number_of_pods(cluster):
    notes = cluster({"replicaCount": None}, INSTALLED)
    assert " in as many pods as your autoscaler sets, in the namespace" in notes


def test_an_upgrade_takes_the_defaults_of_a_new_chart(cluster):
    """With --reuse-values, Helm would lack the values that the new chart has added."""
    notes = cluster({}, {})
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
