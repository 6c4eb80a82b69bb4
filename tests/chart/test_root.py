"""Nobody runs as root unknowingly: templates/_root.tpl and the notes."""

import re

import pytest

from api_server import FORBIDDEN, INSTALLED, NAMESPACE, RUNTIME_CLASSES
from helm import HELM3, HELM4, HELMS, REPOSITORY, container, merged, nested, only, refusal

BETTER = "push the component artifact (`make push`) and set image.packaging=component"
NO_CONTEXT = "leave podSecurityContext and securityContext empty"
COMPONENT = nested("image.packaging", "component")
NO_ROOT = {"allowRoot": False}
LOOK = {"lookup": {"namespace": True}}
ROOT_USER = {"podSecurityContext": {"runAsUser": 0}}
CONTAINER_ROOT = {"securityContext": {"runAsUser": 0}}
both_helms = pytest.mark.parametrize("binary", HELMS, ids=["helm 3", "helm 4"])


def namespace(**labels: str) -> dict:
    labels = {f"pod-security.kubernetes.io/{mode}": level for mode, level in labels.items()}
    metadata = {"name": "default", "labels": labels}
    return {NAMESPACE: {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}}


# Values that lead to root, and what to do instead.
ROOT = {
    "the default": ({}, BETTER),
    "root by name": (merged(COMPONENT, ROOT_USER), NO_CONTEXT),
    "root of the container": (merged(COMPONENT, CONTAINER_ROOT), NO_CONTEXT),
    "no user at all": (merged(COMPONENT, {"podSecurityContext": {"fsGroup": 1}}), NO_CONTEXT),
}
NO_ROOT_AT_ALL = {
    "a component": COMPONENT,
    "a container": nested("image.packaging", "container"),
    "a user of the container": merged(
        COMPONENT, ROOT_USER, {"securityContext": {"runAsUser": 1000650000}}
    ),
    "what the kubelet refuses to run as root": merged(
        COMPONENT, {"podSecurityContext": {"runAsNonRoot": True}}
    ),
}


@pytest.mark.parametrize(("values", "better"), ROOT.values(), ids=ROOT.keys())
def test_the_notes_say_in_one_line_that_the_pods_run_as_root_and_how_to_do_better(
    cluster, values, better
):
    (line,) = security(cluster(values, INSTALLED))
    assert "the pods run as root, because" in line
    assert better in line


@pytest.mark.parametrize("values", NO_ROOT_AT_ALL.values(), ids=NO_ROOT_AT_ALL.keys())
def test_without_allow_root_others_install_and_the_notes_say_that_they_are_not_root(
    cluster, values
):
    (line,) = security(cluster(values | NO_ROOT, INSTALLED))
    assert "as root" not in line.replace("do not run as root", "")


def security(notes: str) -> list[str]:
    return [line for line in notes.splitlines() if line.startswith("Security: ")]


@pytest.mark.parametrize(("values", "better"), ROOT.values(), ids=ROOT.keys())
def test_without_allow_root_values_that_lead_to_root_are_refused(values, better):
    message = refusal(values | NO_ROOT)
    assert "allowRoot is false, but the pods would run as root" in message
    assert better in message
    assert "set allowRoot=true" in message


def test_without_allow_root_no_other_container_runs_as_root():
    sidecar = {"name": "proxy", "image": "i", "securityContext": {"runAsUser": 0}}
    message = refusal(merged(COMPONENT, NO_ROOT, {"extraContainers": [sidecar]}))
    assert "extraContainers proxy has securityContext.runAsUser 0" in message


@pytest.mark.parametrize("document", ["README.md", "chart/README.md"])
def test_the_first_install_command_of_the_document_is_that_of_make_push(document):
    text = (REPOSITORY / document).read_text()
    command = re.search(r"helm install(?:[^\n]*\\\n)*[^\n]*", text)[0]
    assert "image.digest=sha256:..." in command
    assert command.split()[-1] == "image.packaging=component"
    # The Spin way has its price in the same sentence.
    spin = " ".join(text[text.index("A Spin artifact, which") :].split())
    assert "at the price that its pods run as root" in spin.partition(". ")[0]


@pytest.mark.parametrize(("environment", "binary"), [("qa", HELM3), ("prod", HELM4)])
def test_qa_and_prod_run_as_root_only_by_name(environment, binary):
    files = (f"environments/{environment}.yaml",)
    spec = only("Deployment", {}, files=files, binary=binary)["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    spin = nested("image.packaging", "spin")
    assert "allowRoot is false" in refusal(spin, files=files, binary=binary)
    by_name = merged(spin, {"allowRoot": True})
    spec = only("Deployment", by_name, files=files, binary=binary)["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsUser"] == 0


@both_helms
def test_where_the_chart_may_look_it_refuses_root_in_a_namespace_that_does(api, binary):
    restricted = namespace(enforce="restricted")
    result = api.install(LOOK, INSTALLED | restricted, binary=binary)
    assert result.returncode != 0
    assert "The namespace default enforces Pod Security `restricted`" in result.stderr
    assert BETTER in result.stderr
    assert api.install(LOOK | COMPONENT, restricted, binary=binary).returncode == 0
    others = namespace(enforce="baseline", warn="restricted")
    assert api.install(LOOK, others, binary=binary).returncode == 0
    # A dry run without a cluster finds no Namespace.
    assert container(LOOK)


@both_helms
def test_a_user_who_may_read_no_other_object_installs(api, binary):
    """The right to read a Namespace or a RuntimeClass belongs to few roles."""
    known = {NAMESPACE: FORBIDDEN, RUNTIME_CLASSES: FORBIDDEN}
    known |= {f"{RUNTIME_CLASSES}/wasmtime-spin-v2": FORBIDDEN}
    known |= {"/api/v1/namespaces/kube-system": FORBIDDEN}
    result = api.install({}, known, binary=binary)
    assert result.returncode == 0, result.stderr
    assert 'enforces Pod Security "restricted", which refuses root' in result.stdout
    # The control: with a look-up the same user fails.
    assert api.install(LOOK, known, binary=binary).returncode != 0
