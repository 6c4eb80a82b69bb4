"""A release of the chart in the cluster."""

import json
from dataclasses import dataclass

from cluster.wait import until

from .commands import CHART, HELM4, get, kubectl, run

# Shorter waits than the chart's, which are for production. The liveness probe is the chart's:
# nothing waits for it, and a quicker one kills containers that a busy machine starts slowly.
QUICK = {
    "readinessProbe": {"initialDelaySeconds": 0, "periodSeconds": 1},
    "lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
    "terminationGracePeriodSeconds": 15,
}

# The same with the chart's own preStop sleep, which the load tests test.
QUICK_PROBES = {"readinessProbe": QUICK["readinessProbe"]}


def merged(*values: dict) -> dict:
    """The later values over the earlier ones, as Helm merges them."""
    result: dict = {}
    for layer in values:
        for key, value in layer.items():
            below = result.get(key)
            both = isinstance(value, dict) and isinstance(below, dict)
            result[key] = merged(below, value) if both else value
    return result


@dataclass
class Release:
    namespace: str
    values: dict
    name: str = "k8s"
    helm: str = HELM4

    def install(self, *more: dict) -> None:
        self._put("install", *more)

    def upgrade(self, *more: dict) -> None:
        self._put("upgrade", *more)

    def _put(self, verb: str, *more: dict) -> None:
        values = json.dumps(merged(self.values, *more))
        self._helm(verb, self.name, CHART, "--values", "-", text=values)

    def rollback(self, revision: int = 0) -> None:
        self._helm("rollback", self.name, revision)

    def test(self) -> str:
        """The output of `helm test`."""
        return self._helm("test", self.name, "--timeout=2m")

    def uninstall(self) -> None:
        """Also waits for the end of the last pod, which Helm does not. A terminating pod
        may still get requests of the next test."""
        self._helm("uninstall", self.name, "--wait", "--timeout=2m")
        until("the pods are gone", lambda: not self._all_pods(), seconds=90)

    def _helm(self, *arguments, text: str | None = None) -> str:
        result = run(self.helm, *arguments, "--namespace", self.namespace, text=text)
        return result.stdout + result.stderr

    @property
    def deployment(self) -> str:
        return f"{self.name}-swiss"

    def roll_out(self, seconds: int = 180) -> None:
        """Waits until the rollout of the Deployment is complete."""
        self._kubectl("rollout", "status", f"deployment/{self.deployment}", f"--timeout={seconds}s")

    def scale(self, replicas: int) -> None:
        self._kubectl("scale", f"deployment/{self.deployment}", f"--replicas={replicas}")

    def patch_container(self, change: dict) -> None:
        """Changes the Deployment without Helm."""
        container = [{"name": "swiss"} | change]
        patch = json.dumps({"spec": {"template": {"spec": {"containers": container}}}})
        self._kubectl("patch", f"deployment/{self.deployment}", "--patch", patch)

    def _kubectl(self, *arguments) -> str:
        return kubectl("--namespace", self.namespace, *arguments)

    def pods(self) -> list[dict]:
        """The Deployment's pods that are not terminating."""
        return [pod for pod in self._all_pods() if "deletionTimestamp" not in pod["metadata"]]

    def _all_pods(self) -> list[dict]:
        selector = f"app.kubernetes.io/name=swiss,app.kubernetes.io/instance={self.name}"
        return get("pods", "--namespace", self.namespace, "--selector", selector)["items"]

    def restarts(self) -> int:
        return sum(status["restartCount"] for pod in self.pods() for status in statuses(pod))

    def address(self) -> str:
        """Waits for the load balancer's address."""
        return until("the Service has an address", self._address, seconds=60)

    def _address(self) -> str | None:
        service = get("service", "--namespace", self.namespace, self.deployment)
        ingress = service["status"]["loadBalancer"].get("ingress", [])
        # Some clouds give a name.
        return (ingress[0].get("ip") or ingress[0]["hostname"]) if ingress else None

    def ready_endpoints(self) -> list[str]:
        selector = f"kubernetes.io/service-name={self.deployment}"
        slices = get("endpointslices", "--namespace", self.namespace, "--selector", selector)
        return [
            address
            for each in slices["items"]
            for endpoint in each["endpoints"] or []
            if endpoint["conditions"]["ready"]
            for address in endpoint["addresses"]
        ]


def statuses(pod: dict) -> list[dict]:
    return pod["status"].get("containerStatuses", [])


def is_ready(pod: dict) -> bool:
    return bool(statuses(pod)) and all(status["ready"] for status in statuses(pod))
