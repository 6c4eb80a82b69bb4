"""templates/_once.tpl: nothing is in a pod twice, and labels are merged."""

import pytest

from cases import find
from helm import (
    HELM3,
    HELM4,
    HELMS,
    container,
    manifests,
    merged,
    nested,
    only,
    pod,
    refusal,
    template,
)
from test_exposure import INGRESS, ROUTE

EXPOSED = merged(INGRESS, ROUTE)
both_helms = pytest.mark.parametrize("binary", HELMS, ids=["helm 3", "helm 4"])
COMPONENT = {"image": {"packaging": "component"}}
CONTAINER = {"image": {"packaging": "container"}}
# Every variable that the chart can set.
ENV = merged(
    CONTAINER,
    {
        "spinVariables": {"greeting": "welcome", "a_b": "c"},
        "otel": {"endpoint": "http://collector:4318"},
        "networkPolicy": {"enabled": False},
    },
)


def test_each_variable_of_the_chart_in_extra_env_is_refused_by_name():
    names = [variable["name"] for variable in container(ENV)["env"]]
    assert len(names) == 6
    extra = [{"name": name, "value": "x"} for name in names]
    message = refusal(merged(ENV, {"extraEnv": extra}))
    for name in names:
        assert f"extraEnv has {name}, which the chart sets itself. Set " in message


def test_a_variable_that_the_chart_only_could_set_is_accepted():
    values = {"extraEnv": [{"name": "OTEL_SERVICE_NAME", "value": "x"}]}
    assert container(values)["env"][-1]["name"] == "OTEL_SERVICE_NAME"
    other = [{"name": "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "value": "http://traces:4318"}]
    assert template(merged(ENV, {"extraEnv": other}))


def test_each_volume_and_path_of_the_chart_is_refused_by_name():
    hardened = pod(COMPONENT)
    names = [volume["name"] for volume in hardened["volumes"]]
    paths = [mount["mountPath"] for mount in hardened["containers"][0]["volumeMounts"]]
    mine = {
        "volumes": [{"name": name, "emptyDir": {}} for name in names],
        "volumeMounts": [{"name": names[0], "mountPath": f"{path}/"} for path in paths],
    }
    message = refusal(merged(COMPONENT, mine))
    for name in names:
        assert f"volumes has {name}, which the chart sets itself. Choose another" in message
    for path in paths:
        assert f"volumeMounts has {path}, which the chart sets itself. Choose another" in message
    # With the packaging `spin` the chart has none of them.
    assert template(mine)


VARIABLE = {"name": "RUST_LOG", "value": "info"}
SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
VOLUME = {"volumes": [{"name": "v"}]}
MOUNT = {"name": "v", "mountPath": "/v"}


def sidecar(**fields) -> dict:
    return VOLUME | {"extraContainers": [{"name": "proxy", "image": "i"} | fields]}


# What the API server would refuse late, and the words in which the chart does.
TWICE = {
    "extraEnv": [VARIABLE, VARIABLE, {"name": "BOTH", "value": "x", "valueFrom": {"fieldRef": {}}}],
    "volumes": [{"name": "v"}, {"name": "v"}],
    "volumeMounts": [MOUNT, MOUNT | {"mountPath": "/v/"}, {"name": "w", "mountPath": "/w"}],
    "topologySpreadConstraints": [SPREAD, SPREAD | {"maxSkew": 2}],
    "imagePullSecrets": [{"name": "s"}, {"name": "s"}],
    "extraContainers": [
        {"name": "swiss", "image": "i"},
        {"name": "a", "image": "i"},
        {"name": "a", "image": "i"},
        {
            "name": "proxy",
            "image": "i",
            "env": [VARIABLE, VARIABLE],
            "volumeMounts": [MOUNT, MOUNT, {"name": "x", "mountPath": "/x"}],
            "ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}],
        },
    ],
}
WORDS = (
    "extraEnv has RUST_LOG twice. Remove one of them.",
    "extraEnv sets BOTH by both value and valueFrom.",
    "volumes has v twice.",
    "volumeMounts has /v twice.",
    "volumeMounts has the volume w at /w, but no volume has this name.",
    "topologySpreadConstraints has zone with DoNotSchedule twice.",
    "imagePullSecrets has s twice.",
    "extraContainers has swiss, which the chart sets itself.",
    "extraContainers has a twice.",
    "extraContainers proxy: env has RUST_LOG twice.",
    "extraContainers proxy: volumeMounts has /v twice.",
    "extraContainers proxy: volumeMounts has the volume x at /x, but no volume",
    "extraContainers proxy: ports has 80/TCP twice.",
)


@both_helms
def test_everything_that_is_there_twice_is_refused_at_once_and_by_name(binary):
    message = refusal(TWICE, binary=binary)
    assert [words for words in WORDS if words not in message] == []
    assert message.count("\n\n") == len(WORDS) + 1


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


@pytest.mark.parametrize(("value", "binary"), [("b", HELM3), ("", HELM4)])
def test_a_label_or_annotation_is_there_once_and_the_object_s_own_wins(value, binary):
    values = EXPOSED
    for path, (common, _kind, _pointer) in MAPS.items():
        values = merged(values, {common: {"team": "a"}}, nested(path, {"team": value}))
    documents = manifests(values, binary=binary)
    for path, (_common, kind, pointer) in MAPS.items():
        assert find(documents, kind, pointer)["team"] == value, path


def test_common_annotations_cannot_make_the_test_an_ordinary_pod():
    values = {"commonAnnotations": {"helm.sh/hook": "post-install"}}
    assert only("Pod", values)["metadata"]["annotations"]["helm.sh/hook"] == "test"
