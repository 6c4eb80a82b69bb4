"""kube-score has nothing against the environments but what is argued here.

KUBE_SCORE  kube-score; chart.mk installs it
"""

import json
import os
import subprocess

import pytest

from environments import ENVIRONMENTS, rendered

# kube-score takes no later version into account.
KUBERNETES_VERSION = "v1.33"
EVERY = frozenset(ENVIRONMENTS)
TAG = frozenset({"dev"})
DIGEST = EVERY - TAG

# What it minds, of which object, in which environments, and why it stays so.
SKIPPED = {
    ("container-resources", "Deployment", EVERY): """
        It wants a CPU limit. Throttling makes probes fail (containerd-wasm-shims#194);
        the request keeps the pod its share, and memory has a limit.""",
    ("container-resources", "Pod", EVERY): """
        As above; the pod of `helm test` lives for a second, 120 at most.""",
    ("container-ephemeral-storage-request-and-limit", "Deployment", EVERY): """
        Nothing writes: the root directory is read-only but with packaging `spin`, and
        the kubelet rotates the log. How the kubelet counts for this shim nobody has
        measured, and a wrong count evicts pods.""",
    ("container-ephemeral-storage-request-and-limit", "Pod", EVERY): """
        The root directory is read-only, there is no volume, and the log is 5 lines.""",
    ("container-image-pull-policy", "Deployment", DIGEST): """
        It wants Always. By digest that could only fail, when the registry does.""",
    ("container-image-pull-policy", "Pod", EVERY): "As above: by digest.",
    ("pod-networkpolicy", "Pod", EVERY): """
        The pod of `helm test` listens on nothing, and what it may connect to is for
        the policies of those it connects to.""",
    ("container-security-context-user-group-id", "Deployment", TAG): """
        Root, because the shim unpacks a Spin artifact into a root directory that is
        root's. The other environments are not packaged so.""",
    ("container-security-context-readonlyrootfilesystem", "Deployment", TAG): """
        Writable, for the same reason.""",
    ("deployment-replicas", "Deployment", TAG): "One pod is enough for a developer.",
    ("deployment-has-host-podantiaffinity", "Deployment", DIGEST): """
        topologySpreadConstraints spread over nodes and zones, and stop nobody who has
        one node.""",
}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_kube_score_minds_is_what_is_argued(environment):
    result = subprocess.run(
        [
            os.environ["KUBE_SCORE"],
            *("score", "--kubernetes-version", KUBERNETES_VERSION, "--output-format", "json"),
            # It would take the chart's word for it, in annotations.
            *("--disable-ignore-checks-annotations", "-"),
        ],
        input=rendered(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    judged = json.loads(result.stdout)
    minded = {
        (check["check"]["id"], scored["type_meta"]["kind"])
        for scored in judged
        for check in scored["checks"]
        if not check["skipped"] and check["grade"] < GRADE_OK
    }
    argued = {(check, kind) for check, kind, where in SKIPPED if environment in where}
    assert minded == argued
    assert {scored["type_meta"]["kind"] for scored in judged} >= {"Deployment", "Service", "Pod"}


# 10 in its scorecard; a warning is 5, a critical finding 1, and 7 "almost OK".
GRADE_OK = 10
