"""Runs Helm and parses what it renders.

HELM3, HELM4  paths of the two Helm versions under test; chart.mk installs them
"""

import functools
import json
import os
import subprocess
from pathlib import Path

import yaml

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
CHART = REPOSITORY / "chart"

# Helm ends before it has to collect garbage: a fifth less CPU time.
os.environ["GOGC"] = "off"
# Not the user's cluster, namespace and credentials.
os.environ["KUBECONFIG"] = os.devnull

HELM3 = os.environ["HELM3"]
HELM4 = os.environ["HELM4"]
HELMS = (HELM3, HELM4)

# The only required value without a default.
REPOSITORY_VALUE = {"image": {"repository": "gcr.io/project/swiss"}}
DIGEST = "sha256:" + "5" * 64

Manifest = dict


def merged(*values: dict) -> dict:
    """Merges values as Helm merges values files: later ones take precedence."""
    result: dict = {}
    for layer in values:
        for key, value in layer.items():
            below = result.get(key)
            if isinstance(value, dict) and isinstance(below, dict):
                value = merged(below, value)
            result[key] = value
    return result


def nested(path: str, value: object) -> dict:
    """The values that set the path `a.b` to `value`."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def helm(binary: str, *arguments: str, values: dict | None = None, **keywords):
    """Runs Helm, with `values` as a values file on its standard input."""
    command = [binary, *arguments, *(["--values", "-"] if values is not None else [])]
    text = json.dumps(values) if values is not None else None
    return subprocess.run(
        command, input=text, capture_output=True, text=True, check=False, **keywords
    )


def template(
    values: dict,
    *,
    binary: str = HELM4,
    files: tuple = (),
    kube_version: str = "1.36",
    release: str = "k8s",
    namespace: str = "default",
) -> str:
    """The rendered chart."""
    target = (release, namespace, kube_version)
    return _template(json.dumps(values, sort_keys=True), binary, files, *target)


@functools.cache
def _template(
    values: str, binary: str, files: tuple, release: str, namespace: str, kube_version: str
) -> str:
    paths = [argument for file in files for argument in ("--values", str(CHART / file))]
    arguments = ("template", release, str(CHART), "--namespace", namespace)
    arguments += ("--kube-version", kube_version, *paths)
    result = helm(binary, *arguments, values=merged(REPOSITORY_VALUE, json.loads(values)))
    assert result.returncode == 0, result.stderr
    return result.stdout


def manifests(values: dict, **keywords) -> list[Manifest]:
    """The rendered objects. They are cached, so do not modify them."""
    return _parsed(template(values, **keywords))


@functools.cache
def _parsed(text: str) -> list[Manifest]:
    return [document for document in yaml.load_all(text, StrictLoader) if document]


class StrictLoader(yaml.CSafeLoader):
    """Refuses a key that a map has twice, as kustomize and Flux do."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _value in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        assert not twice, f"{twice} twice in a map:{node.start_mark}"
        return super().construct_mapping(node, deep)


def only(kind: str, values: dict, **keywords) -> Manifest:
    """The one rendered object of a kind."""
    (manifest,) = [m for m in manifests(values, **keywords) if m["kind"] == kind]
    return manifest


def kinds(values: dict) -> set[str]:
    return {manifest["kind"] for manifest in manifests(values)}


def pod(values: dict) -> Manifest:
    """The spec of the Deployment's pods."""
    return only("Deployment", values)["spec"]["template"]["spec"]


def container(values: dict) -> Manifest:
    """The component's container."""
    return pod(values)["containers"][0]


def refusal(
    values: dict, *, binary: str = HELM4, base: dict = REPOSITORY_VALUE, files: tuple = ()
) -> str:
    """The error that Helm prints for invalid values."""
    paths = [argument for file in files for argument in ("--values", str(CHART / file))]
    arguments = ("template", "k8s", str(CHART), "--kube-version", "1.36", *paths)
    result = helm(binary, *arguments, values=merged(base, values))
    assert result.returncode != 0, f"Helm rendered {values}"
    return result.stderr
