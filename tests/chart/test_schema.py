"""values.schema.json: the errors that Helm prints for invalid values."""

import functools
import json
import re

import pytest

from helm import CHART, HELMS, merged, nested, refusal

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
QUANTITY = "value must be 'a quantity such as 64Mi, 0.5 or 100m'"
REPOSITORY = (
    "value must be "
    "'a lower-case repository such as gcr.io/my-project/swiss, without https://, tag or digest'"
)
DIGEST = "value must be 'sha256: and 64 hexadecimal digits, as the push printed them'"
TAG = "value must be 'a tag such as v1, and with --set-string or in quotes if it is a number'"
PART = (
    "value must be 'the name of a volume or container: at most 63 lower-case letters, digits "
    "and dashes'"
)
PODS = "value must be 'a number of pods, or a percentage such as 25%'"
HOST = "value must be 'a host name such as swiss.example.com, without https:// or port'"

SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}

# A path, an invalid value, and Helm's message after "at '/the/path': ".
WRONG = [
    # Keys
    ("", {"replica": 3}, "additional properties 'replica' not allowed"),
    ("replicas", 3, "value must be 'absent: use replicaCount'"),
    ("env", [], "value must be 'absent: use extraEnv'"),
    ("image.name", "swiss", "value must be 'absent: use image.repository'"),
    ("image", {"hash": "x"}, "additional properties 'hash' not allowed"),
    ("service.targetPort", 5000, "value must be 'absent: use containerPort'"),
    ("ingress", {"host": "x"}, "additional properties 'host' not allowed"),
    ("resources", {"limit": {}}, "additional properties 'limit' not allowed"),
    ("readinessProbe", {"delay": 3}, "additional properties 'delay' not allowed"),
    ("securityContext", {"runAsuser": 1}, "additional properties 'runAsuser' not allowed"),
    ("autoscaling", {"max": 3}, "additional properties 'max' not allowed"),
    ("spinVariables", {"A-B": "c"}, "additional properties 'A-B' not allowed"),
    ("resources.limits", {"gpu": 1}, "additional properties 'gpu' not allowed"),
    ("service", None, "missing property 'service'"),
    ("image.packaging", None, "missing property 'packaging'"),
    # Types
    ("replicaCount", "three", "got string, want null or integer"),
    ("replicaCount", 1.5, "got number, want null or integer"),
    ("replicaCount", -1, "minimum: got -1, want 0"),
    ("image.tag", 1.1, "got number, want string"),
    ("image.tag", 20, TAG),
    (
        "podAnnotations",
        {"a": True},
        "value must be 'text: in quotes in a values file, or with --set-string'",
    ),
    ("spinVariables", {"a": 1}, "got number, want string"),
    ("ingress.enabled", "yes", "got string, want boolean"),
    ("tolerations", {}, "got object, want array"),
    ("podAnnotations", {"a": 1}, "got number, want string"),
    ("imagePullSecrets", ["name"], "got string, want object"),
    # Images
    ("image.repository", "https://gcr.io/p/swiss", REPOSITORY),
    ("image.repository", "gcr.io/p/swiss:v1", REPOSITORY),
    ("image.repository", "gcr.io/p/swiss@sha256:1", REPOSITORY),
    ("image.repository", "gcr.io/P/swiss", REPOSITORY),
    ("image.tag", "v 1", TAG),
    ("image.digest", "sha256:123", DIGEST),
    ("image.digest", "5" * 64, DIGEST),
    ("image.pullPolicy", "always", "value must be one of 'IfNotPresent', 'Always', 'Never'"),
    ("image.packaging", "oci", "value must be one of 'spin', 'component', 'container'"),
    # Ports
    ("containerPort", 0, "minimum: got 0, want 1"),
    ("service.port", 65536, "maximum: got 65,536, want 65,535"),
    ("service.port", "80", "got string, want integer"),
    (
        "service.type",
        "Loadbalancer",
        "value must be one of 'LoadBalancer', 'ClusterIP', 'NodePort'",
    ),
    # Probes
    (
        "livenessProbe.httpGet.path",
        "will",
        "value must be 'a path that begins with /, such as /ready'",
    ),
    (
        "livenessProbe.httpGet.port",
        "Http!",
        "value must be 'http (the name of the port) or a number'",
    ),
    ("livenessProbe.periodSeconds", 0, "minimum: got 0, want 1"),
    ("livenessProbe.failureThreshold", 0, "minimum: got 0, want 1"),
    ("lifecycle.preStop.sleep.seconds", 0, "minimum: got 0, want 1"),
    ("terminationGracePeriodSeconds", 0, "minimum: got 0, want 1"),
    # Quantities
    ("resources.limits.memory", "64 MB", QUANTITY),
    ("resources.limits.memory", "64mb", QUANTITY),
    ("resources.requests.cpu", "half", QUANTITY),
    ("runtimeClass.overhead.memory", "10MB", QUANTITY),
    ("resources.requests.cpu", True, "got boolean, want number or string"),
    ("podDisruptionBudget.maxUnavailable", "one", PODS),
    ("strategy.rollingUpdate.maxSurge", "1%%", PODS),
    # Names
    ("volumes", [{"name": "a.b"}], PART),
    ("extraContainers", [{"name": "A", "image": "i"}], PART),
    (
        "volumeMounts",
        [{"name": "a", "mountPath": "data"}],
        "value must be 'a path that begins with / and has no colon, such as /data'",
    ),
    ("listenAddress", "[::]", "value must be one of '0.0.0.0', '::'"),
    ("service.ipFamilies", ["ipv6"], "value must be one of 'IPv4', 'IPv6'"),
    ("podDisruptionBudget.minAvailable", "3", PODS),
    (
        "ingress.gce.managedCertificate.domains",
        ["*.example.com"],
        "value must be 'a host name without a wildcard, such as swiss.example.com'",
    ),
    (
        "ingress.gce.backendConfig",
        {"healthCheck": {"port": 80}},
        "value must be 'absent: use ingress.gce.healthCheck'",
    ),
    # Other likely mistakes
    (
        "runtimeClassName",
        "",
        "value must be 'the name of a RuntimeClass: kubectl get runtimeclass lists them'",
    ),
    (
        "runtimeClass.handler",
        "Spin",
        "value must be 'the handler of the shim in containerd, such as spin'",
    ),
    (
        "commonLabels",
        {"a": "b c"},
        "value must be 'a label value, in quotes or with --set-string: at most 63 letters, "
        "digits, dashes, dots and underscores'",
    ),
    (
        "fullnameOverride",
        "Swiss",
        "value must be 'a name of at most 63 lower-case letters, digits and dashes "
        "that begins with a letter'",
    ),
    (
        "otel.endpoint",
        "collector:4318",
        "value must be 'a URL such as http://collector.monitoring:4318'",
    ),
    ("otel.protocol", "http/json", "value must be one of 'http/protobuf', 'grpc'"),
    (
        "service.loadBalancerSourceRanges",
        ["203.0.113.7"],
        "value must be 'a CIDR such as 203.0.113.0/24'",
    ),
    ("service.loadBalancerIP", "swiss-ip", "value must be 'an IP address'"),
    ("httpRoute.hostnames", ["https://swiss.example"], HOST),
    ("httpRoute.healthCheckPolicy.checkIntervalSec", 301, "maximum: got 301, want 300"),
    ("autoscaling.minReplicas", 0, "minimum: got 0, want 1"),
    (
        "topologySpreadConstraints",
        [{"maxSkew": 1}],
        "missing properties 'topologyKey', 'whenUnsatisfiable'",
    ),
    (
        "topologySpreadConstraints",
        [{**SPREAD, "labelSelector": {}}],
        "additional properties 'labelSelector' not allowed",
    ),
    (
        "extraEnv",
        [{"name": "1 X"}],
        "value must be 'the name of an environment variable, such as RUST_LOG'",
    ),
]


