"""templates/tests/contract.yaml: busybox runs the script of `helm test` against a
server that answers as the component does, and against servers that do not.

BUSYBOX  path of busybox; chart.mk finds or installs it
"""

import http.server
import os
import re
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from cases import ABSENT, Case
from helm import CHART, DIGEST, kinds, only

TOLERATION = {"operator": "Exists"}
POOL = {"key": "wasm-runtime", "operator": "Exists"}
AFFINITY = {"nodeAffinity": {"x": 1}, "podAntiAffinity": {"y": 1}}
TAG = {"helmTest": {"image": {"digest": ""}}}
CASES = [
    Case(
        "helmTest.image.repository",
        "r.example/b",
        "Pod",
        "/spec/containers/0/image",
        "r.example/b:latest",
        requires=TAG,
        alone=True,
    ),
    Case(
        "helmTest.image.tag",
        "1",
        "Pod",
        "/spec/containers/0/image",
        "docker.io/library/busybox:1",
        requires=TAG,
        alone=True,
    ),
    Case(
        "helmTest.image.digest",
        DIGEST,
        "Pod",
        "/spec/containers/0/image",
        f"docker.io/library/busybox@{DIGEST}",
    ),
    Case("helmTest.enabled", False, "Pod", "/kind", ABSENT, alone=True),
    Case("helmTest.annotations", {"a": "b"}, "Pod", "/metadata/annotations/a", "b"),
    Case("nodeSelector", {"pool": "spin"}, "Pod", "/spec/nodeSelector/pool", "spin"),
    Case("tolerations", [TOLERATION], "Pod", "/spec/tolerations/0", TOLERATION),
    Case("runtimeClass.tolerations", [POOL], "Pod", "/spec/tolerations/0", POOL, alone=True),
    Case("affinity", AFFINITY, "Pod", "/spec/affinity", {"nodeAffinity": {"x": 1}}),
    Case("imagePullSecrets", [{"name": "s"}], "Pod", "/spec/imagePullSecrets"),
    Case("service.port", 8080, "Pod", "/spec/containers/0/env/1/value", "8080"),
    Case("fullnameOverride", "a-b", "Pod", "/spec/containers/0/env/0/value", "$(A_B_SERVICE_HOST)"),
]
JSON = "application/json"
PROBLEM = "application/problem+json"
CONTRACT = {
    "GET /will": (200, JSON, b'"Hello World"\n'),
    "GET /ready": (200, JSON, b'"It works!"\n'),
    "GET /nowhere": (404, PROBLEM, b'{"title":"Not Found","status":404}\n'),
    "POST /will": (405, PROBLEM, b'{"title":"Method Not Allowed","status":405}\n'),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_value_is_rendered(case):
    case.check(CASES)


@contextmanager
def server(answers: dict):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            self.rfile.read(int(self.headers.get("content-length", 0)))
            status, media_type, content = answers[f"{self.command} {self.path}"]
            self.send_response(status)
            self.send_header("content-type", media_type)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield listening.server_address[1]
        listening.shutdown()


def run(port: int, tmp_path) -> subprocess.CompletedProcess:
    """Runs the script of the rendered pod, with only busybox on PATH."""
    busybox = os.environ.get("BUSYBOX")
    if not (busybox and Path(busybox).exists()):
        pytest.skip("no busybox on this machine: the script of `helm test` was not run")
    for name in re.findall(r"\b(?:sh|sed|tr|timeout|wget)\b", script()):
        if not (tmp_path / name).exists():
            (tmp_path / name).symlink_to(busybox)
    environment = {"PATH": str(tmp_path), "HOST": "127.0.0.1", "PORT": str(port)}
    command = [busybox, "sh", "-c", script()]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def script() -> str:
    shell, option, text = only("Pod", {})["spec"]["containers"][0]["command"]
    assert (shell, option) == ("sh", "-c")
    return text


def test_the_contract_passes_and_the_readme_shows_the_output(tmp_path):
    with server(CONTRACT) as port:
        result = run(port, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    _url, printed = result.stdout.split("\n", 1)
    assert printed == "".join(f"ok    {request}\n" for request in CONTRACT)
    assert printed in (CHART / "README.md").read_text()


BROKEN = {
    "status of /will": ("GET /will", (503, JSON, b'"Hello World"\n')),
    "content of /will": ("GET /will", (200, JSON, b'"Hello"\n')),
    "no newline at the end": ("GET /ready", (200, JSON, b'"It works!"')),
    "one newline too many": ("GET /ready", (200, JSON, b'"It works!"\n\n')),
    "something before the content": ("GET /ready", (200, JSON, b'x\n"It works!"\n')),
    "media type": ("GET /ready", (200, "text/html", b'"It works!"\n')),
    "200 for an unknown path": ("GET /nowhere", (200, JSON, b"null\n")),
    "200 for POST": ("POST /will", (200, JSON, b'"Hello World"\n')),
}


@pytest.mark.parametrize(("request_", "answer"), BROKEN.values(), ids=BROKEN.keys())
def test_a_wrong_response_fails_and_is_named(request_, answer, tmp_path):
    with server(CONTRACT | {request_: answer}) as port:
        result = run(port, tmp_path)
    assert result.returncode == 1
    wrong = [line for line in result.stdout.splitlines() if line.startswith("WRONG")]
    assert len(wrong) == 1
    assert wrong[0].startswith(f"WRONG {request_}: expected")


def test_a_refused_connection_fails(tmp_path):
    with server(CONTRACT) as port:
        pass
    result = run(port, tmp_path)
    assert result.returncode == 1
    assert "Connection refused" in result.stdout


def test_the_pod_complies_with_pod_security_restricted():
    spec = only("Pod", {})["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    context = spec["containers"][0]["securityContext"]
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["allowPrivilegeEscalation"] is False
    assert context["readOnlyRootFilesystem"] is True
    assert spec["automountServiceAccountToken"] is False


def test_the_pod_has_no_runtime_class_and_runs_only_as_a_test_hook():
    pod = only("Pod", {})
    assert pod["metadata"]["labels"]["app.kubernetes.io/name"] == "swiss-contract-test"
    assert "runtimeClassName" not in pod["spec"]
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"


def test_helm_prints_the_log_and_deletes_the_pod():
    annotations = only("Pod", {})["metadata"]["annotations"]
    outcomes = {"hook-succeeded", "hook-failed"}
    assert set(annotations["helm.sh/hook-output-log-policy"].split(",")) == outcomes
    assert set(annotations["helm.sh/hook-delete-policy"].split(",")) > outcomes


def test_the_image_has_a_digest_and_is_in_chart_yaml():
    image = only("Pod", {})["spec"]["containers"][0]["image"]
    assert "@sha256:" in image
    assert f"image: {image}\n" in (CHART / "Chart.yaml").read_text()


def test_the_pod_runs_where_the_pods_may_and_has_no_sidecar():
    pod = only("Pod", {})
    assert pod["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux"}
    outside = {"sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled"}
    assert outside.items() <= pod["metadata"]["annotations"].items()


def test_without_the_pod_nothing_else_refers_to_it(cluster):
    values = {"helmTest": {"enabled": False}, "networkPolicy": {"ingressFrom": [{}]}}
    assert "Pod" not in kinds(values)
    (peers,) = only("NetworkPolicy", values)["spec"]["ingress"]
    assert peers["from"] == [{}]
    assert "helm test" not in cluster(values, {})
