"""Upgrades from the chart of the last release, and the way back. released.py writes that
release, and Helm's driver `memory` reads it."""

import json

import pytest
import yaml

from helm import CHART, HELMS, merged
from released import RELEASED, VALUES, in_memory, stored

both_helms = pytest.mark.parametrize("binary", HELMS, ids=["helm 3", "helm 4"])
(BEFORE,) = yaml.load(RELEASED.read_text(), yaml.CSafeLoader)
MORE = {"podLabels": {"step": "2"}}
# Options of `helm upgrade`, and the values that the user gives with them.
WAYS = {
    "reuse values": (("--reuse-values",), MORE),
    "reset, then reuse values": (("--reset-then-reuse-values",), MORE),
    "reset values": (("--reset-values",), merged(VALUES, MORE)),
}


@pytest.fixture
def upgraded(api):
    """A function that returns the release after an upgrade. Helm asks the API server for
    its version, and sends its changes to a client that applies nothing."""

    def upgraded(binary: str, options: tuple, values: dict | None) -> dict:
        arguments = ("upgrade", "k8s", str(CHART), *options, "--dry-run=client")
        output = ("--output", "json", "--kube-apiserver", api.url)
        return stored(in_memory(binary, *arguments, *output, values=values))

    return upgraded


def objects(release: dict) -> dict[str, dict]:
    documents = yaml.load_all(release["manifest"], yaml.CSafeLoader)
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in documents if each}


@both_helms
@pytest.mark.parametrize(("options", "values"), WAYS.values(), ids=WAYS.keys())
def test_an_upgrade_keeps_the_user_s_values_and_what_kubernetes_lets_nobody_change(
    upgraded, options, values, binary
):
    old, new = objects(BEFORE), objects(upgraded(binary, options, values))
    # An object with another name would be a new one: a Service would get another address.
    assert old.keys() <= new.keys()
    before, after = old["Deployment/k8s-swiss"]["spec"], new["Deployment/k8s-swiss"]["spec"]
    assert after["selector"] == before["selector"]
    assert after["replicas"] == 5
    labels = after["template"]["metadata"]["labels"]
    assert (labels["team"], labels["step"]) == ("a", "2")
    (app,) = after["template"]["spec"]["containers"]
    assert app["name"] == before["template"]["spec"]["containers"][0]["name"]
    assert app["image"] == "gcr.io/my-project/swiss:v1"
    assert {"name": "RUST_LOG", "value": "info"} in app["env"]
    service = new["Service/k8s-swiss"]["spec"]
    assert service["selector"] == old["Service/k8s-swiss"]["spec"]["selector"]
    assert service["type"] == "ClusterIP"


@both_helms
def test_an_upgrade_without_values_keeps_those_of_the_release(upgraded, binary):
    deployment = objects(upgraded(binary, (), None))["Deployment/k8s-swiss"]
    assert deployment["spec"]["replicas"] == 5


# Without the new defaults, a template that needs one would fail.
@both_helms
def test_every_value_that_is_new_since_the_release_may_be_missing(upgraded, binary):
    everything = {
        "autoscaling": {"enabled": True},
        "runtimeClass": {"create": True},
        "httpRoute": {
            "enabled": True,
            "parentRefs": [{"name": "external"}],
            "healthCheckPolicy": {"enabled": True},
        },
    }
    new = objects(upgraded(binary, ("--reuse-values",), everything))
    kinds = {name.partition("/")[0] for name in new}
    assert kinds > {"HorizontalPodAutoscaler", "RuntimeClass", "HTTPRoute", "HealthCheckPolicy"}


@both_helms
def test_a_rollback_returns_over_a_changed_schema(upgraded, binary, tmp_path):
    """Helm neither renders nor validates: the old values need not fit the new schema."""
    old = merged(BEFORE, {"info": {"status": "superseded"}, "config": {"gone": True}})
    new = upgraded(binary, ("--reset-then-reuse-values",), MORE) | {"version": 2}
    releases = tmp_path / "releases.yaml"
    releases.write_text(json.dumps([old, new]))
    result = in_memory(binary, "rollback", "k8s", "1", releases=releases)
    assert result.returncode == 0, result.stderr
    assert "Rollback was a success" in result.stdout
