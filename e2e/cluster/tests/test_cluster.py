"""The cluster by itself: it comes up in time, and leaves nothing behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cluster import layout, machine

WARM_SECONDS = 15


def cluster(*arguments, **environment) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "cluster", *arguments],
        cwd=Path(__file__).parents[2],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def lifecycle():
    """Starts and stops a cluster: the commands' results and the changes on the machine."""
    before = machine.take_snapshot()
    start = time.monotonic()
    up = cluster("up")
    seconds = time.monotonic() - start
    nodes = cluster("run", "kubectl", "get", "nodes")
    # A pod has mounts, cgroups and a network namespace of its own.
    image = "--image=127.0.0.1:5000/busybox:1"
    # The nodes still have the startup taint.
    anywhere = '--overrides={"spec": {"tolerations": [{"operator": "Exists"}]}}'
    cluster("run", "kubectl", "run", "pod", image, anywhere, "--", "sleep", "3600")
    pod = cluster("run", "kubectl", "wait", "--for=condition=Ready", "pod/pod", "--timeout=60s")
    second = cluster("up")
    busy = machine.take_snapshot()
    down = cluster("down")
    yield {
        "up": up,
        "seconds": seconds,
        "nodes": nodes,
        "pod": pod,
        "second": second,
        "busy": busy.since(before),
        "down": down,
        "left": machine.take_snapshot().since(before),
    }


def test_two_nodes_are_ready_within_15_seconds(lifecycle):
    assert lifecycle["up"].returncode == 0, lifecycle["up"].stderr
    lines = [line.split()[:2] for line in lifecycle["nodes"].stdout.splitlines()]
    assert lines[1:] == [[name, "Ready"] for name in layout.NODES], lifecycle["nodes"].stderr
    assert lifecycle["pod"].returncode == 0, lifecycle["pod"].stderr
    assert lifecycle["seconds"] < WARM_SECONDS


def test_nothing_is_left_after_down(lifecycle):
    assert lifecycle["down"].returncode == 0, lifecycle["down"].stderr
    assert lifecycle["left"] == {}
    assert not layout.STATE.exists()


def test_a_second_cluster_is_refused(lifecycle):
    assert lifecycle["second"].returncode != 0
    assert "A cluster is already up" in lifecycle["second"].stderr


def test_a_snapshot_shows_a_running_cluster(lifecycle):
    """The control: a running cluster is visible, and only as cgroups and processes."""
    assert set(lifecycle["busy"]) == {"cgroups", "processes"}


def test_a_failed_start_is_reported_and_leaves_nothing(tmp_path):
    before = machine.take_snapshot()
    result = cluster("up", STATE=str(tmp_path / "state"), KUBERNETES="/nowhere")
    assert result.returncode != 0
    assert "The logs are in" in result.stderr
    assert "kube-apiserver" in (tmp_path / "state/log/node.log").read_text()
    assert machine.take_snapshot().since(before) == {}


def test_a_command_without_a_cluster_is_refused(tmp_path):
    result = cluster("run", "true", STATE=str(tmp_path / "none"))
    assert result.returncode != 0
    assert "No cluster is up" in result.stderr
