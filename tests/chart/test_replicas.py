"""templates/_scale.tpl: the number of replicas, and who sets it.

Helm reads the Deployment of the release, which the server of api_server.py gives.
"""

import pytest
import yaml

from api_server import INSTALLED
from helm import HELM3, HELM4, only
from test_scale import HPA

BY_OTHERS = {"an autoscaler": HPA, "no replicaCount": {"replicaCount": None}}
OMITTED = {"swiss/replicas": "set by an autoscaler"}
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/k8s-swiss"
others = pytest.mark.parametrize("values", BY_OTHERS.values(), ids=BY_OTHERS.keys())
helms = pytest.mark.parametrize("binary", [HELM3, HELM4], ids=["helm 3", "helm 4"])


def deployment(replicas: int, annotations: dict) -> dict:
    """The answer of the API server, for an object of the release."""
    owner = {"meta.helm.sh/release-name": "k8s", "meta.helm.sh/release-namespace": "default"}
    metadata = {
        "name": "k8s-swiss",
        "namespace": "default",
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": owner | annotations,
    }
    found = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
    return INSTALLED | {DEPLOYMENT: found | {"spec": {"replicas": replicas}}}


@pytest.fixture
def rendered(cluster):
    """A function that returns the Deployment that Helm would send to a cluster."""

    def render(values: dict, known: dict, binary: str) -> dict:
        text = cluster(values, known, binary=binary, part="MANIFEST")
        found = [each for each in yaml.safe_load_all(text) if each]
        (only_one,) = [each for each in found if each["kind"] == "Deployment"]
        return only_one

    return render


@others
def test_a_release_that_others_scale_has_no_replicas(values):
    assert "replicas" not in only("Deployment", values)["spec"]


@helms
@others
def test_a_switch_to_an_autoscaler_keeps_the_number_of_pods(rendered, values, binary):
    """Without the field, the API server would set one pod."""
    found = rendered(values, deployment(7, {}), binary)
    assert found["spec"]["replicas"] == 7
    assert not OMITTED.items() & found["metadata"].get("annotations", {}).items()


def test_a_release_scaled_to_nothing_stays_at_nothing(rendered):
    found = rendered({"replicaCount": None}, deployment(0, {}), HELM4)
    assert found["spec"]["replicas"] == 0


@helms
def test_a_release_that_others_scaled_from_the_start_leaves_the_number_to_them(rendered, binary):
    """A number in the manifest would come back with a rollback."""
    found = rendered(HPA, deployment(7, OMITTED), binary)
    assert "replicas" not in found["spec"]
    assert OMITTED.items() <= found["metadata"]["annotations"].items()


def test_replica_count_takes_precedence_over_the_present_number(rendered):
    found = rendered({"replicaCount": 4}, deployment(7, OMITTED), HELM4)
    assert found["spec"]["replicas"] == 4
