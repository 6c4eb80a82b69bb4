"""The chart below another one: twice under aliases, with a condition, global values and
YAML anchors. And the ways of Argo CD, Flux and kubectl, which render and then apply."""

import shutil
import subprocess

import pytest
import yaml

from helm import CHART, HELMS, REPOSITORY_VALUE, helm, manifests, merged, template
from helm import StrictLoader as Loader
from test_cluster import EVERYTHING

both_helms = pytest.mark.parametrize("binary", HELMS, ids=["helm 3", "helm 4"])
# Aliases that are part of the release's name, that YAML takes for another type, that begin
# with a digit, and that no Kubernetes object may have as a name.
RELEASE = "blue-green"
ALIASES = ("blue", "green", "swiss", "true", "2nd", "Blue_One", "blue-one")
ANCHORS = """
global:
  region: europe-west6
x-common: &common
  team: a
blue:
  enabled: true
  x-labels: &labels
    team: b
  podLabels: *labels
  commonLabels: *common
  tolerations: null
"""


@pytest.fixture(scope="module")
def umbrella(tmp_path_factory):
    """A chart that depends on this one under every alias, each with a condition."""
    folder = tmp_path_factory.mktemp("umbrella")
    shutil.copytree(CHART, folder / "charts/swiss")
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
    dependencies = [
        {"name": "swiss", "version": version, "alias": alias, "condition": f"{alias}.enabled"}
        for alias in ALIASES
    ]
    metadata = {"apiVersion": "v2", "name": "umbrella", "version": "1.0.0"}
    text = yaml.safe_dump(metadata | {"dependencies": dependencies})
    (folder / "Chart.yaml").write_text(text)
    (folder / "values.yaml").write_text(ANCHORS)
    return folder


def rendered(umbrella, values: dict, binary: str) -> list[dict]:
    arguments = ("template", RELEASE, str(umbrella), "--kube-version", "1.36")
    result = helm(binary, *arguments, values=values)
    assert result.returncode == 0, result.stderr
    return [each for each in yaml.load_all(result.stdout, Loader) if each]


def identities(documents: list[dict]) -> list[tuple]:
    return [(each["kind"], each["metadata"]["name"]) for each in documents]


@both_helms
def test_every_alias_has_objects_and_selectors_of_its_own(umbrella, binary):
    # Only one of them may create the RuntimeClass, which belongs to no namespace.
    each = merged(REPOSITORY_VALUE, EVERYTHING, {"runtimeClass": {"create": False}})
    documents = rendered(umbrella, dict.fromkeys(ALIASES, each), binary)
    found = identities(documents)
    assert len(found) == len(set(found))
    assert [kind for kind, _name in found].count("Deployment") == len(ALIASES)
    selectors = [each["spec"]["selector"] for each in documents if each["kind"] == "Service"]
    assert len({yaml.safe_dump(selector) for selector in selectors}) == len(ALIASES)


@both_helms
def test_an_alias_can_be_switched_off_and_anchors_give_its_values(umbrella, binary):
    off = {alias: {"enabled": False} for alias in ALIASES if alias != "blue"}
    documents = rendered(umbrella, off | {"blue": REPOSITORY_VALUE}, binary)
    (deployment,) = [each for each in documents if each["kind"] == "Deployment"]
    assert deployment["metadata"]["name"] == f"{RELEASE}-blue"
    assert deployment["metadata"]["labels"]["team"] == "a"
    assert deployment["spec"]["template"]["metadata"]["labels"]["team"] == "b"


@both_helms
def test_the_keys_of_other_tools_are_accepted(binary):
    other = {"enabled": True, "x-common": {"a": 1}, "x-list": [1], "global": {"a": 1}}
    assert template(other, binary=binary) == template({}, binary=binary)


def test_two_releases_in_a_namespace_share_no_object_and_no_selector():
    both = [manifests(EVERYTHING, release=release) for release in ("one", "two")]
    first, second = ({*identities(documents)} for documents in both)
    assert first & second == {("RuntimeClass", "wasmtime-spin-v2")}
    instances = [
        {each["metadata"]["labels"]["app.kubernetes.io/instance"] for each in documents}
        for documents in both
    ]
    assert instances == [{"one"}, {"two"}]


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl, which has kustomize")
@both_helms
def test_kustomize_builds_the_render_with_common_labels(binary, tmp_path):
    values = {name: {"team": "a"} for name in ("commonLabels", "commonAnnotations")}
    values |= {name: {"team": "b"} for name in ("podLabels", "podAnnotations")}
    values["helmTest"] = {"enabled": False}
    values["runtimeClass"] = {"create": True}
    text = template(merged(EVERYTHING, values), binary=binary)
    (tmp_path / "chart.yaml").write_text(text)
    kustomization = {"resources": ["chart.yaml"], "namespace": "elsewhere"}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    command = ["kubectl", "kustomize", tmp_path]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    built = [each for each in yaml.load_all(result.stdout, Loader) if each]
    assert sorted(identities(built)) == sorted(identities(yaml.load_all(text, Loader)))
    assert "Pod" not in {each["kind"] for each in built}
