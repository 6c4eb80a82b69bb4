"""Debian's docker-registry on a free port, and what it holds."""

import base64
import hashlib
import json
import os
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from server import Server

ACCEPTED = "application/vnd.oci.image.manifest.v1+json"
USER, PASSWORD = "user", "secret"
# bcrypt, the only scheme that the registry takes.
HTPASSWD = "user:$2b$05$9QGYaTBkkavHvZjn/o22xO9YE1kCVypyCpDmibKACyhHAbpNUCuUu\n"


@dataclass
class Artifact:
    """A manifest and the blobs that it names, each checked against its digest."""

    digest: str
    manifest: dict
    config: bytes
    layers: list[bytes]
    # Bytes that a node pulls.
    size: int


class Registry:
    def __init__(self, folder: Path, *, closed: bool = False, tls: tuple[Path, Path] | None = None):
        """`tls` is the files of a certificate chain and its key."""
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
        # YAML reads JSON.
        (folder / "config.yml").write_text(json.dumps(config))
        command = [os.environ["REGISTRY"], "serve", folder / "config.yml"]
        self._server = Server("registry", command)
        self.address = self._server.url.removeprefix("http://")

    def stop(self) -> None:
        self._server.stop()

    def tags(self, repository: str) -> list[str]:
        """The tags of a repository; none where it does not exist.

        Read from the registry's files, so that a server that wants a login or
        TLS, or has stopped, can be asked like any other."""
        tags = self.folder / "data/docker/registry/v2/repositories" / repository / "_manifests/tags"
        return sorted(tag.name for tag in tags.iterdir()) if tags.is_dir() else []

    def pull(self, repository: str, reference: str) -> Artifact:
        """What a node gets for a tag or a digest."""
        manifest = self._get(repository, "manifests", reference)
        digest = sha256(manifest)
        assert reference in (digest, *self.tags(repository))
        parsed = json.loads(manifest)
        blobs = [self._blob(repository, each) for each in (parsed["config"], *parsed["layers"])]
        size = sum(map(len, (manifest, *blobs)))
        return Artifact(digest, parsed, blobs[0], blobs[1:], size)

    def _blob(self, repository: str, descriptor: dict) -> bytes:
        blob = self._get(repository, "blobs", descriptor["digest"])
        assert (sha256(blob), len(blob)) == (descriptor["digest"], descriptor["size"])
        return blob

    def _get(self, repository: str, kind: str, reference: str) -> bytes:
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(
            f"http://{self.address}/v2/{repository}/{kind}/{reference}",
            headers={"Accept": ACCEPTED, "Authorization": f"Basic {login}"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.read()


def sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
