"""The tests of e2e/suite on a cluster that is not ours: they change nothing there but what
they create, and without the user's yes they do nothing at all."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from control_plane import CONTEXT, KUBECTL, PROGRAMS, control_plane, suite, yes

REPOSITORY = Path(__file__).parents[2]
RUNTIME_CLASS = {
    "apiVersion": "node.k8s.io/v1",
    "kind": "RuntimeClass",
    "metadata": {"name": "wasmtime-spin-v2", "labels": {"owner": "stranger"}},
    "handler": "theirs",
}
# Those of the tests' files, which an earlier version of the tests took for its own.
NAMESPACES = ("helm", "install", "load", "probes", "spin", "swiss-e2e")
HTTP_ROUTE = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": {"name": "theirs", "namespace": "helm"},
    "spec": {"hostnames": ["theirs.example"]},
}
# Tests that need no node. The last one finds its kind in the cluster, or is skipped.
WITHOUT_NODES = "rolls_back_the_release or limited_to_the_namespace or gke-gateway"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster that somebody else uses."""
    with control_plane(tmp_path_factory.mktemp("cluster")) as cluster:
        cluster.create(RUNTIME_CLASS)
        for name in NAMESPACES:
            metadata = {"name": "theirs", "namespace": name}
            cluster.create(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata},
                {"apiVersion": "v1", "kind": "Secret", "metadata": metadata},
            )
        # What Kubernetes adds to a namespace by itself.
        for name in ("default", "kube-system", "kube-public", "kube-node-lease", *NAMESPACES):
            for each in ("serviceaccount/default", "configmap/kube-root-ca.crt"):
                cluster.kubectl("wait", "--for=create", each, "--namespace", name)
        yield cluster


@pytest.fixture(scope="module")
def with_gateway_api(cluster):
    """The same cluster with an HTTPRoute."""
    for plural in ("gateways", "httproutes"):
        file = Path(os.environ["GATEWAY_API"]) / f"gateway.networking.k8s.io_{plural}.yaml"
        cluster.kubectl("create", "-f", str(file))
        definition = f"crd/{plural}.gateway.networking.k8s.io"
        cluster.kubectl("label", definition, "owner=stranger")
        cluster.kubectl("wait", "--for=condition=Established", definition)
    cluster.create(HTTP_ROUTE)
    return cluster


def finish(*runs: subprocess.Popen) -> list[str]:
    outputs = [run.communicate(timeout=300)[0] for run in runs]
    for run, output in zip(runs, outputs, strict=True):
        assert run.returncode == 0, output
    return outputs


def test_without_the_gateway_api_its_test_is_skipped_and_no_definition_is_created(cluster):
    before = cluster.objects()
    (output,) = finish(suite(cluster, "-k", "gke-gateway"))
    assert "2 skipped" in output
    assert "another cluster: it does not have the Gateway API" in output
    assert cluster.objects() == before


def test_two_runs_at_once_leave_everything_as_it_was(with_gateway_api):
    cluster = with_gateway_api
    before = cluster.objects()
    outputs = finish(*(suite(cluster, "-k", WITHOUT_NODES) for _ in range(2)))
    for output in outputs:
        assert re.search(r"\b6 passed", output), output
    assert cluster.objects() == before
    assert len({re.search(r"e2e\.swiss/run=(\w+)", each).group(1) for each in outputs}) == 2


def started(cluster, folder: Path) -> subprocess.Popen:
    """A run that has created its namespace, and whose temporary files are in the folder."""
    run = suite(cluster, "-k", "rolls_back_the_release", TMPDIR=str(folder))
    selector = "--selector=app.kubernetes.io/managed-by=swiss-e2e"
    cluster.kubectl("wait", "--for=create", "namespaces", selector, "--timeout=60s")
    return run


def copies(folder: Path) -> list[Path]:
    """Of the kubeconfig, with its credentials."""
    return list(folder.rglob("kubeconfig"))


def documented(_output: str) -> str:
    page = (REPOSITORY / "docs/e2e.md").read_text()
    (command,) = re.findall(r"`(kubectl [^`]+ delete [^`]+)`", page)
    return command


def printed(output: str) -> str:
    return re.search(r"^if this run is killed, .*: (kubectl .+)$", output, re.M).group(1)


