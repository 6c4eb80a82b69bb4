"""Readiness decides which pods get requests, liveness which are restarted: each with a
probe that succeeds and with one that fails."""

import pytest

from cluster.wait import until

from .commands import get, kubectl
from .outside import ask, wait_for_answers
from .release import QUICK, is_ready, merged

# The component answers this path with 404.
NOWHERE = {"httpGet": {"path": "/nowhere", "port": "http"}}
NEVER_READY = {"readinessProbe": NOWHERE | {"failureThreshold": 1}}
NEVER_ALIVE = {"livenessProbe": NOWHERE | {"failureThreshold": 1, "periodSeconds": 1}}
ONE = merged(QUICK, {"replicaCount": 1})
QUICK_LIVENESS = {"livenessProbe": {"initialDelaySeconds": 1, "periodSeconds": 2}}


def happened(release, reason: str, start: str) -> bool:
    """Whether the kubelet has reported an event of the release's pods."""
    names = {pod["metadata"]["name"] for pod in release.pods()}
    events = get("events", "--namespace", release.namespace, f"--field-selector=reason={reason}")
    return any(
        each["involvedObject"]["name"] in names and each["message"].startswith(start)
        for each in events["items"]
    )


def found_alive(pod: dict) -> int:
    """How often the kubelet's liveness probe of the pod succeeded."""
    path = f"/api/v1/nodes/{pod['spec']['nodeName']}/proxy/metrics/probes"
    labels = (f'pod_uid="{pod["metadata"]["uid"]}"', 'probe_type="Liveness"', 'result="successful"')
    for line in kubectl("get", "--raw", path).splitlines():
        if line.startswith("prober_probe_total{") and all(label in line for label in labels):
            return int(float(line.split()[-1]))
    return 0


def test_a_ready_pod_gets_requests(release):
    release.install(ONE)
    release.roll_out()
    assert len(release.ready_endpoints()) == 1
    assert wait_for_answers(release.address())


@pytest.mark.own_cluster("the test asks a pod by its own address")
def test_a_pod_that_is_not_ready_gets_no_requests(release):
    release.install(ONE, NEVER_READY)
    address = release.address()
    failed = ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404")
    until("the kubelet has probed the pod", lambda: happened(release, *failed), seconds=60)
    # The pod itself answers requests.
    (pod,) = release.pods()
    answered = lambda: ask(pod["status"]["podIP"], "/will", port=5000).content  # noqa: E731
    assert until("the pod answers", lambda: or_none(answered), seconds=10) == b'"Hello World"\n'
    assert not is_ready(release.pods()[0])
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
    release.install(ONE, QUICK_LIVENESS)
    release.roll_out()
    (pod,) = release.pods()
    (container,) = pod["spec"]["containers"]
    enough = container["livenessProbe"]["failureThreshold"] + 1
    alive = lambda: release.restarts() or found_alive(pod) >= enough  # noqa: E731
    until(f"the kubelet has found the pod alive {enough} times", alive, seconds=60)
    assert release.restarts() == 0


def test_a_pod_that_is_not_alive_is_restarted(release):
    release.install(ONE, NEVER_ALIVE, {"lifecycle": {"preStop": {"sleep": {"seconds": 1}}}})
    failed = ("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 404")
    until("the kubelet has probed the pod", lambda: happened(release, *failed), seconds=60)
    until("the pod is restarted", release.restarts, seconds=60)
