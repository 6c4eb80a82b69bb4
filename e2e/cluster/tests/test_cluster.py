"""The cluster by itself: it comes up in time, and goes without a trace."""

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
def visit():
    """Up and down again: what was seen before, meanwhile and afterwards."""
    before = machine.look()
    start = time.monotonic()
    up = cluster("up")
    seconds = time.monotonic() - start
    nodes = cluster("run", "kubectl", "get", "nodes")
    # A pod has mounts, cgroups and a network namespace of its own.
    image = "--image=127.0.0.1:5000/busybox:1"
    # Nothing has taken the startup taint away.
    anywhere = '--overrides={"spec": {"tolerations": [{"operator": "Exists"}]}}'
    cluster("run", "kubectl", "run", "pod", image, anywhere, "--", "sleep", "3600")
    pod = cluster("run", "kubectl", "wait", "--for=condition=Ready", "pod/pod", "--timeout=60s")
    second = cluster("up")
    busy = machine.look()
    down = cluster("down")
    yield {
        "up": up,
        "seconds": seconds,
        "nodes": nodes,
        "pod": pod,
        "second": second,
        "busy": busy.since(before),
        "down": down,
        "left": machine.look().since(before),
    }


def test_two_nodes_are_ready_within_15_seconds(visit):
    assert visit["up"].returncode == 0, visit["up"].stderr
    lines = [line.split()[:2] for line in visit["nodes"].stdout.splitlines()]
    assert lines[1:] == [[name, "Ready"] for name in layout.NODES], visit["nodes"].stderr
    assert visit["pod"].returncode == 0, visit["pod"].stderr
    assert visit["seconds"] < WARM_SECONDS


def test_nothing_is_left_of_it(visit):
    assert visit["down"].returncode == 0, visit["down"].stderr
    assert visit["left"] == {}
    assert not layout.STATE.exists()


def test_a_second_cluster_is_refused(visit):
    assert visit["second"].returncode != 0
    assert "A cluster is up already" in visit["second"].stderr


def test_what_is_looked_at_would_show_a_cluster(visit):
    """The control: a cluster that is up is seen, and only where it has to be."""
    assert set(visit["busy"]) == {"cgroups", "processes"}


def test_a_cluster_that_does_not_come_up_says_so_and_ends(tmp_path):
    before = machine.look()
    result = cluster("up", STATE=str(tmp_path / "state"), KUBERNETES="/nowhere")
    assert result.returncode != 0
    assert "The logs are in" in result.stderr
    assert "kube-apiserver" in (tmp_path / "state/log/node.log").read_text()
    assert machine.look().since(before) == {}


def test_a_command_without_a_cluster_is_refused(tmp_path):
    result = cluster("run", "true", STATE=str(tmp_path / "none"))
    assert result.returncode != 0
    assert "No cluster is up" in result.stderr
