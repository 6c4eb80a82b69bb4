"""The component in the cluster's registry, in each of its three packagings."""

import os
import time
from dataclasses import dataclass

import pytest

from cluster import images, layout

from . import figures
from .commands import REPOSITORY, run
from .target import OTHER_CLUSTER, RUN

PUSH = REPOSITORY / "target/release/swiss-push"
REGISTRY = os.environ["IMAGES"] if OTHER_CLUSTER else layout.IMAGES
# A run replaces no tag of another run, or of the user.
TAG = f"e2e-{RUN}"
PACKAGINGS = (
    "component",
    "spin",
    pytest.param(
        "container",
        marks=pytest.mark.own_cluster("Docker builds the container image, which the tests do not"),
    ),
)


@dataclass(frozen=True)
class Packaged:
    packaging: str
    repository: str
    digest: str
    # What the push printed.
    output: str

    @property
    def values(self) -> dict:
        image = {
            "repository": self.repository,
            "digest": self.digest,
            "packaging": self.packaging,
        }
        if OTHER_CLUSTER:
            return {"image": image}
        # The cluster cannot reach Docker Hub.
        shell = {"repository": f"{REGISTRY}/busybox", "tag": "1", "digest": ""}
        return {"image": image, "helmTest": {"image": shell}}

    @property
    def container(self) -> dict:
        """The container of a pod without the chart; it listens on port 5000."""
        return {
            "image": f"{self.repository}@{self.digest}",
            "command": ["/"],
            "env": [{"name": "SPIN_HTTP_LISTEN_ADDR", "value": "0.0.0.0:5000"}],
        }


def push(packaging: str) -> Packaged:
    repository = f"{REGISTRY}/swiss-{packaging}"
    if packaging == "container":
        return Packaged(packaging, repository, _push_container(), "")
    # As `make push` calls it.
    start = time.monotonic()
    result = run(PUSH, "--format", packaging, f"{repository}:{TAG}")
    figures.note(f"Push, {packaging}", seconds=round(time.monotonic() - start, 2))
    digest = next(
        line.rpartition("@")[2]
        for line in result.stdout.splitlines()
        if line.startswith(f"{repository}@sha256:")
    )
    return Packaged(packaging, repository, digest, result.stdout)


def _push_container() -> str:
    """Pushes what the Dockerfile builds: the component and its manifest, FROM scratch."""
    files = {
        "spin.toml": REPOSITORY / "spin.toml",
        "target/swiss.wasm": REPOSITORY / "target/swiss.wasm",
    }
    return images.push("swiss-container", TAG, files, {"User": "65532:65532"})
