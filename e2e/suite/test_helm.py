"""Helm 3 and Helm 4, from the first installation to the removal."""

import json
import os
from pathlib import Path

import pytest
import yaml

from cluster.wait import until

from .commands import CHART, HELMS, get, kubectl, run
from .outside import wait_for_answers
from .release import QUICK, Release, merged

KINDS = (
    "deployments,replicasets,pods,services,endpointslices,serviceaccounts,secrets,configmaps,"
    "networkpolicies,poddisruptionbudgets"
)
# Kubernetes creates these in every namespace.
OF_KUBERNETES = {"ServiceAccount/default", "ConfigMap/kube-root-ca.crt"}

DIGEST = "sha256:" + "5" * 64
PROD = "environments/prod.yaml"
ENVIRONMENTS = {
    "defaults": (),
    "dev": ("environments/dev.yaml",),
    "qa": ("environments/qa.yaml",),
    "prod": (PROD,),
    "gke": (PROD, "examples/gke.yaml"),
    "gke-ingress": (PROD, "examples/gke-ingress.yaml"),
    "spot": (PROD, "examples/spot.yaml"),
    "gke-gateway": (PROD, "examples/gke-gateway.yaml"),
}

# Objects of GKE's own kinds, which the API server does not know: no registry has their
# definitions. tests/chart/gke/ validates them.
GKE_GROUPS = ("cloud.google.com/", "networking.gke.io/")
OF_GKE = {"gke-ingress": 3, "gke-gateway": 2}

pytestmark = pytest.mark.parametrize("helm", HELMS.values(), ids=HELMS)


def objects(namespace: str) -> set[str]:
    items = get(KINDS, "--namespace", namespace)["items"]
    return {f"{item['kind']}/{item['metadata']['name']}" for item in items} - OF_KUBERNETES


def revision_of(release: Release) -> str:
    deployment = get("deployment", "--namespace", release.namespace, release.deployment)
    return deployment["spec"]["template"]["metadata"]["annotations"]["revision"]


def test_a_release_is_installed_upgraded_rolled_back_and_leaves_nothing(release, helm):
    release.helm = helm
    release.install(QUICK, {"podAnnotations": {"revision": "one"}})
    release.roll_out()
    wait_for_answers(release.address())
    assert "ok    POST /will" in release.test()

    release.upgrade(QUICK, {"podAnnotations": {"revision": "two"}, "replicaCount": 2})
    release.roll_out()
    assert revision_of(release) == "two"
    assert len(release.pods()) == 2

    release.rollback()
    release.roll_out()
    assert revision_of(release) == "one"
    assert len(release.pods()) == 3

    release.uninstall()
    until("nothing is left", lambda: not objects(release.namespace), seconds=60)


def test_invalid_values_create_nothing(release, helm):
    wrong = {"image": {"packaging": "spin"}, "securityContext": {"readOnlyRootFilesystem": True}}
    arguments = ("install", release.name, CHART, "--namespace", release.namespace)
    values = json.dumps(merged(release.values, wrong))
    result = run(helm, *arguments, "--values", "-", text=values, check=False)
    assert result.returncode != 0
    assert "image.packaging=component" in result.stderr
    assert not objects(release.namespace)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_api_server_accepts_every_environment(
    gateway_api, namespace, wasm_nodes, helm, environment
):
    """Except for the kinds of GKE."""
    files = [part for name in ENVIRONMENTS[environment] for part in ("-f", CHART / name)]
    settings = f"image.repository=gcr.io/project/swiss,image.digest={DIGEST}"
    if environment == "defaults":
        settings += ",image.packaging=component"
    arguments = ("k8s", CHART, "--namespace", namespace, *files, "--set", settings)
    rendered = run(helm, "template", *arguments, "--kube-version=1.36").stdout
    manifests = [each for each in yaml.safe_load_all(rendered) if each]
    known = [each for each in manifests if not each["apiVersion"].startswith(GKE_GROUPS)]
    assert len(manifests) - len(known) == OF_GKE.get(environment, 0)
    text = yaml.safe_dump_all(known)
    dry = ("apply", "--server-side", "--dry-run=server", "--namespace", namespace)
    result = kubectl(*dry, "-f", "-", text=text)
    assert result.count("serverside-applied (server dry run)") == len(known)
    assert not objects(namespace)
    if environment not in OF_GKE:
        run(helm, "install", *arguments, "--dry-run=server")
        assert not objects(namespace)


@pytest.fixture(scope="module")
def gateway_api():
    """The definitions of the Gateway API, which the user installs."""
    folder = Path(os.environ["GATEWAY_API"])
    plurals = ("gateways", "httproutes")
    for plural in plurals:
        file = folder / f"gateway.networking.k8s.io_{plural}.yaml"
        kubectl("apply", "--server-side", "-f", file)
    definitions = [f"crd/{plural}.gateway.networking.k8s.io" for plural in plurals]
    kubectl("wait", "--for=condition=Established", *definitions, "--timeout=30s")
    yield
    kubectl("delete", *definitions)