# A line above the errors of one object or value.
SUMMARY = re.compile(": (validation|'allOf') failed$")


def batches() -> list[list]:
    """The wrong values in few groups, in each of which no two paths overlap. Helm
    reports every error in a values file, so one run is enough for a group."""
    groups: list[list] = []
    for case in WRONG:
        for group in groups:
            if not any(overlap(case[0], other[0]) for other in group):
                group.append(case)
                break
        else:
            groups.append([case])
    return groups


def overlap(one: str, other: str) -> bool:
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


@functools.cache
def reasons(binary: str) -> dict[str, list[str]]:
    """The errors of the group of each wrong value, by the row of the value."""
    found = {}
    for group in batches():
        values: dict = {}
        for value, given, _words in group:
            values = merged(values, nested(value, given) if value else given)
        message = refusal(values, binary=binary)
        lines = [line.strip() for line in message.splitlines()]
        errors = [line for line in lines if line.startswith("- at") and not SUMMARY.search(line)]
        places = {error.split("'")[1] for error in errors}
        assert len(places) == len(group), f"not one place for each value:\n{message}"
        found.update({str(case): errors for case in group})
    return found


@pytest.mark.parametrize("binary", HELMS, ids=["helm 3", "helm 4"])
@pytest.mark.parametrize("case", WRONG, ids=[f"{value} {given}" for value, given, _ in WRONG])
def test_an_invalid_value_is_refused_with_the_expected_message(case, binary):
    value, given, words = case
    place = "/" + value.replace(".", "/") if value else ""
    said = [reason for reason in reasons(binary)[str(case)] if reason.endswith(f": {words}")]
    places = [reason.split("'")[1] for reason in said]
    # Helm names the value, an item of the list, or the object that lacks a key.
    assert any(at.startswith(place) or at == place.rpartition("/")[0] for at in places)
    # It also says what the value was.
    if isinstance(given, str) and "must be" in words and "absent" not in words:
        was = f"- at '{place}': '{given}' does not match pattern "
        assert any(reason.startswith(was) for reason in reasons(binary)[str(case)])


