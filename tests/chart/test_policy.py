"""kube-score finds nothing in the environments except the findings accepted here.

KUBE_SCORE  path of kube-score; chart.mk installs it
"""

import json
import os
import subprocess

import pytest

from environments import ENVIRONMENTS, rendered

# The latest version that kube-score knows.
KUBERNETES_VERSION = "v1.33"
EVERY = frozenset(ENVIRONMENTS)
TAG = frozenset({"dev"})
DIGEST = EVERY - TAG

# A finding, the kind of object, the environments, and the reason to accept it.
ACCEPTED = {
    ("container-resources", "Pod", EVERY): """
        kube-score asks for a CPU limit, which would only make the test slower. The
        `helm test` pod runs for a second, at most for 120.""",
    ("container-ephemeral-storage-request-and-limit", "Deployment", EVERY): """
        The component writes nothing: the root directory is read-only except with
        packaging `spin`, and the kubelet rotates the log. What the kubelet counts for
        this shim is not measured, and a wrong count evicts pods.""",
    ("container-ephemeral-storage-request-and-limit", "Pod", EVERY): """
        The root directory is read-only, there is no volume, and the log is 5 lines.""",
    ("container-image-pull-policy", "Deployment", DIGEST): """
        kube-score asks for Always. With a digest, that only adds a dependency on the
        registry.""",
    ("container-image-pull-policy", "Pod", EVERY): "As above: it has a digest.",
    ("pod-networkpolicy", "Pod", EVERY): """
        The `helm test` pod listens on no port. The NetworkPolicies of the pods that it
        connects to restrict its traffic.""",
    ("container-security-context-user-group-id", "Deployment", TAG): """
        Root, because the shim unpacks a Spin artifact into a root directory that
        belongs to root. The other environments use another packaging.""",
    ("container-security-context-readonlyrootfilesystem", "Deployment", TAG): """
        Writable, for the same reason.""",
    ("deployment-replicas", "Deployment", TAG): "One pod is enough for a developer.",
    ("deployment-has-host-podantiaffinity", "Deployment", DIGEST): """
        topologySpreadConstraints spread the pods over nodes and zones, and still allow a
        cluster of one node.""",
}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_findings_of_kube_score_are_the_accepted_ones(environment):
    result = subprocess.run(
        [
            os.environ["KUBE_SCORE"],
            *("score", "--kubernetes-version", KUBERNETES_VERSION, "--output-format", "json"),
            # Annotations of the chart must not disable checks.
            *("--disable-ignore-checks-annotations", "-"),
        ],
        input=rendered(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    scored_objects = json.loads(result.stdout)
    findings = {
        (check["check"]["id"], scored["type_meta"]["kind"])
        for scored in scored_objects
        for check in scored["checks"]
        if not check["skipped"] and check["grade"] < GRADE_OK
    }
    accepted = {(check, kind) for check, kind, where in ACCEPTED if environment in where}
    assert findings == accepted
    kinds = {scored["type_meta"]["kind"] for scored in scored_objects}
    assert kinds >= {"Deployment", "Service", "Pod"}


# The grades of kube-score: 10 is OK, 7 almost OK, 5 a warning, 1 critical.
GRADE_OK = 10
