"""Debian's docker-registry on a free port, and its content."""

import base64
import json
import os
import urllib.request
from pathlib import Path

import pytest

import oci
from server import Server

USER, PASSWORD = "user", "secret"
# bcrypt, the only scheme that the registry accepts.
HTPASSWD = "user:$2b$05$9QGYaTBkkavHvZjn/o22xO9YE1kCVypyCpDmibKACyhHAbpNUCuUu\n"


class Registry:
    def __init__(self, folder: Path, *, closed: bool = False, tls: tuple[Path, Path] | None = None):
        """`tls` is the files of a certificate chain and its key. Skips the test if
        REGISTRY is not set."""
        if not os.environ.get("REGISTRY"):
            pytest.skip("REGISTRY is not set: `make test-packaging` sets it on Debian 12")
        self.folder = folder
        folder.mkdir(exist_ok=True)
        config = {
            "version": 0.1,
            "log": {"accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
            "http": {"addr": "127.0.0.1:0"},
        }
        if tls:
            chain, key = map(str, tls)
            config["http"]["tls"] = {"certificate": chain, "key": key}
        if closed:
            (folder / "htpasswd").write_text(HTPASSWD)
            htpasswd = {"realm": "test", "path": str(folder / "htpasswd")}
            config["auth"] = {"htpasswd": htpasswd}
        # JSON is valid YAML.
        (folder / "config.yml").write_text(json.dumps(config))
        program = Path(os.environ["REGISTRY"]) / "usr/bin/docker-registry"
        # The program also takes its configuration from variables such as REGISTRY_AUTH_FILE.
        unset = [f"--unset={name}" for name in os.environ if name.startswith("REGISTRY_")]
        command = ["env", *unset, program, "serve", folder / "config.yml"]
        self._server = Server("registry", command)
        self.address = self._server.url.removeprefix("http://")

    def stop(self) -> None:
        self._server.stop()

    def tags(self, repository: str) -> list[str]:
        """The tags of a repository; none if it does not exist.

        Reads the registry's files, so that it works with a login, with TLS, and
        after the server has stopped."""
        tags = self.folder / "data/docker/registry/v2/repositories" / repository / "_manifests/tags"
        return sorted(tag.name for tag in tags.iterdir()) if tags.is_dir() else []

    def pull(self, repository: str, reference: str) -> oci.Image:
        """The image that a node gets for a tag or a digest."""
        media_type, manifest = self._get(repository, "manifests", reference)
        digest = oci.digest(manifest)
        assert reference in (digest, *self.tags(repository))

        def fetch(wanted: str) -> bytes:
            return manifest if wanted == digest else self._get(repository, "blobs", wanted)[1]

        return oci.read({"mediaType": media_type, "digest": digest, "size": len(manifest)}, fetch)

    def _get(self, repository: str, kind: str, reference: str) -> tuple[str, bytes]:
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(
            f"http://{self.address}/v2/{repository}/{kind}/{reference}",
            headers={"Accept": oci.MANIFEST, "Authorization": f"Basic {login}"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.headers["Content-Type"], response.read()
