"""runtime-class/README.md, section "Remove it"."""

import pytest

from cluster.wait import until

from . import node, runtime_class
from .commands import get, kubectl

pytestmark = pytest.mark.own_cluster("the test removes the shim from the nodes")


@pytest.fixture(scope="module")
def after(wasm_nodes):
    runtime_class.roll_out()
    runtime_class.remove(wasm_nodes.kustomization)
    return node.state()


def test_containerd_has_its_original_configuration(after, wasm_nodes):
    assert after.configuration == wasm_nodes.configuration


def test_no_file_is_left(after):
    assert not after.has_shim
    assert not runtime_class.SHIM.parent.exists()


def test_no_node_lists_the_handler_any_more(after):
    def gone() -> bool:
        handlers = kubectl("get", "nodes", "--output=jsonpath={..runtimeHandlers[*].name}")
        return runtime_class.HANDLER not in handlers.split()

    until("no kubelet reports the handler", gone, seconds=60)


def test_no_annotation_is_left_on_the_nodes(after):
    for each in get("nodes")["items"]:
        assert runtime_class.STATUS not in each["metadata"]["annotations"]


def test_no_object_is_left_in_the_cluster(after):
    kinds = "clusterroles,clusterrolebindings,runtimeclasses,validatingadmissionpolicies"
    left = kubectl("get", kinds, "--output=name") + kubectl("get", "namespaces", "--output=name")
    assert "node-installer" not in left
    assert runtime_class.NAME not in left
