"""runtime-class/README.md, section "Install": `kubectl apply -k runtime-class` is the only
change to a node that cannot run Wasm."""

import json
import time

import pytest

from cluster import layout
from cluster.wait import until

from . import figures, node, runtime_class
from .commands import apply, get, kubectl
from .release import is_ready

pytestmark = pytest.mark.own_cluster("its nodes can already run Wasm")

POD = ("pod", "first", "--namespace", "default")
# CAP_CHOWN and CAP_SYS_CHROOT.
CAPABILITIES = 1 << 0 | 1 << 18


@pytest.fixture(scope="module")
def pod(packaged, wasm_nodes):
    """A Wasm pod that is created together with the installer."""
    container = packaged["component"].container | {
        "name": "wasm",
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 5000}, "periodSeconds": 1},
    }
    _, name, _, namespace = POD
    apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"runtimeClassName": runtime_class.NAME, "containers": [container]},
        }
    )
    start = time.monotonic()
    until("the Wasm pod is ready", lambda: is_ready(get(*POD)), seconds=120)
    seconds = round(time.monotonic() - start, 1)
    figures.note("kubectl apply -k runtime-class", to_first_wasm_pod_ready_s=seconds)
    yield get(*POD)
    kubectl("delete", *POD)


def test_the_node_had_neither_handler_nor_shim_and_was_tainted(wasm_nodes):
    assert runtime_class.HANDLER not in wasm_nodes.handlers
    assert layout.STARTUP_TAINT in wasm_nodes.taints
    assert not wasm_nodes.has_shim


def test_a_wasm_pod_waits_for_the_handler_and_then_runs(pod):
    _, name, _, namespace = POD
    about = f"--field-selector=involvedObject.name={name}"
    events = get("events", "--namespace", namespace, about)["items"]
    waited = [each["message"] for each in events if each["reason"] == "FailedScheduling"]
    assert any("untolerated taint" in message for message in waited)
    assert pod["spec"]["nodeName"] == layout.FIRST.name


def test_the_node_lists_the_handler_and_has_no_startup_taint(pod):
    now = node.state()
    assert runtime_class.HANDLER in now.handlers
    assert layout.STARTUP_TAINT not in now.taints


def test_the_node_reports_what_was_installed(pod):
    node = get("node", layout.FIRST.name)
    status = json.loads(node["metadata"]["annotations"][runtime_class.STATUS])
    assert status["status"] == "True"
    assert str(runtime_class.SHIM) in status["message"]
    assert "Installed" in kubectl("describe", "node", layout.FIRST.name)


def test_containerd_was_restarted_once(pod):
    assert len(runtime_class.restarts()) == 1


def test_the_rest_of_containerds_configuration_is_unchanged(pod, wasm_nodes):
    now = node.state().configuration
    rest = iter(now.splitlines())
    assert all(line in rest for line in wasm_nodes.configuration.splitlines())
    assert f'runtime_type = "{runtime_class.SHIM}"' in now
    assert "use_local_image_pull = true" in now


def test_the_installer_has_two_capabilities(pod):
    here = f"--field-selector=spec.nodeName={layout.FIRST.name}"
    (installer,) = get("pods", "--namespace", runtime_class.NAMESPACE, here)["items"]
    number = node.process(installer)
    status = node.status(number)
    assert int(status["CapEff"], 16) == CAPABILITIES
    assert int(status["CapBnd"], 16) == CAPABILITIES
    assert status["Seccomp"] == "2"
    assert status["NoNewPrivs"] == "1"
    figures.note("Node installer, watching", pss_kib=node.memory_kib(number))
