"""A real registry, and the tool that pushes to it.

SWISS_PUSH  the tool of `make push`, target/release/swiss-push by default
REGISTRY    where Debian's docker-registry is unpacked
BUILDAH     where Debian's buildah is unpacked
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from buildah import Buildah
from registry import Registry
from repository import REPOSITORY

PUSH = Path(os.environ.get("SWISS_PUSH", REPOSITORY / "target/release/swiss-push"))


@pytest.fixture(scope="session")
def registry(tmp_path_factory):
    """A registry that accepts every push without a login."""
    registry = Registry(tmp_path_factory.mktemp("registry"))
    yield registry
    registry.stop()


@pytest.fixture
def fresh_registry(tmp_path):
    """An empty registry, for one test."""
    registry = Registry(tmp_path / "registry")
    yield registry
    registry.stop()


@pytest.fixture
def closed_registry(tmp_path):
    """A registry that requires the name `user` and the password `secret`."""
    registry = Registry(tmp_path / "registry", closed=True)
    yield registry
    registry.stop()


@pytest.fixture(scope="session")
def buildah(tmp_path_factory):
    return Buildah(tmp_path_factory.mktemp("buildah"))


def clean_environment() -> dict[str, str]:
    """Without the variables by which the user of the tests changes what is pushed, and how."""
    ours = ("DOCKER_CONFIG", "PLAIN_HTTP", "SOURCE_DATE_EPOCH")
    prefixes = ("GIT_", "REGISTRY_", "SSL_CERT_", "XDG_")
    return {
        name: value
        for name, value in os.environ.items()
        if name not in ours
        and not name.startswith(prefixes)
        and not name.upper().endswith("_PROXY")
    }


@pytest.fixture
def push(tmp_path):
    """Runs the tool in the repository, by default without any credentials."""

    def run(
        *arguments, credentials: dict | None = None, **environment
    ) -> subprocess.CompletedProcess:
        config = tmp_path / "docker"
        config.mkdir(exist_ok=True)
        (config / "config.json").write_text(json.dumps(credentials or {}))
        return subprocess.run(
            [PUSH, *map(str, arguments)],
            cwd=REPOSITORY,
            env=clean_environment() | {"DOCKER_CONFIG": str(config)} | environment,
            capture_output=True,
            text=True,
        )

    return run
