"""The commands that a user types.

HELM3, HELM4  the programs of Helm 3 and Helm 4; cluster.mk sets them
KUBECONFIG    the cluster under test; target.py sets it
"""

import json
import os
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
CHART = REPOSITORY / "chart"
HELM3, HELM4 = os.environ["HELM3"], os.environ["HELM4"]
HELMS = {"helm 3": HELM3, "helm 4": HELM4}


def run(*command, check: bool = True, text: str | None = None, seconds: int = 300):
    """Runs a command in the repository. With `check`, a failure fails the test."""
    arguments = [str(each) for each in command]
    result = subprocess.run(
        arguments,
        cwd=REPOSITORY,
        input=text,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if check:
        assert result.returncode == 0, f"{' '.join(arguments)}\n{result.stdout}{result.stderr}"
    return result


def kubectl(*arguments, check: bool = True, text: str | None = None) -> str:
    return run("kubectl", *arguments, check=check, text=text).stdout


def apply(*objects: dict) -> None:
    for each in objects:
        kubectl("apply", "-f", "-", text=json.dumps(each))


def get(*arguments) -> dict:
    """An object of the cluster, or a list of them."""
    return json.loads(kubectl("get", *arguments, "--output=json"))
