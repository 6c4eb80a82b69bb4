"""One pod by itself: the time until it is ready, and until it is gone."""

import time

import pytest

from cluster.wait import until

from . import figures, node
from .commands import apply, get, kubectl
from .packaging import REGISTRY
from .release import is_ready
from .target import OTHER_CLUSTER

LEVEL = "privileged"
# More than the kubelet takes on a busy machine, so that only a kill takes as long.
GRACE = 20


def pod(name: str, namespace: str, container: dict, spec: dict) -> dict:
    path = "/ready" if name == "wasm" else "/"
    probe = {"httpGet": {"path": path, "port": 5000}, "periodSeconds": 1}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "terminationGracePeriodSeconds": GRACE,
            "containers": [{"name": name, "readinessProbe": probe} | container],
        }
        | spec,
    }


@pytest.fixture
def wasm(packaged, namespace, wasm_nodes):
    container = packaged["component"].container
    return pod("wasm", namespace, container, {"runtimeClassName": "wasmtime-spin-v2"})


@pytest.fixture
def runc(namespace):
    """A peer in the same run, so that the machine's load affects both figures."""
    # Process 1 ignores the signal if it has no handler.
    script = "trap exit TERM; echo ok >/tmp/index.html; httpd -f -p 5000 -h /tmp & wait"
    container = {
        "image": f"{REGISTRY}/busybox:1",
        "command": ["sh", "-c", script],
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    return pod("runc", namespace, container, {"volumes": [{"name": "tmp", "emptyDir": {}}]})


def seconds_to_ready(manifest: dict) -> float:
    metadata = manifest["metadata"]
    where = ("pod", metadata["name"], "--namespace", metadata["namespace"])
    start = time.monotonic()
    apply(manifest)
    until("the pod is ready", lambda: is_ready(get(*where)), seconds=60, every=0.02)
    return round(time.monotonic() - start, 2)


def memory(manifest: dict) -> dict[str, int]:
    metadata = manifest["metadata"]
    number = node.process(get("pod", metadata["name"], "--namespace", metadata["namespace"]))
    return {
        "container_pss_kib": node.memory_kib(number),
        "shim_pss_kib": node.memory_kib(node.shim(number)),
    }


def seconds_to_gone(manifest: dict) -> float:
    metadata = manifest["metadata"]
    start = time.monotonic()
    kubectl("delete", "pod", metadata["name"], "--namespace", metadata["namespace"])
    return round(time.monotonic() - start, 2)


PEER = pytest.mark.own_cluster("the peer's image is in the registry of our cluster")


@pytest.mark.parametrize("kind", ["wasm", pytest.param("runc", marks=PEER)])
def test_a_pod_becomes_ready_and_ends_before_its_grace_period_does(request, kind):
    manifest = request.getfixturevalue(kind)
    ready, gone = [], []
    for _ in range(4):
        ready.append(seconds_to_ready(manifest))
        if not OTHER_CLUSTER:
            figures.note(f"One {kind} pod", **memory(manifest))
        gone.append(seconds_to_gone(manifest))
    figures.note(
        f"One {kind} pod",
        first_to_ready_s=ready[0],
        warm_to_ready_s=sorted(ready[1:])[1],
        to_gone_s=sorted(gone)[len(gone) // 2],
    )
    assert max(gone) < GRACE
