"""The namespaces of a run. On another cluster than ours they are all that a run creates
there, with what is in them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from .commands import get, kubectl
from .target import LABELS, MANAGED_BY, RUN

SELECTOR = ",".join(f"{key}={value}" for key, value in LABELS.items())


@contextmanager
def namespace(purpose: str, level: str) -> Iterator[str]:
    """A new namespace that enforces the Pod Security level. Fails if its name is taken."""
    name = f"{MANAGED_BY}-{RUN}-{purpose}"
    labels = LABELS | {"pod-security.kubernetes.io/enforce": level}
    metadata = {"name": name, "labels": labels}
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    # `apply` would adopt one that exists.
    kubectl("create", "-f", "-", text=json.dumps(manifest))
    try:
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


def of_this_run() -> list[str]:
    items = get("namespaces", "--selector", SELECTOR)["items"]
    return [each["metadata"]["name"] for each in items]


def remove_all() -> list[str]:
    """Deletes what the tests left, waits until it is gone, and returns what is not."""
    kubectl("delete", "namespaces", "--selector", SELECTOR, "--timeout=240s", check=False)
    return of_this_run()
