"""containerd pulls in two ways, and nodes have the one or the other."""

import os
import signal
from pathlib import Path

import pytest

from cluster import configuration
from cluster.wait import until

from .commands import run
from .packaging import PACKAGINGS
from .release import QUICK, Release

LEVEL = "privileged"
pytestmark = pytest.mark.own_cluster("its containerd is not ours to configure")


def restart_containerd(use_local_image_pull: str) -> None:
    """With another configuration; the node starts it again when it has ended."""
    os.environ["USE_LOCAL_IMAGE_PULL"] = use_local_image_pull
    configuration.write_containerd()
    file = Path(os.environ["STATE"]) / "containerd.pid"
    before = file.read_text()
    os.kill(int(before), signal.SIGTERM)
    until("another containerd runs", lambda: file.read_text() != before, seconds=30)
    answers = lambda: run("ctr", "version", check=False).returncode == 0  # noqa: E731
    until("containerd answers", answers, seconds=30)


@pytest.fixture(scope="module", params=["true", "false"])
def local_pull(request):
    restart_containerd(request.param)
    yield request.param
    if request.param == "false":
        restart_containerd("true")


@pytest.mark.parametrize("packaging", PACKAGINGS)
def test_each_packaging_is_pulled(local_pull, runtime_class, namespace, packaged, packaging):
    for image in run("ctr", "--namespace=k8s.io", "images", "list", "-q").stdout.split():
        if f"swiss-{packaging}" in image:
            run("ctr", "--namespace=k8s.io", "images", "remove", "--sync", image)
    release = Release(namespace, packaged[packaging].values)
    release.install(QUICK, {"replicaCount": 1})
    try:
        release.roll_out()
    finally:
        release.uninstall()
