"""make uses Spin if the installed version supports this manifest."""

import os
import subprocess

import pytest

from conftest import REPOSITORY

SPIN, HOST = "spin up", "target/release/swiss-host"


@pytest.fixture
def spin(tmp_path):
    """Returns an environment in which Spin has the given version."""

    def environment(version: str) -> dict[str, str]:
        program = tmp_path / "spin"
        program.write_text(f"#!/bin/sh\necho 'spin {version} (0123456 2026-01-01)'\n")
        program.chmod(0o755)
        return {"PATH": f"{tmp_path}:{os.environ['PATH']}"}

    return environment


@pytest.mark.parametrize(
    ("version", "server"),
    [("2.7.0", HOST), ("3.5.9", HOST), ("3.6.0", SPIN), ("3.10.0", SPIN), ("4.2.1", SPIN)],
)
def test_make_up_uses_spin_from_3_6_on(spin, version, server):
    assert planned(spin(version)).endswith(f"exec {server} --listen 127.0.0.1:5000")


def test_make_up_listens_on_the_given_port():
    assert planned({"PORT": "8080"}).endswith("--listen 127.0.0.1:8080")


def test_make_push_pushes_with_spin_if_it_is_installed(spin):
    image = {"IMAGE": "gcr.io/project/swiss:v1", "FORMAT": "spin"}
    push = "target/release/swiss-push --format spin"
    assert planned(image, "push").endswith(f"{push} {image['IMAGE']}")
    assert planned(image | spin("3.6.3"), "push").endswith(f"{push} --spin spin {image['IMAGE']}")


def planned(environment: dict[str, str], verb: str = "up") -> str:
    """The commands that make would run."""
    # The variables of the make that runs these tests must not reach this one.
    inherited = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    command = ["make", "--dry-run", verb]
    made = subprocess.run(
        command, cwd=REPOSITORY, env=inherited | environment, capture_output=True, text=True
    )
    assert made.returncode == 0, f"`{' '.join(command)}` failed:\n{made.stderr}"
    return made.stdout.rstrip()
