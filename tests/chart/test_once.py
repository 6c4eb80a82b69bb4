"""templates/_once.tpl: nothing is in a pod twice, and labels are merged."""

import pytest

from cases import find
from helm import HELMS, container, manifests, merged, nested, only, pod, refusal, template
from test_exposure import INGRESS, ROUTE

EXPOSED = merged(INGRESS, ROUTE)
both_helms = pytest.mark.parametrize("binary", HELMS, ids=["helm 3", "helm 4"])
COMPONENT = {"image": {"packaging": "component"}}
CONTAINER = {"image": {"packaging": "container"}}
# Every variable that the chart can set.
ENV = merged(
    CONTAINER,
    {
        "spinVariables": {"greeting": "hello", "a_b": "c"},
        "otel": {"endpoint": "http://collector:4318"},
        "networkPolicy": {"enabled": False},
    },
)


@pytest.mark.parametrize("name", [variable["name"] for variable in container(ENV)["env"]])
def test_a_variable_of_the_chart_in_extra_env_is_refused_by_name(name):
    message = refusal(merged(ENV, {"extraEnv": [{"name": name, "value": "x"}]}))
    assert f"extraEnv has {name}, which the chart sets itself. Set " in message


def test_a_variable_that_the_chart_only_could_set_is_accepted():
    values = {"extraEnv": [{"name": "OTEL_SERVICE_NAME", "value": "x"}]}
    assert container(values)["env"][-1]["name"] == "OTEL_SERVICE_NAME"
    other = [{"name": "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "value": "http://traces:4318"}]
    assert template(merged(ENV, {"extraEnv": other}))


HARDENED = pod(COMPONENT)


@pytest.mark.parametrize("volume", [volume["name"] for volume in HARDENED["volumes"]])
def test_a_volume_of_the_chart_is_refused_by_name(volume):
    values = {"volumes": [{"name": volume, "emptyDir": {}}]}
    message = refusal(merged(COMPONENT, values))
    assert f"volumes has {volume}, which the chart sets itself. Choose another name." in message
    # With the packaging `spin` the chart has no volume.
    assert template(values)


@pytest.mark.parametrize("suffix", ["", "/", "/."])
@pytest.mark.parametrize(
    "path", [m["mountPath"] for m in HARDENED["containers"][0]["volumeMounts"]]
)
def test_a_path_of_the_chart_is_refused_by_name(path, suffix):
    mount = {
        "volumes": [{"name": "v"}],
        "volumeMounts": [{"name": "v", "mountPath": path + suffix}],
    }
    message = refusal(merged(COMPONENT, mount))
    assert f"volumeMounts has {path}, which the chart sets itself. Choose another path." in message


VARIABLE = {"name": "RUST_LOG", "value": "info"}
SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
VOLUME = {"volumes": [{"name": "v"}]}
MOUNT = {"name": "v", "mountPath": "/v"}


def sidecar(**fields) -> dict:
    return VOLUME | {"extraContainers": [{"name": "proxy", "image": "i"} | fields]}


TWICE = {
    "variable": ({"extraEnv": [VARIABLE, VARIABLE]}, "extraEnv has RUST_LOG twice"),
    "volume": ({"volumes": [{"name": "v"}, {"name": "v"}]}, "volumes has v twice"),
    "path": (
        VOLUME | {"volumeMounts": [MOUNT, MOUNT | {"mountPath": "/v/"}]},
        "volumeMounts has /v twice",
    ),
    "unknown volume": ({"volumeMounts": [MOUNT]}, "no volume has this name"),
    "container": (
        {"extraContainers": [{"name": "a", "image": "i"}] * 2},
        "extraContainers has a twice",
    ),
    "container of the chart": (
        {"extraContainers": [{"name": "swiss", "image": "i"}]},
        "extraContainers has swiss, which the chart sets itself",
    ),
    "variable of a container": (
        sidecar(env=[VARIABLE, VARIABLE]),
        "extraContainers proxy: env has RUST_LOG twice",
    ),
    "path of a container": (
        sidecar(volumeMounts=[MOUNT, MOUNT]),
        "extraContainers proxy: volumeMounts has /v twice",
    ),
    "unknown volume of a container": (
        sidecar(volumeMounts=[MOUNT | {"name": "w"}]),
        "no volume has this name",
    ),
    "port of a container": (
        sidecar(ports=[{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]),
        "extraContainers proxy: ports has 80/TCP twice",
    ),
    "spread": (
        {"topologySpreadConstraints": [SPREAD, SPREAD | {"maxSkew": 2}]},
        "topologySpreadConstraints has zone with DoNotSchedule twice",
    ),
    "secret": ({"imagePullSecrets": [{"name": "s"}] * 2}, "imagePullSecrets has s twice"),
    "two sources of a variable": (
        {"extraEnv": [VARIABLE | {"valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]},
        "extraEnv sets RUST_LOG by both value and valueFrom",
    ),
}


@pytest.mark.parametrize(("values", "words"), TWICE.values(), ids=TWICE.keys())
def test_what_the_api_server_would_refuse_late_is_refused_by_name(values, words):
    assert words in refusal(values)


def test_mounts_and_ports_that_differ_are_accepted():
    ports = [{"containerPort": 53, "protocol": protocol} for protocol in ("TCP", "UDP")]
    values = merged(sidecar(volumeMounts=[MOUNT], ports=ports), {"volumeMounts": [MOUNT]})
    assert template(merged(COMPONENT, values))
    cache = {"name": "cache", "mountPath": "/also-the-cache"}
    assert template(merged(COMPONENT, {"volumeMounts": [cache]}))


MAPS = {
    "podLabels": ("commonLabels", "Deployment", "/spec/template/metadata/labels"),
    "podAnnotations": ("commonAnnotations", "Deployment", "/spec/template/metadata/annotations"),
    "deploymentAnnotations": ("commonAnnotations", "Deployment", "/metadata/annotations"),
    "service.annotations": ("commonAnnotations", "Service", "/metadata/annotations"),
    "serviceAccount.annotations": ("commonAnnotations", "ServiceAccount", "/metadata/annotations"),
    "ingress.annotations": ("commonAnnotations", "Ingress", "/metadata/annotations"),
    "httpRoute.annotations": ("commonAnnotations", "HTTPRoute", "/metadata/annotations"),
    "helmTest.annotations": ("commonAnnotations", "Pod", "/metadata/annotations"),
}


@both_helms
@pytest.mark.parametrize("value", ["b", ""])
def test_a_label_or_annotation_is_there_once_and_the_object_s_own_wins(value, binary):
    values = EXPOSED
    for path, (common, _kind, _pointer) in MAPS.items():
        values = merged(values, {common: {"team": "a"}}, nested(path, {"team": value}))
    documents = manifests(values, binary=binary)
    for path, (_common, kind, pointer) in MAPS.items():
        assert find(documents, kind, pointer)["team"] == value, path


@both_helms
def test_common_annotations_cannot_make_the_test_an_ordinary_pod(binary):
    values = {"commonAnnotations": {"helm.sh/hook": "post-install"}}
    assert only("Pod", values, binary=binary)["metadata"]["annotations"]["helm.sh/hook"] == "test"
