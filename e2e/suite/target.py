"""The cluster under test: that of e2e/cluster, or another, to which the user says yes by name.

E2E_KUBECONFIG  the kubeconfig of another cluster
E2E_CLUSTER     the name of the current context of that kubeconfig
IMAGES          a registry to which this machine pushes, and from which that cluster pulls

As a program, it only says whether the tests may run. It runs before anything is compiled,
and needs no package but Python's own.
"""

import fcntl
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

KUBECONFIG, YES = (os.environ.get(name, "") for name in ("E2E_KUBECONFIG", "E2E_CLUSTER"))
OTHER_CLUSTER = bool(KUBECONFIG)
# Another program may change the current context at any time after it is read.
CONTEXT = ("--context", YES)
# The folder of a run's copy of the kubeconfig, in that for temporary files.
PREFIX = "swiss-e2e-"
RUNTIME_CLASS = "wasmtime-spin-v2"

# Every run has a name of its own, so that two runs on one cluster do not meet.
RUN = secrets.token_hex(4)
MANAGED_BY = "swiss-e2e"
LABELS = {"app.kubernetes.io/managed-by": MANAGED_BY, "e2e.swiss/run": RUN}

# The user's variables by which kubectl or Helm would work on another cluster, as somebody
# else, or in another way.
_REDIRECT = ("HELM_", "KUBECTL_", "KUBERNETES_SERVICE_", "KUBERNETES_MASTER", "KUBERC")


class Refusal(Exception):
    """The tests may not run; the message says why, and what to do."""


def check() -> None:
    """Refuses another cluster to which the user has not said yes, or that cannot run the
    tests. Changes nothing."""
    if not OTHER_CLUSTER:
        if YES:
            raise Refusal(
                f"E2E_CLUSTER is {YES}, but E2E_KUBECONFIG is not set: set both to test that "
                "cluster, or neither to test one that the tests start."
            )
        return
    file = kubeconfig()
    if not file.is_file():
        raise Refusal(f"E2E_KUBECONFIG is {KUBECONFIG}, which is not a file: name a kubeconfig.")
    context = _kubectl("config", "view", "--output=jsonpath={.current-context}")
    if not context:
        raise Refusal(
            f"E2E_KUBECONFIG is {KUBECONFIG}, which has no current context: choose one with "
            f"`kubectl --kubeconfig {file} config use-context NAME`."
        )
    if not YES:
        raise Refusal(
            f"E2E_KUBECONFIG is {KUBECONFIG}, whose current context is {context}: say that the "
            f"tests may use this cluster with E2E_CLUSTER={context}."
        )
    if context != YES:
        raise Refusal(
            f"E2E_CLUSTER is {YES}, but the current context of E2E_KUBECONFIG={KUBECONFIG} is "
            f"{context}: the two must name the same cluster."
        )
    if not os.environ.get("IMAGES"):
        raise Refusal(
            f"IMAGES is not set: name a registry to which this machine pushes and from which "
            f"{context} pulls, such as IMAGES=registry.example/you."
        )
    found = ("get", "runtimeclass", RUNTIME_CLASS, "--ignore-not-found", "--request-timeout=20s")
    if not _kubectl(*CONTEXT, *found):
        raise Refusal(
            f"The cluster {context} has no RuntimeClass {RUNTIME_CLASS}: give its nodes the shim "
            "and create the RuntimeClass, as runtime-class/README.md says."
        )


def kubeconfig() -> Path:
    """The user's kubeconfig. make runs the tests in e2e/, and the user names the file from
    the repository."""
    return Path(__file__).parents[2] / Path(KUBECONFIG).expanduser()


def _kubectl(*arguments: str, file: "Path | None" = None) -> str:
    command = ["kubectl", "--kubeconfig", str(file or kubeconfig()), *arguments]
    try:
        result = subprocess.run(
            command,
            env=_clean(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except FileNotFoundError:
        raise Refusal("There is no kubectl on PATH: install it to test another cluster.") from None
    except subprocess.TimeoutExpired:
        raise Refusal(f"`{' '.join(command)}` does not end.") from None
    if result.returncode:
        raise Refusal(f"`{' '.join(command)}` failed: {result.stderr.strip()}")
    return result.stdout.strip()


def _clean() -> "dict[str, str]":
    """The user's environment without what leads to another cluster."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_REDIRECT)}
    return kept | {"KUBECTL_KUBERC": "false", "KUBERC": "off"}


@contextmanager
def use(ours: Path) -> Iterator[None]:
    """Makes every command of this process and of its children work on the cluster under
    test: with a copy of the kubeconfig that has one context, so that nobody changes the
    cluster during a run. At the end, the copy is deleted."""
    _delete_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = _lock(folder)
    try:
        # Only after the lock, so that no other run takes the copy for a leftover.
        _copy(ours, folder / "kubeconfig")
        environment = _clean() | {"KUBECONFIG": str(folder / "kubeconfig")}
        os.environ.clear()
        os.environ.update(environment)
        yield
    finally:
        shutil.rmtree(folder)
        os.close(lock)


def _copy(ours: Path, copy: Path) -> None:
    view = ("config", "view", "--minify", "--flatten", "--raw", "--output=json")
    config = json.loads(_kubectl(*CONTEXT, *view) if OTHER_CLUSTER else _kubectl(*view, file=ours))
    # A command of the tests names its namespace.
    for each in config["contexts"]:
        each["context"].pop("namespace", None)
    copy.touch(mode=0o600)
    copy.write_text(json.dumps(config))


def _delete_leftovers() -> None:
    """Deletes the copies of runs that ended without doing so, as by `kill -9`."""
    for copy in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/kubeconfig"):
        with suppress(OSError):
            lock = _lock(copy.parent)
            try:
                shutil.rmtree(copy.parent)
            finally:
                os.close(lock)


def _lock(folder: Path) -> int:
    """Locks a folder of this user. The lock ends with the process, however that ends."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(lock).st_uid != os.getuid():
            raise PermissionError(f"{folder} is not of this user.")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


if __name__ == "__main__":
    try:
        check()
    except Refusal as reason:
        sys.exit(f"error: {reason}")
