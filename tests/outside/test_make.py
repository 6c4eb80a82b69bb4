"""`make up` serves with Spin where there is one that knows this manifest."""

import os
import subprocess

import pytest

from conftest import REPOSITORY

SPIN, HOST = "spin up", "target/release/swiss-host"


@pytest.mark.parametrize(
    ("version", "server"),
    [("2.7.0", HOST), ("3.5.9", HOST), ("3.6.0", SPIN), ("3.10.0", SPIN), ("4.2.1", SPIN)],
)
def test_make_up_takes_spin_from_3_6_on(tmp_path, version, server):
    spin = tmp_path / "spin"
    spin.write_text(f"#!/bin/sh\necho 'spin {version} (0123456 2026-01-01)'\n")
    spin.chmod(0o755)
    assert planned({"PATH": f"{tmp_path}:{os.environ['PATH']}"}).endswith(
        f"exec {server} --listen 127.0.0.1:5000"
    )


def test_make_up_takes_the_port_that_it_is_given():
    assert planned({"PORT": "8080"}).endswith("--listen 127.0.0.1:8080")


def planned(environment: dict[str, str]) -> str:
    """What `make up` would run."""
    # The make that runs these tests is none of the other's business.
    inherited = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    command = ["make", "--dry-run", "up"]
    made = subprocess.run(
        command, cwd=REPOSITORY, env=inherited | environment, capture_output=True, text=True
    )
    assert made.returncode == 0, f"`{' '.join(command)}` failed:\n{made.stderr}"
    return made.stdout.rstrip()