def objects(schema: object, path: str = ""):
    """The path and the schema of every object."""
    if isinstance(schema, dict):
        if "object" in schema.get("type", ()) and path not in ("if", "then"):
            yield path, schema
        for key, inner in schema.items():
            yield from objects(inner, f"{path}/{key}")
    elif isinstance(schema, list):
        for inner in schema:
            yield from objects(inner, path)


# Objects that the Kubernetes API defines and the chart passes on: the API server
# validates them. Helm passes `global` to every subchart.
OPEN = {
    "/properties/affinity/properties/nodeAffinity",
    "/properties/affinity/properties/podAffinity",
    "/properties/affinity/properties/podAntiAffinity",
    "/properties/autoscaling/properties/metrics/items",
    "/properties/ingress/properties/gce/properties/backendConfig",
    "/properties/ingress/properties/gce/properties/frontendConfig",
    "/properties/autoscaling/properties/behavior/properties/scaleDown",
    "/properties/autoscaling/properties/behavior/properties/scaleUp",
    "/properties/extraContainers/items",
    "/properties/extraEnv/items/properties/valueFrom",
    "/properties/extraObjects/items",
    "/properties/volumes/items",
    "/properties/global",
    "/properties/httpRoute/properties/rules/items/properties/filters/items",
    "/properties/httpRoute/properties/rules/items/properties/matches/items",
    "/properties/networkPolicy/properties/egress/items/properties/ports/items",
    "/properties/networkPolicy/properties/egress/items/properties/to/items",
    "/properties/networkPolicy/properties/ingressFrom/items/properties/ipBlock",
    "/properties/networkPolicy/properties/ingressFrom/items/properties/namespaceSelector",
    "/properties/networkPolicy/properties/ingressFrom/items/properties/podSelector",
}


def test_every_object_is_closed_except_those_that_kubernetes_defines():
    opened = {path for path, schema in objects(SCHEMA) if "additionalProperties" not in schema}
    assert opened == OPEN
