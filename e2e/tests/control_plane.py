"""A Kubernetes without nodes: etcd, kube-apiserver and kube-controller-manager on free
ports, with all their files in a folder."""

import json
import os
import secrets
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cluster import layout
from cluster.wait import until

KUBECTL = layout.FORKY / "usr/bin/kubectl"
PROGRAMS = f"{KUBECTL.parent}:{os.environ['PATH']}"
CONTEXT = "strangers"
# Kinds whose objects change without anybody's doing.
RESTLESS = {"events", "events.events.k8s.io", "leases.coordination.k8s.io"}

# How often it starts, and how much of a log an error shows.
ATTEMPTS = 3
LINES = 10


class ControlPlane:
    def __init__(self, folder: Path):
        self.folder = folder
        self.kubeconfig = folder / "kubeconfig"
        self.token = secrets.token_hex()
        self.etcd, self.peers, self.port = (_free_port() for _ in range(3))

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        command = [KUBECTL, "--kubeconfig", self.kubeconfig, *arguments]
        result = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert result.returncode == 0, f"{command}: {result.stderr}"
        return result.stdout

    def create(self, *objects: dict) -> None:
        for each in objects:
            self.kubectl("create", "-f", "-", text=json.dumps(each))

    def objects(self) -> dict[str, str]:
        """The version of each object of the cluster, which every change changes."""
        kinds = self.kubectl("api-resources", "--verbs=list", "--output=name").split()
        listed = ",".join(sorted(set(kinds) - RESTLESS))
        items = json.loads(self.kubectl("get", listed, "-A", "--output=json"))["items"]
        return {
            f"{each['kind']}/{metadata.get('namespace', '')}/{metadata['name']}": version
            for each in items
            if (version := (metadata := each["metadata"]).get("resourceVersion"))
        }


class Ended(Exception):
    """A program of the control plane ended by itself."""


@contextmanager
def control_plane(folder: Path):
    with ExitStack() as running:
        yield _started(folder, running)


def _started(folder: Path, running: ExitStack) -> ControlPlane:
    """Another program may take a free port before ours does: then with other ports."""
    for attempt in range(ATTEMPTS):
        cluster = ControlPlane(folder / str(attempt))
        try:
            with ExitStack() as programs:
                _start(cluster, programs)
                running.push(programs.pop_all())
                return cluster
        except Ended as reason:
            last = reason
    raise last


def _start(cluster: ControlPlane, running: ExitStack) -> None:
    folder = cluster.folder
    folder.mkdir()
    etcd, peers = (f"http://127.0.0.1:{port}" for port in (cluster.etcd, cluster.peers))
    (folder / "tokens.csv").write_text(f"{cluster.token},admin,admin,system:masters\n")
    account = folder / "account.key"
    subprocess.run(["openssl", "genrsa", "-out", account, "2048"], capture_output=True, check=True)
    cluster.kubeconfig.write_text(json.dumps(_config(cluster)))
    start = lambda *command: running.enter_context(_process(folder, *command))  # noqa: E731
    programs = [
        start(
            layout.FORKY / "usr/bin/etcd",
            "--data-dir=etcd",
            "--unsafe-no-fsync",
            "--log-level=warn",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
        ),
        start(
            layout.KUBERNETES / "kube-apiserver",
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            f"--secure-port={cluster.port}",
            "--cert-dir=certificates",
            "--token-auth-file=tokens.csv",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={account}",
            f"--service-account-signing-key-file={account}",
            "--service-cluster-ip-range=10.96.0.0/16",
        ),
    ]
    until("the API server is ready", lambda: _is_ready(cluster, programs), seconds=60)
    start(
        layout.KUBERNETES / "kube-controller-manager",
        f"--kubeconfig={cluster.kubeconfig}",
        f"--service-account-private-key-file={account}",
        f"--root-ca-file={folder}/certificates/apiserver.crt",
        "--leader-elect=false",
        "--secure-port=0",
    )


def _is_ready(cluster: ControlPlane, programs: list[subprocess.Popen]) -> bool:
    for each in programs:
        if each.poll() is not None:
            program = each.args[0].name
            log = (cluster.folder / f"{program}.log").read_text(errors="replace")
            end = "\n".join(log.splitlines()[-LINES:])
            raise Ended(f"{program} ended with {each.returncode}. The end of its log:\n{end}")
    ready = [KUBECTL, "--kubeconfig", cluster.kubeconfig, "get", "--raw", "/readyz"]
    return subprocess.run(ready, capture_output=True, check=False).returncode == 0


@contextmanager
def _process(folder: Path, program: Path, *arguments: str):
    log = (folder / f"{program.name}.log").open("wb")
    with (
        log,
        subprocess.Popen([program, *arguments], cwd=folder, stdout=log, stderr=log) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def _config(cluster: ControlPlane) -> dict:
    authority = str(cluster.folder / "certificates/apiserver.crt")
    server = {"server": f"https://127.0.0.1:{cluster.port}", "certificate-authority": authority}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{"name": CONTEXT, "cluster": server}],
        "users": [{"name": CONTEXT, "user": {"token": cluster.token}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
    }


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def suite(cluster: ControlPlane, *arguments: str, **environment: str) -> subprocess.Popen:
    """Starts the tests of e2e/suite on the cluster, as `make e2e-suite` does."""
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "suite", "-rs", *arguments],
        cwd=Path(__file__).parents[1],
        env=os.environ | {"PATH": PROGRAMS} | yes(cluster) | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def yes(cluster: ControlPlane) -> dict[str, str]:
    return {
        "E2E_KUBECONFIG": str(cluster.kubeconfig),
        "E2E_CLUSTER": CONTEXT,
        "IMAGES": "registry.invalid/you",
    }
