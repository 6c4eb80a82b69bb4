"""templates/{networkpolicy,serviceaccount,runtimeclass,extraobjects}.yaml, and the
names and labels of every object."""

import pytest
import yaml

from cases import ABSENT, Case
from helm import REPOSITORY, container, kinds, manifests, merged, only
from test_exposure import INGRESS, POLICY
from test_scale import HPA

RUNTIME_CLASS = {"runtimeClass": {"create": True}}
TOLERATION = {"key": "spin", "operator": "Exists"}
PEER = {"namespaceSelector": {"matchLabels": {"team": "x"}}}
EGRESS = {"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
EVERYTHING = merged(INGRESS, POLICY, HPA, RUNTIME_CLASS)

CASES = [
    Case("networkPolicy.enabled", False, "NetworkPolicy", "/kind", ABSENT, alone=True),
    Case("networkPolicy.ingressFrom", [PEER], "NetworkPolicy", "/spec/ingress/0/from/0", PEER),
    Case("networkPolicy.egress", [EGRESS], "NetworkPolicy", "/spec/egress"),
    Case("containerPort", 5001, "NetworkPolicy", "/spec/ingress/0/ports/0/port"),
    Case("serviceAccount.create", False, "ServiceAccount", "/kind", ABSENT, alone=True),
    Case("serviceAccount.name", "sa", "ServiceAccount", "/metadata/name"),
    Case("serviceAccount.annotations", {"a": "b"}, "ServiceAccount", "/metadata/annotations"),
    Case("serviceAccount.automount", True, "ServiceAccount", "/automountServiceAccountToken"),
    Case("runtimeClass.create", True, "RuntimeClass", "/kind", "RuntimeClass"),
    Case("runtimeClassName", "other", "RuntimeClass", "/metadata/name", requires=RUNTIME_CLASS),
    Case("runtimeClass.handler", "spin-v2", "RuntimeClass", "/handler", requires=RUNTIME_CLASS),
    Case(
        "runtimeClass.overhead.memory",
        "12Mi",
        "RuntimeClass",
        "/overhead/podFixed/memory",
        requires=RUNTIME_CLASS,
    ),
    Case(
        "runtimeClass.nodeSelector",
        {"pool": "spin"},
        "RuntimeClass",
        "/scheduling/nodeSelector",
        requires=RUNTIME_CLASS,
    ),
    Case(
        "runtimeClass.tolerations",
        [TOLERATION],
        "RuntimeClass",
        "/scheduling/tolerations",
        requires=RUNTIME_CLASS,
    ),
    Case("extraObjects", [CONFIG_MAP], "ConfigMap", "/metadata/name", "c"),
    Case("nameOverride", "other", "Service", "/metadata/name", "k8s-other", alone=True),
    Case("fullnameOverride", "other", "Service", "/metadata/name"),
    Case("namespaceOverride", "elsewhere", "Service", "/metadata/namespace"),
    Case("commonLabels", {"team": "x"}, "Service", "/metadata/labels/team", "x"),
    Case("commonAnnotations", {"a": "b"}, "Service", "/metadata/annotations"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_value_is_rendered(case):
    case.check(CASES)


def test_the_network_policy_allows_traffic_in_to_the_component_port_only_and_none_out():
    spec = only("NetworkPolicy", {})["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["ingress"] == [{"ports": [{"port": 5000, "protocol": "TCP"}]}]
    assert "egress" not in spec
    selector = only("Deployment", {})["spec"]["selector"]
    assert spec["podSelector"] == selector


def test_ingress_from_also_allows_the_helm_test_pod():
    values = {"networkPolicy": {"ingressFrom": [PEER]}}
    peers = only("NetworkPolicy", values)["spec"]["ingress"][0]["from"]
    labels = only("Pod", values)["metadata"]["labels"]
    assert peers[-1]["podSelector"]["matchLabels"].items() <= labels.items()


def test_the_chart_creates_a_runtime_class_only_on_request():
    assert "RuntimeClass" not in kinds({})
    none = merged(RUNTIME_CLASS, {"runtimeClass": {"tolerations": []}})
    assert "scheduling" not in only("RuntimeClass", none)
    assert only("RuntimeClass", RUNTIME_CLASS)["handler"] == "spin"


def test_the_runtime_class_is_that_of_the_node_installer_but_for_its_scheduling():
    installers = yaml.safe_load((REPOSITORY / "runtime-class/base/runtimeclass.yaml").read_text())
    charts = only("RuntimeClass", RUNTIME_CLASS)
    for field in ("handler", "overhead"):
        assert charts[field] == installers[field], field
    none = merged(RUNTIME_CLASS, {"runtimeClass": {"overhead": None}})
    assert "overhead" not in only("RuntimeClass", none)


def test_the_runtime_class_and_the_helm_test_pod_tolerate_what_the_node_installer_s_does():
    installers = yaml.safe_load((REPOSITORY / "runtime-class/base/runtimeclass.yaml").read_text())
    tolerations = installers["scheduling"]["tolerations"]
    assert only("RuntimeClass", RUNTIME_CLASS)["scheduling"]["tolerations"] == tolerations
    assert only("Pod", {})["spec"]["tolerations"] == tolerations


def test_extra_objects_may_be_text_with_templates():
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-x\n"
    assert only("ConfigMap", {"extraObjects": [text]})["metadata"]["name"] == "k8s-x"


def test_every_object_has_the_recommended_labels():
    for manifest in manifests(EVERYTHING):
        labels = manifest["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "k8s", manifest["kind"]
        assert labels["app.kubernetes.io/managed-by"] == "Helm", manifest["kind"]
        if manifest["kind"] != "Pod":
            assert labels["app.kubernetes.io/name"] == "swiss", manifest["kind"]
            assert labels["app.kubernetes.io/version"] == "0.1.0", manifest["kind"]
            assert labels["helm.sh/chart"] == "swiss-0.1.0", manifest["kind"]


@pytest.mark.parametrize("where", ["labels", "annotations"])
def test_common_labels_and_annotations_are_on_every_object_and_on_the_pods(where):
    values = merged(EVERYTHING, {f"common{where.capitalize()}": {"team": "x"}})
    for manifest in manifests(values):
        assert manifest["metadata"][where]["team"] == "x", manifest["kind"]
    template = only("Deployment", values)["spec"]["template"]
    assert template["metadata"][where]["team"] == "x"


def test_pods_are_selected_by_name_and_instance_only():
    """An upgrade changes other labels, but must not change a selector."""
    selector = only("Deployment", {})["spec"]["selector"]["matchLabels"]
    assert selector == {"app.kubernetes.io/name": "swiss", "app.kubernetes.io/instance": "k8s"}


def test_a_new_version_of_the_chart_restarts_no_pod():
    labels = only("Deployment", {})["spec"]["template"]["metadata"]["labels"]
    assert "helm.sh/chart" not in labels


def test_every_object_but_the_runtime_class_is_in_the_namespace():
    for manifest in manifests(merged(EVERYTHING, {"namespaceOverride": "elsewhere"})):
        expected = None if manifest["kind"] == "RuntimeClass" else "elsewhere"
        assert manifest["metadata"].get("namespace") == expected, manifest["kind"]


def test_every_object_is_named_after_the_release():
    names = {m["kind"]: m["metadata"]["name"] for m in manifests(EVERYTHING)}
    assert names.pop("Pod") == "k8s-swiss-contract-test"
    assert names.pop("RuntimeClass") == "wasmtime-spin-v2"
    assert set(names.values()) == {"k8s-swiss"}
    assert container({})["name"] == "swiss"


def test_a_release_name_that_contains_the_chart_name_does_not_repeat_it():
    assert only("Service", {}, release="my-swiss")["metadata"]["name"] == "my-swiss"


def test_long_names_are_truncated_to_the_limits_of_kubernetes():
    values = {"fullnameOverride": "n" * 63, "nameOverride": "m" * 63}
    values |= {"image": {"tag": "t" * 100 + "."}}
    assert only("Service", values)["metadata"]["name"] == "n" * 63
    for manifest in manifests(values):
        assert len(manifest["metadata"]["name"]) <= 63
        for label in manifest["metadata"]["labels"].values():
            assert len(label) <= 63
            assert label[-1].isalnum()
