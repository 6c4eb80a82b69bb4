"""The release that upgrades start from, as Helm stores it: the chart's metadata and
defaults, the user's values, and what was rendered.

`make chart-released` writes released.yaml from the chart as it is. Run it when a version
of the chart is tagged, not before.
"""

import json
import os
import subprocess

import yaml

from helm import CHART, HELM4, HERE, helm

RELEASED = HERE / "released.yaml"
# What a user of that version has set.
VALUES = {
    "image": {"repository": "gcr.io/my-project/swiss", "tag": "v1"},
    "replicaCount": 5,
    "podLabels": {"team": "a"},
    "extraEnv": [{"name": "RUST_LOG", "value": "info"}],
    "ingress": {"enabled": True},
    "service": {"type": "ClusterIP"},
}


def in_memory(binary: str, *arguments: str, releases=RELEASED, **keywords):
    """Runs Helm where `releases` are installed, with a client that applies nothing."""
    memory = {"HELM_DRIVER": "memory", "HELM_MEMORY_DRIVER_DATA": str(releases)}
    return helm(binary, *arguments, env=os.environ | memory, **keywords)


def stored(result: subprocess.CompletedProcess) -> dict:
    """The release in the JSON that Helm printed, without the chart's files."""
    assert result.returncode == 0, result.stderr
    release = json.loads(result.stdout)
    chart = {key: release["chart"][key] for key in ("metadata", "values")}
    kept = {key: release[key] for key in ("name", "namespace", "version", "config", "manifest")}
    kept["manifest"] = kept["manifest"].strip() + "\n"
    return kept | {"info": {"status": "deployed"}, "chart": chart}


class Block(yaml.SafeDumper):
    """Text of several lines stays readable."""


def represent(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, "|" if "\n" in text else None)


Block.add_representer(str, represent)

if __name__ == "__main__":
    arguments = ("install", "k8s", str(CHART), "--dry-run=client", "--output", "json")
    release = stored(in_memory(HELM4, *arguments, releases=os.devnull, values=VALUES))
    RELEASED.write_text(yaml.dump([release], Dumper=Block, sort_keys=False))
