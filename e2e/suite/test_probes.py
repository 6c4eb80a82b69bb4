"""Readiness decides which pods get requests, liveness which are restarted: each with a
probe that succeeds and with one that fails."""

import pytest

from cluster.wait import until

from .outside import ask, wait_for_answers
from .release import QUICK, is_ready, merged, statuses

# The component answers this path with 404.
NOWHERE = {"httpGet": {"path": "/nowhere", "port": "http"}}
NEVER_READY = {"readinessProbe": NOWHERE | {"failureThreshold": 1}}
NEVER_ALIVE = {"livenessProbe": NOWHERE | {"failureThreshold": 1, "periodSeconds": 1}}
ONE = merged(QUICK, {"replicaCount": 1})


def started(release) -> bool:
    return any(status.get("started") for pod in release.pods() for status in statuses(pod))


def test_a_ready_pod_gets_requests(release):
    release.install(ONE)
    release.roll_out()
    assert len(release.ready_endpoints()) == 1
    assert wait_for_answers(release.address())


def test_a_pod_that_is_not_ready_gets_no_requests(release):
    release.install(ONE, NEVER_READY)
    address = release.address()
    until("the container has started", lambda: started(release), seconds=60)
    # The pod itself answers requests.
    (pod,) = release.pods()
    answered = lambda: ask(pod["status"]["podIP"], "/will", port=5000).content  # noqa: E731
    assert until("the pod answers", lambda: or_none(answered), seconds=10) == b'"Hello World"\n'
    assert not is_ready(pod)
    assert release.ready_endpoints() == []
    with pytest.raises(OSError):
        ask(address, "/will")


def or_none(work):
    """The result, or None if nothing listens yet."""
    try:
        return work()
    except OSError:
        return None


def test_a_pod_that_is_alive_is_not_restarted(release):
    release.install(ONE)
    release.roll_out()
    wait_for_answers(release.address(), times=200)
    assert release.restarts() == 0


def test_a_pod_that_is_not_alive_is_restarted(release):
    release.install(ONE, NEVER_ALIVE, {"lifecycle": {"preStop": {"sleep": {"seconds": 1}}}})
    until("the pod is restarted", release.restarts, seconds=60)
