"""templates/NOTES.txt: the next command for every way in, and what to look out for.

Helm prints notes only where it believes a cluster is, so it gets one to ask: the
few answers of a Kubernetes API that it needs for an installation on trial.
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

# Group and version, and what of it the chart has: resource, kind, is it in a namespace?
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
    """Installs on trial, in a cluster that gives these answers, and returns the notes."""
    answers: dict = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One packet an answer: the second of two would wait for an acknowledgement.
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

    def notes(values: dict, known: dict, *, binary: str = HELM4, files: tuple = ()) -> str:
        answers.clear()
        answers.update(ANSWERS | known)
        url = f"http://127.0.0.1:{listening.server_address[1]}"
        trial = ("--dry-run=server", "--disable-openapi-validation", "--kube-apiserver", url)
        paths = [argument for file in files for argument in ("--values", str(CHART / file))]
        values = merged(REPOSITORY_VALUE, values)
        result = helm(
            binary, "install", "k8s", str(CHART), *trial, *paths, values=values, env=environment
        )
        assert result.returncode == 0, result.stderr
        return result.stdout.split("\nNOTES:\n")[1]

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield notes
        listening.shutdown()


def service(kind: str) -> dict:
    return nested("service.type", kind)


NODE_PORT = "NODE=$(kubectl get nodes -o jsonpath='{.items[0].status.addresses[0].address}')"
WAYS_IN = {
    "load balancer": ({}, "curl http://$ADDRESS/will"),
    "load balancer on another port": (
        nested("service.port", 8080),
        "curl http://$ADDRESS:8080/will",
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


@pytest.mark.parametrize(("values", "command"), WAYS_IN.values(), ids=WAYS_IN.keys())
def test_the_next_command_fits_the_way_in(cluster, values, command):
    notes = cluster(values, INSTALLED)
    assert f"  {command}" in notes
    assert "kubectl -n default rollout status deployment/k8s-swiss" in notes
    assert "helm test k8s -n default\n" in notes
    assert "WARNING" not in notes


@pytest.mark.parametrize("binary", [HELM3, HELM4], ids=["helm 3", "helm 4"])
def test_a_missing_runtime_class_is_warned_of(cluster, binary):
    warning = "WARNING: the cluster has no RuntimeClass wasmtime-spin-v2"
    assert warning in cluster({}, {}, binary=binary)
    assert warning not in cluster({}, INSTALLED, binary=binary)
    assert "RuntimeClass other" in cluster({"runtimeClassName": "other"}, INSTALLED, binary=binary)


def test_no_runtime_class_is_missed_that_the_chart_makes(cluster):
    assert "WARNING" not in cluster(RUNTIME_CLASS, {})


def test_nothing_is_said_of_a_cluster_that_must_not_be_asked(cluster):
    assert "WARNING" not in cluster({}, {KUBE_SYSTEM: None})


def test_two_ways_in_are_warned_of(cluster):
    assert "has a load balancer of its own besides the Ingress" in cluster(INGRESS, INSTALLED)
    assert "has a load balancer of its own besides the Gateway" in cluster(ROUTE, INSTALLED)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "the pods run as root"),
        (nested("image.packaging", "component"), "the pods run as user 65532"),
        ({"securityContext": {"privileged": False}}, "replaces the one that goes with"),
    ],
    ids=["spin", "component", "own"],
)
def test_the_security_in_force_is_named(cluster, values, words):
    notes = cluster(values, INSTALLED)
    assert words in notes
    assert notes.count("Security: ") == 1


def test_a_tag_is_advised_against_and_a_digest_is_not(cluster):
    assert "--set image.digest=sha256:..." in cluster({}, INSTALLED)
    assert "image.digest=" not in cluster(nested("image.digest", DIGEST), INSTALLED)


@pytest.mark.parametrize("environment", ["dev", "qa", "prod", "gke"])
def test_the_notes_of_the_environments_are_whole(cluster, environment):
    files, values = ENVIRONMENTS[environment]
    notes = cluster(values, INSTALLED, files=files)
    assert notes.startswith("swiss runs gcr.io/project/swiss")
    assert "<no value>" not in notes
    assert "\n\n\n" not in notes
