"""The few responses of the Kubernetes API that a dry run of an installation needs.

Helm prints notes, and looks objects up, only if it reaches a cluster.
"""

import http.server
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helm import CHART, HELM4, REPOSITORY_VALUE, helm, merged

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
NAMESPACE = "/api/v1/namespaces/default"
RUNTIME_CLASSES = "/apis/node.k8s.io/v1/runtimeclasses"
ANSWERS = {
    "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.3"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "groups": GROUPS},
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


def runtime_classes(*names: str) -> dict:
    """The answer of a cluster that has RuntimeClasses of these names."""
    items = [{"metadata": {"name": name}, "handler": "spin"} for name in names]
    kind = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClassList"}
    return {RUNTIME_CLASSES: kind | {"items": items}}


INSTALLED = runtime_classes("wasmtime-spin-v2")
# An answer for an object that the user may not read.
FORBIDDEN = 403


class ApiServer(http.server.ThreadingHTTPServer):
    """Answers from a dict, by path: with an object, or with an HTTP status."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict = ANSWERS
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def install(self, values: dict, known: dict, **keywords) -> subprocess.CompletedProcess:
        """A dry run of an installation, in a cluster with the answers `known`."""
        self.answers = ANSWERS | known
        return self._install("--dry-run=server", values, self.environment, **keywords)

    def install_in_memory(self, values: dict, _known: dict, **keywords):
        """The same without look-ups."""
        memory = {"HELM_DRIVER": "memory", "HELM_MEMORY_DRIVER_DATA": os.devnull}
        return self._install("--dry-run=client", values, self.environment | memory, **keywords)

    def _install(
        self, how: str, values: dict, environment: dict, *, binary: str = HELM4, files: tuple = ()
    ) -> subprocess.CompletedProcess:
        options = (how, "--disable-openapi-validation", "--kube-apiserver", self.url)
        paths = [argument for file in files for argument in ("--values", str(CHART / file))]
        return helm(
            *(binary, "install", "k8s", str(CHART), *options, *paths),
            values=merged(REPOSITORY_VALUE, values),
            env=environment,
        )


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One packet for each answer: a second one would wait for an acknowledgement.
    wbufsize = -1

    def do_GET(self):
        found = self.server.answers.get(self.path.partition("?")[0]) or 404
        status = found if isinstance(found, int) else 200
        reason = {403: "Forbidden", 404: "NotFound"}.get(status)
        failure = {"kind": "Status", "status": "Failure", "reason": reason, "code": status}
        content = json.dumps(failure if reason else found).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@contextmanager
def api_server(home: Path) -> Iterator[ApiServer]:
    with ApiServer() as server:
        server.environment = os.environ | {"HOME": str(home), "KUBECONFIG": str(home / "none")}
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()