@pytest.mark.parametrize("command", [documented, printed])
def test_a_killed_run_leaves_only_what_a_command_and_the_next_run_delete(
    with_gateway_api, tmp_path, command
):
    cluster = with_gateway_api
    before = cluster.objects()
    run = started(cluster, tmp_path)
    run.kill()
    output, _ = run.communicate()
    (copy,) = copies(tmp_path)
    assert (copy.stat().st_mode & 0o777, copy.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert cluster.objects() != before
    environment = os.environ | {"PATH": PROGRAMS} | yes(cluster)
    subprocess.run(["sh", "-c", command(output)], env=environment, check=True)
    assert cluster.objects() == before
    finish(suite(cluster, "--collect-only", TMPDIR=str(tmp_path)))
    assert copies(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_run_that_a_signal_ends_leaves_nothing(with_gateway_api, tmp_path, number):
    cluster = with_gateway_api
    before = cluster.objects()
    run = started(cluster, tmp_path)
    # Another run deletes only what is left of others.
    finish(suite(cluster, "--collect-only", TMPDIR=str(tmp_path)))
    assert len(copies(tmp_path)) == 1
    run.send_signal(number)
    output, _ = run.communicate(timeout=300)
    # pytest has its own way to end by Ctrl-C.
    assert run.returncode == (2 if number == signal.SIGINT else 128 + number), output
    assert cluster.objects() == before
    assert copies(tmp_path) == []


def test_a_run_that_cannot_write_its_figures_leaves_nothing(cluster, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "unwritable.py").write_text(
        "from pathlib import Path\n"
        "def pytest_sessionstart():\n"
        "    from suite import figures, namespaces\n"
        f"    figures.FOLDER = Path('{tmp_path}/file')\n"
        "    figures.note('a figure', seconds=1)\n"
        "    namespaces.namespace('left', 'restricted').__enter__()\n"
        "    assert namespaces.of_this_run()\n"
    )
    before = cluster.objects()
    own = {"PYTHONPATH": str(tmp_path), "TMPDIR": str(tmp_path)}
    run = suite(cluster, "-p", "unwritable", "-k", "no_such_test", **own)
    output, _ = run.communicate(timeout=300)
    assert run.returncode == 1
    assert f"FileExistsError: [Errno 17] File exists: '{tmp_path}/file'" in output
    assert cluster.objects() == before
    assert copies(tmp_path) == []


def test_a_change_of_the_current_context_moves_no_run(cluster, tmp_path):
    """Somebody changes it after each command of the run."""
    config = json.loads(cluster.kubeconfig.read_text())
    production = {"name": "production", "cluster": {"server": "https://production.invalid"}}
    config["clusters"].append(production)
    context = {"cluster": "production", "user": CONTEXT}
    config["contexts"].append({"name": "production", "context": context})
    file = tmp_path / "config"
    file.write_text(json.dumps(config))
    stub = tmp_path / "kubectl"
    stub.write_text(
        f'#!/bin/sh\n{KUBECTL} "$@"\nstatus=$?\n'
        f"{KUBECTL} --kubeconfig {file} config use-context production >&2\nexit $status\n"
    )
    stub.chmod(0o755)
    own = {"E2E_KUBECONFIG": str(file), "PATH": f"{tmp_path}:{PROGRAMS}"}
    (output,) = finish(suite(cluster, "-k", "limited_to_the_namespace", **own))
    assert "2 passed" in output
    current = cluster.kubectl("config", "current-context", f"--kubeconfig={file}")
    assert current.strip() == "production"


def test_every_test_that_is_skipped_says_why(cluster):
    """With the packages of the user's machine: the tests that need our cluster say so."""
    (output,) = finish(suite(cluster, "-k", "drain or removal or security or nodes"))
    reasons = re.findall(r"^SKIPPED \[\d+\] .*: (another cluster: .+)$", output, re.M)
    assert len(reasons) >= 3
    assert " passed" not in output


REFUSALS = {
    "no yes": ({"E2E_CLUSTER": ""}, f"whose current context is {CONTEXT}: say"),
    "the yes to another cluster": (
        {"E2E_CLUSTER": "production"},
        f"E2E_CLUSTER is production, but the current context of E2E_KUBECONFIG=FILE is {CONTEXT}",
    ),
    "a yes without a cluster": (
        {"E2E_KUBECONFIG": ""},
        f"E2E_CLUSTER is {CONTEXT}, but E2E_KUBECONFIG is not set",
    ),
    "no such file": ({"E2E_KUBECONFIG": "/nowhere"}, "E2E_KUBECONFIG is /nowhere, which is not"),
    "no registry": ({"IMAGES": ""}, "IMAGES is not set: name a registry"),
}


def make(verb: str, cluster, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["make", verb],
        cwd=REPOSITORY,
        # The Makefile gives these tests a SHIM, which may not be compiled.
        env=os.environ | {"PATH": PROGRAMS, "SHIM": ""} | yes(cluster) | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("verb", ["e2e", "e2e-suite"])
@pytest.mark.parametrize(("environment", "message"), REFUSALS.values(), ids=REFUSALS)
def test_without_the_users_yes_nothing_is_compiled_or_touched(cluster, verb, environment, message):
    before = cluster.objects()
    result = make(verb, cluster, **environment)
    (error, failed) = result.stderr.splitlines()
    assert message.replace("FILE", str(cluster.kubeconfig)) in error
    assert "Error 1" in failed
    assert result.stdout == ""
    assert cluster.objects() == before


def test_a_cluster_whose_nodes_lack_the_shim_is_refused(cluster):
    cluster.kubectl("delete", "runtimeclass", RUNTIME_CLASS["metadata"]["name"])
    try:
        result = make("e2e-suite", cluster)
        assert f"The cluster {CONTEXT} has no RuntimeClass wasmtime-spin-v2" in result.stderr
        assert result.stdout == ""
    finally:
        cluster.create(RUNTIME_CLASS)


def test_a_namespace_that_exists_is_refused_and_kept(cluster, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    monkeypatch.setenv("PATH", PROGRAMS)
    from suite import namespaces

    theirs = f"swiss-e2e-{namespaces.RUN}-helm"
    cluster.kubectl("create", "namespace", theirs)
    with (
        pytest.raises(AssertionError, match="already exists"),
        namespaces.namespace("helm", "restricted"),
    ):
        pass
    assert json.loads(cluster.kubectl("get", "namespace", theirs, "--output=json"))
    assert namespaces.of_this_run() == []
    assert namespaces.remove_all() == []
    cluster.kubectl("delete", "namespace", theirs)


def test_evidence_has_nothing_of_others(cluster, monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    monkeypatch.setenv("PATH", PROGRAMS)
    from suite import evidence, namespaces

    monkeypatch.setattr(evidence, "OTHER_CLUSTER", True)
    monkeypatch.setattr(evidence, "FOLDER", tmp_path)
    with namespaces.namespace("evidence", "restricted") as ours:
        for name in (ours, "helm"):
            cluster.kubectl("create", "service", "clusterip", f"of-{name}", "--tcp=80", "-n", name)
        folder = evidence.collect("a test")
        text = "".join(file.read_text() for file in folder.rglob("*") if file.is_file())
        assert f"of-{ours}" in text
        assert "of-helm" not in text
    assert namespaces.remove_all() == []
    cluster.kubectl("delete", "service", "of-helm", "-n", "helm")


REDIRECTING = {
    "KUBECONFIG": "/nowhere",
    "HELM_KUBECONTEXT": "production",
    "HELM_KUBEAPISERVER": "https://production.invalid",
    "HELM_NAMESPACE": "production",
    "HELM_DRIVER": "configmap",
    "KUBECTL_COMMAND_HEADERS": "1",
    "KUBERNETES_SERVICE_HOST": "production.invalid",
    "KUBERNETES_MASTER": "https://production.invalid",
}


def test_no_verb_passes_on_what_leads_to_another_cluster():
    """Whether the user has it in the environment or says it to make."""
    environment = os.environ | REDIRECTING
    said = [f"{name}={value}" for name, value in REDIRECTING.items()]
    for words in ([], said):
        command = ["make", "--eval=shown: ; @env", "shown", *words]
        result = subprocess.run(
            command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
        )
        names = {line.partition("=")[0] for line in result.stdout.splitlines()}
        assert "PATH" in names
        assert not names & REDIRECTING.keys()


def test_nothing_in_the_environment_bends_a_run(cluster):
    """pytest by itself, without make."""
    (output,) = finish(suite(cluster, "-k", "limited_to_the_namespace", **REDIRECTING))
    assert "2 passed" in output
