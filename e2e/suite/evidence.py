"""Collects the state of the cluster after a test fails."""

import os
import re
import shutil
from pathlib import Path

from .commands import REPOSITORY, get, kubectl
from .packaging import OTHER_CLUSTER

FOLDER = REPOSITORY / "target/e2e/failures"


def collect(test: str) -> Path:
    """Writes events, objects, and the logs of pods and nodes to a folder for the test."""
    folder = FOLDER / re.sub(r"\W+", "-", test)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, arguments in {
        "events.txt": ("get", "events", "-A", "--sort-by=.lastTimestamp"),
        "objects.txt": ("get", "all,endpointslices", "-A", "--output=wide"),
        "pods.txt": ("describe", "pods", "-A"),
    }.items():
        (folder / name).write_text(kubectl(*arguments, check=False))
    for pod in get("pods", "-A")["items"]:
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        for suffix, options in {"": (), "-before": ("--previous",)}.items():
            log = kubectl("logs", "-n", namespace, name, *options, check=False)
            if log:
                (folder / f"{namespace}-{name}{suffix}.log").write_text(log)
    if not OTHER_CLUSTER:
        shutil.copytree(Path(os.environ["STATE"]) / "log", folder / "node")
    return folder
