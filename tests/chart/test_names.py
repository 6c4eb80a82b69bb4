"""Names of every release and namespace: YAML takes none for a number, the API server
accepts each for every kind of object, and no two releases share one."""

import itertools
import re

import pytest
import yaml

from helm import HELMS, container, manifests, merged, only, pod, refusal, template
from test_cluster import EVERYTHING
from test_gce import CERTIFICATE, GCE, REDIRECT

# Release names for Helm, and each a number, a boolean, a date or nothing for YAML 1.1 or 1.2.
LOOKALIKES = ("123", "true", "null", "1.0", "7e12345", "1e3", "0x1f", "no", "2026-11-28", "n")
# A Service's name (RFC 1035), which is the strictest of all kinds.
SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
# With the objects of GKE's Ingress.
OF_GKE = merged(EVERYTHING, GCE, CERTIFICATE, REDIRECT)
OVERRIDDEN = merged(OF_GKE, {"fullnameOverride": "swiss", "runtimeClassName": "123"})
both_helms = pytest.mark.parametrize("binary", HELMS, ids=["helm 3", "helm 4"])


def unquoted(text: str, value: str) -> int:
    """How often the value is there without quotes, be it as a key."""
    scalars = [
        each for each in yaml.parse(text, yaml.CLoader) if isinstance(each, yaml.ScalarEvent)
    ]
    return len([each for each in scalars if each.value == value and not each.style])


# Each pair with one of the two versions of Helm, which render the same.
@pytest.mark.parametrize(
    ("release", "namespace", "binary"),
    list(zip(LOOKALIKES[::2], LOOKALIKES[1::2], itertools.cycle(HELMS), strict=False)),
)
def test_a_name_that_yaml_takes_for_another_type_is_quoted(release, namespace, binary):
    text = template(OVERRIDDEN, release=release, namespace=namespace, binary=binary)
    for name in (release, namespace):
        assert text.count(f'"{name}"') > 8
        # Real booleans remain.
        assert unquoted(text, name) == unquoted(template(OVERRIDDEN), name)


STRINGS = {
    "nameOverride": "null",
    "fullnameOverride": "true",
    "namespaceOverride": "1234",
    "commonLabels": {"on": "1e3", "1": "null"},
    "commonAnnotations": {"true": "1", "y": "no"},
    "podLabels": {"off": "true"},
    "podAnnotations": {"a": "0x1f"},
    "deploymentAnnotations": {"a": "1_000"},
    "image": {"tag": "1e3"},
    "imagePullSecrets": [{"name": "123"}],
    "runtimeClassName": "1e3",
    "runtimeClass": {"handler": "0x1f", "nodeSelector": {"a": "true"}},
    "serviceAccount": {"name": "123", "annotations": {"a": "true"}},
    "nodeSelector": {"a": "true"},
    "tolerations": [{"key": "1", "operator": "Equal", "value": "true"}],
    "priorityClassName": "1e3",
    "extraEnv": [{"name": "NO", "value": "1e3"}],
    "otel": {"endpoint": "http://1", "serviceName": "123"},
    "networkPolicy": {"egress": [{}]},
    "spinVariables": {"on": "null"},
    "service": {"loadBalancerClass": "123", "annotations": {"a": "no"}},
    "ingress": {"className": "123", "tls": [{"hosts": ["1.0"], "secretName": "1"}]},
    "httpRoute": {"parentRefs": [{"name": "123", "sectionName": "1"}], "hostnames": ["1.0"]},
    "helmTest": {"annotations": {"a": "123"}},
}


@both_helms
def test_a_value_that_yaml_takes_for_another_type_stays_text(binary):
    ordinary = template(EVERYTHING, binary=binary)
    text = template(merged(EVERYTHING, STRINGS), binary=binary)
    for value in flat(STRINGS) - {"http://1"}:
        assert f'"{value}"' in text, value
        assert unquoted(text, value) <= unquoted(ordinary, value), value


def flat(value: object) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(flat(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(flat(each) for each in value))
    # Kubernetes' own words, which the chart passes on.
    return {value} - {"Equal"}


def test_a_large_number_stays_an_integer():
    user = 1000650000
    values = {
        "image": {"packaging": "component"},
        "minReadySeconds": 1000000,
        "progressDeadlineSeconds": 2000000,
        "revisionHistoryLimit": 1000000,
        "terminationGracePeriodSeconds": 2592000,
        "podSecurityContext": {"runAsUser": user},
    }
    spec = only("Deployment", values)["spec"]
    found = [spec["minReadySeconds"], spec["progressDeadlineSeconds"], spec["revisionHistoryLimit"]]
    found.append(spec["template"]["spec"]["terminationGracePeriodSeconds"])
    found.append(spec["template"]["spec"]["securityContext"]["runAsUser"])
    assert found == [1000000, 2000000, 1000000, 2592000, user]
    assert all(isinstance(number, int) for number in found)


LONG = "a" * 53
RELEASES = (
    "v1.2",
    "v1-2",
    "v1.2.3",
    "v1.2-3",
    "2048",
    "swiss-2048",
    LONG,
    f"{LONG[:-1]}b",
    "0",
    "1.0",
)
ALIKE = (LONG, f"{LONG[:-1]}b", "swiss", "2048")


@pytest.mark.parametrize(
    ("values", "releases"),
    [({}, RELEASES), ({"nameOverride": "m" * 63}, ALIKE)],
    ids=["default", "long"],
)
def test_every_release_has_names_that_the_api_server_accepts_and_no_other_has(values, releases):
    names: dict[tuple, str] = {}
    for release in releases:
        for manifest in manifests(merged(EVERYTHING, values), release=release):
            name = manifest["metadata"]["name"]
            assert SERVICE_NAME.fullmatch(name), (release, manifest["kind"], name)
            if manifest["kind"] != "RuntimeClass":
                assert names.setdefault((manifest["kind"], name), release) == release
            for label in manifest["metadata"]["labels"].values():
                assert re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", label)


def test_the_name_of_an_ordinary_release_is_not_changed():
    assert only("Service", {}, release="k8s")["metadata"]["name"] == "k8s-swiss"
    assert only("Service", {}, release="my-swiss")["metadata"]["name"] == "my-swiss"


def test_the_pods_of_a_changed_name_are_found_by_their_own_service():
    (test,) = [m for m in manifests({}, release="2048") if m["kind"] == "Pod"]
    service = only("Service", {}, release="2048")["metadata"]["name"]
    host = test["spec"]["containers"][0]["env"][0]["value"]
    assert host == f"$({service.upper().replace('-', '_')}_SERVICE_HOST)"
    assert pod({})["serviceAccountName"] == "k8s-swiss"
    assert container({})["name"] == "swiss"


@pytest.mark.parametrize("name", ["2048", "v1.2", "n" * 64])
def test_an_override_that_is_no_service_s_name_is_refused_before_anything_is_created(name):
    assert "that begins with a letter" in refusal({"fullnameOverride": name})
