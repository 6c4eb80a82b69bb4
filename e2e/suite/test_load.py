"""No request is lost while pods come and go. The control shows that the tests can fail."""

import time

import pytest

from cluster.wait import until

from . import figures, node
from .commands import kubectl
from .outside import load, wait_for_answers
from .release import QUICK_PROBES, Release, is_ready, statuses

# The shim ends at once on the signal, while requests still arrive.
NO_SLEEP = {"lifecycle": {"preStop": None}, "terminationGracePeriodSeconds": 15}


@pytest.fixture(scope="module")
def served(wasm_nodes, namespace, packaged):
    """Three pods behind a load balancer."""
    release = Release(namespace, packaged["component"].values)
    release.install(QUICK_PROBES, {"podAnnotations": {"revision": "one"}})
    release.roll_out()
    wait_for_answers(release.address())
    yield release
    release.uninstall()


def gone(release: Release, names: set[str]) -> bool:
    """Whether the pods are gone. Their grace period is part of the change under load."""
    every = kubectl("get", "pods", "--namespace", release.namespace, "--output=name")
    return not names & set(every.split())


def pod_names(release: Release) -> set[str]:
    return {f"pod/{pod['metadata']['name']}" for pod in release.pods()}


def update(release: Release) -> None:
    release.upgrade(QUICK_PROBES, {"podAnnotations": {"revision": "two"}})
    release.roll_out()


def roll_back(release: Release) -> None:
    release.rollback()
    release.roll_out()


def scale(release: Release) -> None:
    three = pod_names(release)
    release.scale(1)
    until("two pods terminate", lambda: len(pod_names(release)) == 1, seconds=60)
    until("two pods are gone", lambda: gone(release, three - pod_names(release)), seconds=60)
    release.scale(3)
    release.roll_out()


def delete(release: Release) -> None:
    one = sorted(pod_names(release))[0]
    kubectl("--namespace", release.namespace, "delete", one)
    release.roll_out()


@pytest.mark.parametrize("change", [update, roll_back, scale, delete], ids=lambda f: f.__name__)
def test_no_request_is_lost_during(served, change):
    before = pod_names(served)
    with load(served.address()) as running:
        start = time.monotonic()
        change(served)
        seconds = round(time.monotonic() - start, 1)
        until("the old pods are gone", lambda: gone(served, before - pod_names(served)), seconds=60)
    what = change.__name__.replace("_", " ")
    figures.note(f"Under load, {what}", seconds=seconds)
    figures.note_load(f"During {what}", running.results)
    running.assert_none_lost()


@pytest.mark.own_cluster("the test kills a process on the node")
def test_a_killed_process_is_restarted_and_the_service_recovers(served):
    """The requests of the process are lost. How many, and for how long, is a figure."""
    victim = sorted(served.pods(), key=lambda pod: pod["metadata"]["name"])[0]
    name = victim["metadata"]["name"]

    def recovered() -> bool:
        (pod,) = [pod for pod in served.pods() if pod["metadata"]["name"] == name]
        return statuses(pod)[0]["restartCount"] > 0 and is_ready(pod)

    with load(served.address()) as running:
        node.kill(victim)
        until("the pod is ready again", recovered, seconds=60)
    figures.note_load("A process is killed", running.results)
    wait_for_answers(served.address(), times=100)
    for results in running.results.values():
        assert results["lost_over_seconds"] < 10


def test_without_the_prestop_sleep_requests_are_lost(wasm_nodes, namespace, packaged):
    """The control."""
    release = Release(namespace, packaged["component"].values, name="control")
    release.install(QUICK_PROBES, NO_SLEEP)
    try:
        release.roll_out()
        wait_for_answers(release.address())
        with load(release.address(), minimum=1000) as running:
            for revision in ("two", "three", "four"):
                release.upgrade(QUICK_PROBES, NO_SLEEP, {"podAnnotations": {"revision": revision}})
                release.roll_out()
        figures.note_load("Control, without preStop", running.results)
        assert sum(results["lost"] for results in running.results.values()) > 0
    finally:
        release.uninstall()
