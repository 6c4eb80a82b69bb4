"""The address that the component listens on."""

from .commands import kubectl
from .outside import wait_for_answers
from .release import QUICK


def test_a_pod_that_listens_on_ipv6_also_answers_ipv4(release):
    """The cluster has IPv4 only, so the kubelet's probes and the load balancer use it."""
    release.install(QUICK, {"listenAddress": "::"})
    release.roll_out()
    wait_for_answers(release.address())
    (pod, *_) = release.pods()
    log = kubectl("logs", "--namespace", release.namespace, pod["metadata"]["name"])
    assert "Serving http://[::]:5000" in log
