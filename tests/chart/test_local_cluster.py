"""docs/local-cluster.md: its installations render, and fit its clusters and registries."""

import functools
import re
import shlex

import pytest
import yaml

from helm import DIGEST, HELMS, REPOSITORY, StrictLoader, helm

PAGE = (REPOSITORY / "docs/local-cluster.md").read_text()
INSTALLATIONS = re.findall(r"^\$ (helm install(?:[^\n]*\\\n)*[^\n]*)", PAGE, re.MULTILINE)
# The registry's name on the nodes, by the tool that makes the cluster.
REGISTRIES = {"kind": "localhost:5001", "k3d": "k3d-registry.localhost:5001"}
PUSHED = re.search(r"make push IMAGE=([^/]+)/(\w+):", PAGE)


@functools.cache
def rendered(command: str, binary: str) -> dict[str, dict]:
    """What the command would install, by kind."""
    # shlex takes the end of a continued line as a word.
    command = command.replace("\\\n", "").replace("sha256:...", DIGEST)
    words = shlex.split(command)
    assert words[:2] == ["helm", "install"]
    arguments = ("template", *words[2:], "--kube-version", "1.36")
    result = helm(binary, *arguments, cwd=REPOSITORY)
    assert result.returncode == 0, result.stderr
    documents = yaml.load_all(result.stdout, StrictLoader)
    return {each["kind"]: each for each in documents if each}


@pytest.fixture(params=HELMS, ids=["helm 3", "helm 4"])
def objects(request):
    return rendered(INSTALLATIONS[0], request.param)


def pod(objects: dict[str, dict]) -> dict:
    return objects["Deployment"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("binary", HELMS, ids=["helm 3", "helm 4"])
@pytest.mark.parametrize(
    ("command", "registry"),
    list(zip(INSTALLATIONS, REGISTRIES.values(), strict=True)),
    ids=REGISTRIES,
)
def test_the_nodes_pull_what_was_pushed(command, registry, binary):
    (container,) = pod(rendered(command, binary))["containers"]
    assert container["image"] == f"{registry}/{PUSHED[2]}@{DIGEST}"


def test_the_registry_is_pushed_to_and_configured_under_one_name():
    host, port = PUSHED[1].split(":")
    assert REGISTRIES["kind"] == PUSHED[1]
    assert f"--publish 127.0.0.1:{port}:5000" in PAGE
    assert f"/etc/containerd/certs.d/{host}:{port}/hosts.toml" in PAGE
    create = re.search(r"k3d registry create (\S+) --port 127\.0\.0\.1:(\d+)", PAGE)
    assert REGISTRIES["k3d"] == f"k3d-{create[1]}:{create[2]}"
    assert create[2] == port
    assert f"--registry-use {REGISTRIES['k3d']}\n" in PAGE


def test_the_runtime_class_leads_to_the_handler_of_the_node_on_any_node(objects):
    runtime_class = objects["RuntimeClass"]
    assert pod(objects)["runtimeClassName"] == runtime_class["metadata"]["name"]
    assert f"containerd.runtimes.{runtime_class['handler']}]" in PAGE
    # A local node has no label of a node pool.
    assert "nodeSelector" not in runtime_class["scheduling"]
    assert "nodeSelector" not in pod(objects)


def test_one_pod_without_a_load_balancer_and_without_root(objects):
    assert objects["Service"]["spec"]["type"] == "ClusterIP"
    assert objects["Deployment"]["spec"]["replicas"] == 1
    assert pod(objects)["securityContext"]["runAsNonRoot"] is True


def test_the_commands_name_the_objects_that_exist(objects):
    deployment, service = (objects[each]["metadata"]["name"] for each in ("Deployment", "Service"))
    assert f"kubectl rollout status deployment/{deployment}\n" in PAGE
    (port,) = objects["Service"]["spec"]["ports"]
    assert f"kubectl port-forward service/{service} 8080:{port['port']}\n" in PAGE
