"""containerd has two ways to pull an image, and a node uses one of them."""

import re

import pytest

from cluster import configuration

from . import figures, node, runtime_class
from .commands import get, run
from .packaging import PACKAGINGS, REGISTRY
from .release import QUICK, Release

LEVEL = "privileged"
pytestmark = pytest.mark.own_cluster("the test changes containerd's configuration")


@pytest.fixture(scope="module", params=["true", "false"])
def local_pull(wasm_nodes, request):
    """`use_local_image_pull` as the installer sets it, and as a node's owner may set it."""
    if request.param == "false":
        rewrite(use_local_image_pull=False)
    yield request.param
    if request.param == "false":
        rewrite()


def rewrite(**settings) -> None:
    """Rewrites the configuration and starts containerd with it, as a boot does on GKE. The
    installer then adds the handler again and restarts containerd."""
    runtime_class.roll_out()
    runtime_class.forget_restarts()
    run("systemctl", "stop", "containerd")
    configuration.write_containerd(**settings)
    run("systemctl", "start", "containerd")
    with node.containerd_restarts():
        pass
    assert runtime_class.restarts()


@pytest.mark.parametrize("packaging", PACKAGINGS)
def test_each_packaging_is_pulled(local_pull, namespace, packaged, packaging):
    for image in run("ctr", "--namespace=k8s.io", "images", "list", "-q").stdout.split():
        if f"swiss-{packaging}" in image:
            run("ctr", "--namespace=k8s.io", "images", "remove", "--sync", image)
    release = Release(namespace, packaged[packaging].values)
    release.install(QUICK, {"replicaCount": 1})
    try:
        release.roll_out()
        way = f"use_local_image_pull_{local_pull}"
        figures.note(f"Pull, {packaging}", **{way: pulled(release, packaging)})
    finally:
        release.uninstall()


def pulled(release: Release, packaging: str) -> str:
    """The duration of the pull for the release's pod, from the kubelet's event."""
    (pod,) = release.pods()
    selector = f"--field-selector=reason=Pulled,involvedObject.uid={pod['metadata']['uid']}"
    events = get("events", "--namespace", release.namespace, selector)["items"]
    start = f'Successfully pulled image "{REGISTRY}/swiss-{packaging}@'
    # A container that starts again finds the image on the node.
    (message,) = [each["message"] for each in events if each["message"].startswith(start)]
    return re.search(r" in (\S+)", message).group(1)
