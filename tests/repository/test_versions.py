"""Documents name the versions that the lock files pin."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
GO_TOOLS = "tests/go/go.mod"
KUBERNETES = "e2e/cluster/kubernetes/go.mod"
KUBE_ROUTER = "e2e/cluster/kube-router/go.mod"


def pinned(lock_file: str, module: str) -> str:
    """The version of a module in a go.mod, without its v."""
    found = re.search(rf"^\s*{module} v(\S+)", (REPOSITORY / lock_file).read_text(), re.MULTILINE)
    assert found, f"{lock_file} does not require {module}: correct the module in this test"
    return found[1]


def minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


@pytest.mark.parametrize("document", ["README.md", "chart/README.md.gotmpl"])
@pytest.mark.parametrize("module", ["helm.sh/helm/v3", "helm.sh/helm/v4"])
def test_the_document_names_the_helm_versions_of_the_tests(document, module):
    version = minor(pinned(GO_TOOLS, module))
    assert re.search(rf"\b{re.escape(version)}\b", (REPOSITORY / document).read_text()), (
        f"{document} does not name Helm {version}, which {GO_TOOLS} pins: update the document"
    )


def test_the_document_names_the_kubernetes_version_of_the_tests():
    version = pinned(KUBERNETES, "k8s.io/kubernetes")
    assert f" {version} " in (REPOSITORY / "docs/e2e.md").read_text(), (
        f"docs/e2e.md does not name Kubernetes {version}, which {KUBERNETES} pins: update it"
    )


def test_kube_router_is_compiled_with_the_client_of_kubernetes():
    """Go compiles a package again for each version of it."""
    client = "k8s.io/client-go"
    version = pinned(KUBERNETES, client)
    assert pinned(KUBE_ROUTER, client) == version, (
        f"{KUBE_ROUTER} pins another {client} than {KUBERNETES}: run in its folder "
        f"`go get {client}@v{version}`"
    )
