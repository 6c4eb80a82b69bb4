"""The chart's NetworkPolicy, which kube-router enforces on the nodes. A test sees a
connection succeed without the policy before it sees it fail with the policy."""

import socket
from collections.abc import Callable
from functools import partial

import pytest

from cluster import layout
from cluster.wait import until

from . import network, node
from .commands import apply, get
from .namespaces import namespace as new_namespace
from .outside import wait_for_answers
from .packaging import REGISTRY
from .release import QUICK, Release, is_ready

pytestmark = pytest.mark.own_cluster("not every cluster enforces NetworkPolicies")

PORT = 5000
OFF = {"enabled": False}
ON = {"enabled": True}
# Only clients of the load balancer may connect, and the pod of `helm test`.
CLIENTS = ON | {"ingressFrom": [{"ipBlock": {"cidr": f"{layout.CLIENT_ADDRESS}/32"}}]}
# The API server, as a pod finds it in its environment.
API = (layout.API_SERVICE, 443)


@pytest.fixture(scope="module")
def release(wasm_nodes, namespace, packaged):
    """One pod of the chart. Each test sets the policy that it needs."""
    release = Release(namespace, packaged["component"].values)
    release.install(QUICK, {"replicaCount": 1}, {"networkPolicy": OFF})
    release.roll_out()
    yield release
    release.uninstall()


@pytest.fixture(scope="module")
def ours(release):
    (pod,) = release.pods()
    return pod


@pytest.fixture(scope="module")
def foreign(wasm_nodes):
    """A pod of another namespace, which answers on PORT."""
    script = f"echo ok >/tmp/index.html && exec httpd -f -p {PORT} -h /tmp"
    container = {
        "name": "foreign",
        "image": f"{REGISTRY}/busybox:1",
        "command": ["sh", "-c", script],
        "readinessProbe": {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    spec = {"containers": [container], "volumes": [{"name": "tmp", "emptyDir": {}}]}
    with new_namespace("network-policy-foreign", "privileged") as name:
        metadata = {"name": "foreign", "namespace": name}
        apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        read = partial(get, "pod", "foreign", "--namespace", name)
        until("the foreign pod is ready", lambda: is_ready(read()), seconds=60)
        yield read()


def use(release: Release, policy: dict) -> None:
    release.upgrade(QUICK, {"replicaCount": 1}, {"networkPolicy": policy})


def wait_until_allowed(connects: Callable[[], bool]) -> None:
    until("the connection is allowed", connects, seconds=30)


def wait_until_denied(connects: Callable[[], bool]) -> None:
    # Several, because one connection can also fail on a busy machine.
    never = lambda: not any(connects() for _ in range(5))  # noqa: E731
    until("the connection is denied", never, seconds=60)


@pytest.fixture(params=["the pod", "its Service"])
def foreign_pod_connects(request, release, ours, foreign):
    service = get("service", "--namespace", release.namespace, release.deployment)
    target = {
        "the pod": (network.address(ours), PORT),
        "its Service": (service["spec"]["clusterIP"], 80),
    }
    return partial(network.connects, network.of_pod(foreign), *target[request.param])


def test_a_pod_of_a_foreign_namespace_cannot_get_in(release, foreign_pod_connects):
    use(release, OFF)
    wait_until_allowed(foreign_pod_connects)
    use(release, CLIENTS)
    wait_until_denied(foreign_pod_connects)


def test_by_default_every_pod_gets_in_but_only_to_the_container_port(release, ours, foreign):
    connects = partial(network.connects, network.of_pod(foreign), network.address(ours))
    with network.listening(network.of_pod(ours), socket.SOCK_STREAM) as listener:
        other_port = listener.getsockname()[1]
        use(release, OFF)
        wait_until_allowed(partial(connects, other_port))
        use(release, ON)
        wait_until_denied(partial(connects, other_port))
    assert connects(PORT)


@pytest.fixture(params=["a pod", "the API server", "DNS"])
def our_pod_connects(request, ours, foreign):
    source, target = network.of_pod(ours), network.address(foreign)
    if request.param == "a pod":
        yield partial(network.connects, source, target, PORT)
    elif request.param == "the API server":
        yield partial(network.connects, source, *API)
    else:
        # The cluster has no DNS, so a listener in the foreign pod takes its place.
        with network.listening(network.of_pod(foreign), socket.SOCK_DGRAM, 53) as listener:
            yield partial(network.delivers, source, target, listener)


def test_our_pod_cannot_get_out(release, our_pod_connects):
    use(release, OFF)
    wait_until_allowed(our_pod_connects)
    use(release, ON)
    wait_until_denied(our_pod_connects)


def test_an_egress_rule_opens_what_it_names_and_nothing_else(release, ours, foreign):
    connects = partial(network.connects, network.of_pod(ours))
    use(release, ON)
    wait_until_denied(partial(connects, network.address(foreign), PORT))
    name = {"kubernetes.io/metadata.name": foreign["metadata"]["namespace"]}
    use(release, ON | {"egress": [{"to": [{"namespaceSelector": {"matchLabels": name}}]}]})
    wait_until_allowed(partial(connects, network.address(foreign), PORT))
    assert not connects(*API)


def test_probes_the_load_balancer_and_helm_test_still_work(release, ours, foreign):
    """`ingressFrom` names the load balancer's clients, and the chart adds the test's pod."""
    use(release, CLIENTS)
    foreign_connects = partial(network.connects, network.of_pod(foreign))
    wait_until_denied(partial(foreign_connects, network.address(ours), PORT))
    wait_for_answers(release.address())
    assert "ok    GET /ready" in release.test()
    process = node.process(ours)
    before = node.accepted_connections(process)
    probed = lambda: node.accepted_connections(process) - before >= 5  # noqa: E731
    until("the kubelet has probed the pod five times", probed, seconds=60)
    (pod,) = release.pods()
    assert is_ready(pod)
    assert release.restarts() == 0
