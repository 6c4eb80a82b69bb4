"""Helm 3 and Helm 4, from the first installation to the removal."""

import json
import os
from pathlib import Path

import pytest
import yaml

from cluster.wait import until

from .commands import CHART, HELMS, apply, get, kubectl, run
from .outside import wait_for_answers
from .release import QUICK, Release, merged
from .target import OTHER_CLUSTER

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
    request, namespace, wasm_nodes, helm, environment
):
    """Except for the kinds of GKE."""
    if environment == "gke-gateway":
        request.getfixturevalue("gateway_api")
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
    stored = json.loads(kubectl(*dry, "--output=json", "-f", "-", text=text))["items"]
    assert len(stored) == len(known)
    for ours, theirs in zip(known, stored, strict=True):
        if ours["kind"] == "Pod":
            # A hook of Helm's tests, which Argo CD ignores.
            continue
        custom = ours["kind"] == "HTTPRoute"
        assert not differences(ours, theirs, custom), f"{ours['kind']}: Argo CD sees a difference"
    assert not objects(namespace)
    if environment not in OF_GKE:
        run(helm, "install", *arguments, "--dry-run=server")
        assert not objects(namespace)


@pytest.fixture(scope="module")
def gateway_api():
    """The definitions of the Gateway API, which the user installs."""
    definitions = [f"{each}.gateway.networking.k8s.io" for each in ("gateways", "httproutes")]
    if OTHER_CLUSTER:
        # They are the whole cluster's, and whoever deletes one deletes every object of it.
        found = kubectl("get", "crd", *definitions, "--ignore-not-found", "--output=name")
        if len(found.split()) < len(definitions):
            pytest.skip("another cluster: it does not have the Gateway API")
        return
    for each in definitions:
        plural, _, group = each.partition(".")
        file = Path(os.environ["GATEWAY_API"]) / f"{group}_{plural}.yaml"
        kubectl("apply", "--server-side", "-f", file)

    # A definition is Established before the API server can apply an object of it.
    def described() -> bool:
        explained = (run("kubectl", "explain", each, check=False) for each in definitions)
        return all(each.returncode == 0 for each in explained)

    until("the API server describes the Gateway API", described, seconds=60)


def differences(ours: object, theirs: object, custom: bool, path: str = "") -> list[str]:
    """Where the API server's object differs from ours for Argo CD. It ignores a field that
    only the API server has, but compares the lists of a custom resource item by item."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [
            each
            for key, value in ours.items()
            # The API server leaves out what is zero, and so does Argo CD. An empty list
            # that it leaves out is a difference for `kubectl diff`.
            if value not in ({}, "", 0)
            for each in differences(value, theirs.get(key), custom, f"{path}/{key}")
        ]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        if custom and ours != theirs:
            return [f"{path}: {ours} and {theirs}"]
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [each for at, pair in pairs for each in differences(*pair, custom, f"{path}/{at}")]
    return [] if ours == theirs else [f"{path}: {ours} and {theirs}"]


# No pods: these tests are about the objects.
QUIET = "image.repository=gcr.io/my-project/swiss,image.packaging=component,replicaCount=0"


@pytest.fixture
def uninstalled(namespace):
    """The name of a release, which is uninstalled after the test."""
    yield "k8s"
    run(HELMS["helm 4"], "uninstall", "k8s", "--namespace", namespace, "--ignore-not-found")
    until("nothing is left", lambda: not objects(namespace), seconds=60)


def test_the_other_helm_upgrades_and_rolls_back_the_release(namespace, uninstalled, helm):
    """Helm 4 applies on the server, Helm 3 on the client. Each finds what the other left."""
    (other,) = set(HELMS.values()) - {helm}
    release = ("k8s", "--namespace", namespace)

    def put(program: str, verb: str, *settings: str) -> None:
        run(program, verb, *release, CHART, "--set", ",".join((QUIET, *settings)))

    def now() -> tuple:
        spec = get("deployment", "k8s-swiss", "--namespace", namespace)["spec"]
        return spec["minReadySeconds"], spec["template"]["metadata"]["labels"].get("team")

    put(helm, "install", "minReadySeconds=1", "podLabels.team=a")
    put(other, "upgrade", "minReadySeconds=2", "podLabels.team=b")
    assert now() == (2, "b")
    # A label that is gone from the values must be gone from the cluster.
    put(helm, "upgrade", "minReadySeconds=3")
    assert now() == (3, None)
    run(other, "rollback", *release[:1], 1, *release[1:])
    assert now() == (1, "a")
    run(helm, "rollback", *release[:1], 2, *release[1:])
    assert now() == (2, "b")


LIMITED = {
    "apiGroups": ["", "apps", "networking.k8s.io", "policy"],
    "resources": [
        *("secrets", "serviceaccounts", "services", "deployments"),
        *("networkpolicies", "poddisruptionbudgets"),
    ],
    "verbs": ["*"],
}


def test_a_user_whose_role_is_limited_to_the_namespace_installs(namespace, uninstalled, helm):
    group = "rbac.authorization.k8s.io"
    metadata = {"name": "deployer", "namespace": namespace}
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": metadata, "rules": [LIMITED]}
    binding = {"apiVersion": f"{group}/v1", "kind": "RoleBinding", "metadata": metadata}
    binding["roleRef"] = {"apiGroup": group, "kind": "Role", "name": "deployer"}
    # The namespace has a name that no user has.
    user = f"deployer-{namespace}"
    binding["subjects"] = [{"apiGroup": group, "kind": "User", "name": user}]
    apply(role, binding)
    install = (helm, "install", "k8s", CHART, "--namespace", namespace, "--set", QUIET)
    limited = ("--kube-as-user", user, "--kube-as-group", "system:authenticated")
    assert "STATUS: deployed" in run(*install, *limited).stdout
    run(helm, "uninstall", "k8s", "--namespace", namespace, *limited)
    # The control: this user may not read the Namespace, and a look-up ends the render.
    look = "image.packaging=spin,lookup.namespace=true"
    refused = run(*install, *limited, "--set", look, check=False)
    assert "namespaces" in refused.stderr
    assert "is forbidden" in refused.stderr


def test_where_it_may_look_the_chart_refuses_root_before_anything_is_created(namespace, helm):
    settings = f"{QUIET},image.packaging=spin,lookup.namespace=true"
    arguments = ("install", "k8s", CHART, "--namespace", namespace, "--set", settings)
    refused = run(helm, *arguments, check=False)
    assert f"The namespace {namespace} enforces Pod Security `restricted`" in refused.stderr
    assert not objects(namespace)


@pytest.mark.parametrize("name", ["v1.2", "2048", "true", "1e3"])
def test_a_release_of_any_name_is_installed_whole(namespace, helm, name):
    release = (name, "--namespace", namespace)
    run(helm, "install", *release, CHART, "--set", QUIET)
    try:
        kinds = {each.partition("/")[0] for each in objects(namespace)}
        assert kinds >= {"Deployment", "Service", "ServiceAccount", "NetworkPolicy"}
    finally:
        run(helm, "uninstall", *release)
        until("nothing is left", lambda: not objects(namespace), seconds=60)
