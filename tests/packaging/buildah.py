"""Builds images with Debian's buildah, from unpacked packages.

It runs without a daemon and without root, has no registry to pull from, does not read
the user's configuration, and writes only to the folder that it is given.

BUILDAH  folder with the unpacked packages; `make test-packaging` sets it
"""

import os
import subprocess
from pathlib import Path

import pytest

CONFIGURATION = {
    "CONTAINERS_CONF": "",
    "CONTAINERS_REGISTRIES_CONF": "unqualified-search-registries = []\n",
    "CONTAINERS_STORAGE_CONF": '[storage]\ndriver = "vfs"\n',
}
POLICY = '{"default": [{"type": "insecureAcceptAnything"}]}\n'


class Buildah:
    def __init__(self, folder: Path):
        """`folder` must be empty. Skips the test if BUILDAH is not set."""
        if not os.environ.get("BUILDAH"):
            pytest.skip("BUILDAH is not set: `make test-packaging` sets it on Debian 12")
        packages = Path(os.environ["BUILDAH"])
        self._folder, self._count = folder, 0
        libraries = [
            str(path) for lib in ("lib", "usr/lib") for path in packages.glob(f"{lib}/*-gnu")
        ]
        self._environment = {
            "PATH": os.environ["PATH"],
            "LD_LIBRARY_PATH": ":".join(libraries),
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
        }
        for name, content in CONFIGURATION.items():
            (folder / name).write_text(content)
            self._environment[name] = str(folder / name)
        (folder / "policy.json").write_text(POLICY)
        # A user namespace with one user, because buildah's own, which has many users,
        # needs a setuid program of the system.
        unshare = [] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user"]
        self._command = [
            *unshare,
            packages / "usr/bin/buildah",
            *("--root", folder / "storage", "--runroot", folder / "run"),
        ]
        self._policy = ("--signature-policy", folder / "policy.json")

    def build(self, context: Path, *options) -> str:
        """Builds `context` with `options` of `buildah build`; returns the image's name."""
        self._count += 1
        name = f"localhost/build{self._count}"
        self._run("build", "--isolation=chroot", f"--tag={name}", *options, context)
        return name

    def layout(self, name: str) -> Path:
        """A built image as an OCI layout."""
        layout = self._folder / f"layout-{Path(name).name}"
        self._run("push", name, f"oci:{layout}")
        return layout

    def push(self, name: str, image: str) -> None:
        """Pushes a built image to a registry on this machine."""
        self._run("push", "--tls-verify=false", name, f"docker://{image}")

    def _run(self, verb: str, *arguments) -> None:
        command = [*self._command, verb, *self._policy, *arguments]
        run = subprocess.run(command, env=self._environment, capture_output=True, text=True)
        assert run.returncode == 0, f"`buildah {verb}` failed:\n{run.stderr}"
