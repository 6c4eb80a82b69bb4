"""helm lint, helm package, helm-docs, and the chart's metadata.

HELM_DOCS  path of helm-docs; chart.mk installs it
"""

import os
import re
import subprocess
import tomllib

import pytest
import yaml

from cases import leaves
from environments import ENVIRONMENTS
from helm import CHART, HELMS, REPOSITORY, REPOSITORY_VALUE, helm, merged

README = (CHART / "README.md").read_text()
METADATA = yaml.safe_load((CHART / "Chart.yaml").read_text())
both_helms = pytest.mark.parametrize("binary", HELMS, ids=["helm 3", "helm 4"])


@both_helms
@pytest.mark.parametrize("environment", ["defaults", *ENVIRONMENTS])
def test_lint_finds_nothing(environment, binary):
    files, values = ENVIRONMENTS.get(environment, ((), {}))
    paths = [argument for file in files for argument in ("--values", str(CHART / file))]
    arguments = ("lint", "--strict", str(CHART), "--kube-version", "1.36", *paths)
    result = helm(binary, *arguments, values=merged(REPOSITORY_VALUE, values))
    assert result.returncode == 0, result.stdout + result.stderr
    found = re.findall(r"^\[(?:WARNING|ERROR)\].*", result.stdout, re.MULTILINE)
    assert found == []


@both_helms
def test_the_package_has_the_files_for_users_and_renders(binary, tmp_path):
    result = helm(binary, "package", str(CHART), "--destination", str(tmp_path))
    assert result.returncode == 0, result.stderr
    (package,) = tmp_path.iterdir()
    listing = subprocess.run(["tar", "tzf", package], capture_output=True, text=True, check=True)
    names = {name.removeprefix("swiss/") for name in listing.stdout.splitlines()}
    assert {"README.md", "values.schema.json", "environments/prod.yaml"} <= names
    assert not {name for name in names if name.endswith(".gotmpl")}
    arguments = ("template", "k8s", str(package), "--kube-version", "1.36")
    assert helm(binary, *arguments, values=REPOSITORY_VALUE).returncode == 0


@both_helms
def test_a_kubernetes_without_pre_stop_sleep_is_refused(binary):
    arguments = ("template", "k8s", str(CHART), "--kube-version", "1.29")
    result = helm(binary, *arguments, values=REPOSITORY_VALUE)
    assert result.returncode != 0
    assert "requires kubeVersion: >=1.30.0-0" in result.stderr


def test_the_readme_is_the_output_of_helm_docs():
    """`make chart-docs` writes it."""
    command = [os.environ["HELM_DOCS"], "--chart-search-root", CHART, "--dry-run"]
    command += ["--sort-values-order", "file"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == README.strip()


def test_every_value_has_a_comment():
    rows = re.findall(r"^\| (\S+) \| \w+ \| .+ \| (.+) \|$", README, re.MULTILINE)
    assert leaves() - {value for value, comment in rows if comment.strip()} == set()


def test_the_version_is_that_of_the_component():
    workspace = tomllib.loads((REPOSITORY / "Cargo.toml").read_text())["workspace"]
    assert METADATA["version"] == METADATA["appVersion"] == workspace["package"]["version"]


def test_the_annotations_have_the_format_of_artifact_hub():
    annotations = METADATA["annotations"]
    assert all(isinstance(value, str) for value in annotations.values())
    for image in yaml.safe_load(annotations["artifacthub.io/images"]):
        assert re.search(r"@sha256:[0-9a-f]{64}$", image["image"])
    for change in yaml.safe_load(annotations["artifacthub.io/changes"]):
        assert change["kind"] in {"added", "changed", "deprecated", "removed", "fixed", "security"}
    for link in yaml.safe_load(annotations["artifacthub.io/links"]):
        assert link["url"].startswith("https://")


@both_helms
def test_values_have_the_names_of_helm_create(binary, tmp_path):
    assert helm(binary, "create", "scaffold", cwd=tmp_path).returncode == 0
    theirs = yaml.safe_load((tmp_path / "scaffold/values.yaml").read_text())
    ours = yaml.safe_load((CHART / "values.yaml").read_text())
    assert theirs.keys() <= ours.keys()
    for section in ("image", "serviceAccount", "service", "ingress", "httpRoute", "autoscaling"):
        assert theirs[section].keys() <= ours[section].keys(), section
