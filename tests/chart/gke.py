"""Validates the custom resources of GKE.

GKE_MODELS  folder of the npm package with the validators; chart.mk installs it
"""

import json
import os
import subprocess

from helm import HERE, Manifest

GROUPS = ("cloud.google.com", "networking.gke.io")


class InvalidResourceError(Exception):
    """What is wrong with the resources, a line each."""


def is_of_gke(manifest: Manifest) -> bool:
    return manifest["apiVersion"].partition("/")[0] in GROUPS


def validate(manifests: list[Manifest]) -> None:
    if not manifests:
        return
    environment = {"PATH": os.environ["PATH"], "NODE_MODULES": os.environ["GKE_MODELS"]}
    command = ["node", HERE / "gke/validate.mjs"]
    result = subprocess.run(
        command,
        input=json.dumps(manifests),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode or result.stdout:
        raise InvalidResourceError(result.stdout + result.stderr)
