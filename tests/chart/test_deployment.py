"""templates/deployment.yaml: the original's contract, and the fields that the shim needs."""

import pytest

from cases import ABSENT, Case
from helm import DIGEST, container, only, pod, template

SPEC = "/spec/template/spec"
CONTAINER = f"{SPEC}/containers/0"
ENV = f"{CONTAINER}/env"
OTEL = {"otel": {"endpoint": "http://collector:4318"}, "networkPolicy": {"egress": [{}]}}
PROBE = {"httpGet": {"path": "/x", "port": 5000}, "periodSeconds": 7}
PROBE_OVER_DEFAULT = {"httpGet": {"path": "/x", "port": 5000}}
TOLERATION = {"key": "spin", "operator": "Exists", "effect": "NoSchedule"}
AFFINITY = {"nodeAffinity": {"x": 1}}


def deployment(value, given, pointer, *rest, **keywords) -> Case:
    return Case(value, given, "Deployment", pointer, *rest, **keywords)


CASES = [
    deployment("replicaCount", 5, "/spec/replicas"),
    deployment("revisionHistoryLimit", 7, "/spec/revisionHistoryLimit"),
    deployment("minReadySeconds", 8, "/spec/minReadySeconds"),
    deployment(
        "strategy", {"rollingUpdate": {"maxSurge": 2}}, "/spec/strategy/rollingUpdate/maxSurge", 2
    ),
    deployment("deploymentAnnotations", {"a": "b"}, "/metadata/annotations", {"a": "b"}),
    deployment(
        "image.repository", "r.example/x", f"{CONTAINER}/image", "r.example/x:0.1.0", alone=True
    ),
    deployment("image.tag", "v7", f"{CONTAINER}/image", "gcr.io/project/swiss:v7"),
    deployment("image.tag", "v7", "/metadata/labels/app.kubernetes.io~1version", "v7"),
    deployment(
        "image.digest", DIGEST, f"{CONTAINER}/image", f"gcr.io/project/swiss@{DIGEST}", alone=True
    ),
    deployment("image.pullPolicy", "Never", f"{CONTAINER}/imagePullPolicy"),
    deployment(
        "image.packaging", "component", f"{SPEC}/securityContext/runAsNonRoot", True, alone=True
    ),
    deployment("imagePullSecrets", [{"name": "s"}], f"{SPEC}/imagePullSecrets"),
    deployment("runtimeClassName", "other", f"{SPEC}/runtimeClassName"),
    deployment("containerPort", 5001, f"{CONTAINER}/ports/0/containerPort"),
    deployment("containerPort", 5001, f"{ENV}/0/value", "0.0.0.0:5001", alone=True),
    deployment("listenAddress", "::", f"{ENV}/0/value", "[::]:5000", alone=True),
    deployment("progressDeadlineSeconds", 300, "/spec/progressDeadlineSeconds"),
    deployment(
        "stateSizeLimit",
        "8Mi",
        f"{SPEC}/volumes/0/emptyDir/sizeLimit",
        requires={"image": {"packaging": "component"}},
    ),
    deployment(
        "livenessProbe", PROBE_OVER_DEFAULT, f"{CONTAINER}/livenessProbe/httpGet/path", "/x"
    ),
    deployment(
        "readinessProbe", PROBE_OVER_DEFAULT, f"{CONTAINER}/readinessProbe/httpGet/path", "/x"
    ),
    deployment("startupProbe", PROBE, f"{CONTAINER}/startupProbe"),
    deployment("lifecycle", {"preStop": {"sleep": {"seconds": 3}}}, f"{CONTAINER}/lifecycle"),
    deployment("terminationGracePeriodSeconds", 99, f"{SPEC}/terminationGracePeriodSeconds"),
    deployment(
        "resources",
        {"limits": {"memory": "1Gi"}},
        f"{CONTAINER}/resources/limits/memory",
        "1Gi",
    ),
    deployment("podSecurityContext", {"fsGroup": 1}, f"{SPEC}/securityContext"),
    deployment("securityContext", {"privileged": False}, f"{CONTAINER}/securityContext"),
    deployment("serviceAccount.automount", True, f"{SPEC}/automountServiceAccountToken"),
    deployment("serviceAccount.name", "sa", f"{SPEC}/serviceAccountName"),
    deployment("serviceAccount.create", False, f"{SPEC}/serviceAccountName", "default", alone=True),
    deployment("podAnnotations", {"a": "b"}, "/spec/template/metadata/annotations"),
    deployment("podLabels", {"team": "x"}, "/spec/template/metadata/labels/team", "x"),
    deployment("nodeSelector", {"pool": "spin"}, f"{SPEC}/nodeSelector"),
    deployment("tolerations", [TOLERATION], f"{SPEC}/tolerations"),
    deployment("affinity", AFFINITY, f"{SPEC}/affinity"),
    deployment("topologySpreadConstraints", [], f"{SPEC}/topologySpreadConstraints", ABSENT),
    deployment("priorityClassName", "high", f"{SPEC}/priorityClassName"),
    deployment(
        "spinVariables", {"a_b": "c"}, f"{ENV}/1", {"name": "SPIN_VARIABLE_A_B", "value": "c"}
    ),
    deployment(
        "extraEnv", [{"name": "RUST_LOG", "value": "spin"}], f"{ENV}/1/name", "RUST_LOG", alone=True
    ),
    deployment("otel.endpoint", "http://x:4318", f"{ENV}/1/value", requires=OTEL),
    deployment("otel.protocol", "grpc", f"{ENV}/2/value", requires=OTEL),
    deployment("otel.serviceName", "mine", f"{ENV}/3/value", requires=OTEL),
    deployment("volumes", [{"name": "v", "emptyDir": {}}], f"{SPEC}/volumes"),
    deployment("volumeMounts", [{"name": "v", "mountPath": "/v"}], f"{CONTAINER}/volumeMounts"),
    deployment("extraContainers", [{"name": "c", "image": "i"}], f"{SPEC}/containers/1/name", "c"),
    deployment("autoscaling.enabled", True, "/spec/replicas", ABSENT, alone=True),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_value_is_rendered(case):
    case.check(CASES)


def test_the_defaults_are_the_contract_of_the_original():
    app = container({})
    assert only("Deployment", {})["spec"]["replicas"] == 3
    assert [port["containerPort"] for port in app["ports"]] == [5000]
    common = {"periodSeconds": 10, "failureThreshold": 3, "timeoutSeconds": 1}
    will = {"httpGet": {"path": "/will", "port": "http"}, "initialDelaySeconds": 5}
    ready = {"httpGet": {"path": "/ready", "port": "http"}, "initialDelaySeconds": 30}
    assert app["livenessProbe"] == common | will
    assert app["readinessProbe"] == common | ready
    assert "startupProbe" not in app


def test_the_pod_has_the_fields_that_the_shim_needs():
    assert pod({})["runtimeClassName"] == "wasmtime-spin-v2"
    assert container({})["command"] == ["/"]
    assert container({})["env"] == [{"name": "SPIN_HTTP_LISTEN_ADDR", "value": "0.0.0.0:5000"}]
    assert pod({})["enableServiceLinks"] is False


def test_the_grace_period_is_at_least_twice_the_pre_stop_sleep():
    sleep = container({})["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod({})["terminationGracePeriodSeconds"] >= 2 * sleep


@pytest.mark.parametrize("field", ["livenessProbe", "readinessProbe", "lifecycle"])
def test_null_removes_the_field(field):
    assert field not in container({field: None})


def test_a_rollout_removes_no_pod_before_its_replacement_is_ready():
    strategy = only("Deployment", {})["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_pods_are_spread_by_the_labels_that_select_them():
    spread = pod({})["topologySpreadConstraints"]
    keys = [constraint["topologyKey"] for constraint in spread]
    assert keys == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    selector = only("Deployment", {})["spec"]["selector"]
    assert all(constraint["labelSelector"] == selector for constraint in spread)


def test_every_field_for_the_shim_has_a_comment():
    _, deployment = template({}).split("kind: Deployment\n")
    lines = deployment.split("\n---\n")[0].splitlines()
    for wanted in (
        "runtimeClassName:",
        'command: ["/"]',
        "- name: SPIN_HTTP_LISTEN_ADDR",
        "livenessProbe:",
        "lifecycle:",
        "add: [NET_BIND_SERVICE]",
        "terminationGracePeriodSeconds:",
        "enableServiceLinks:",
    ):
        (at,) = [i for i, line in enumerate(lines) if line.strip().startswith(wanted)]
        assert lines[at - 1].strip().startswith("#"), f"{wanted} has no comment"
