"""Collects the state of the cluster after a test fails."""

import json
import os
import re
import shutil
from pathlib import Path

from .commands import REPOSITORY, kubectl
from .namespaces import of_this_run
from .target import OTHER_CLUSTER

FOLDER = REPOSITORY / "target/e2e/failures"


def collect(test: str) -> Path:
    """Writes events, objects, and the logs of pods to a folder for the test: of our own
    cluster everything, and the node's logs; of another only what this run created."""
    folder = FOLDER / re.sub(r"\W+", "-", test)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if not OTHER_CLUSTER:
        _collect(folder, "--all-namespaces")
        shutil.copytree(Path(os.environ["STATE"]) / "log", folder / "node")
        return folder
    for namespace in of_this_run():
        (folder / namespace).mkdir()
        _collect(folder / namespace, f"--namespace={namespace}")
    return folder


def _collect(folder: Path, where: str) -> None:
    for name, arguments in {
        "events.txt": ("get", "events", "--sort-by=.lastTimestamp"),
        "objects.txt": ("get", "all,endpointslices", "--output=wide"),
        "pods.txt": ("describe", "pods"),
    }.items():
        (folder / name).write_text(kubectl(*arguments, where, check=False))
    pods = kubectl("get", "pods", where, "--output=json", check=False)
    for pod in json.loads(pods or '{"items": []}')["items"]:
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        for suffix, options in {"": (), "-before": ("--previous",)}.items():
            log = kubectl("logs", "-n", namespace, name, *options, check=False)
            if log:
                (folder / f"{namespace}-{name}{suffix}.log").write_text(log)
