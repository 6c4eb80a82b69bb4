"""The Makefile runs every Rust test. Its cargo commands name each target, because they
select all packages, and some targets need what only one verb provides."""

import json
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
RECIPES = "".join(
    file.read_text() for file in (REPOSITORY / "Makefile", *sorted(REPOSITORY.glob("**/*.mk")))
)


def targets(kind: str) -> list[str]:
    """The names of Cargo's targets of this kind in the workspace."""
    command = ["cargo", "metadata", "--no-deps", "--format-version=1", "--locked", "--offline"]
    found = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert found.returncode == 0, f"`{' '.join(command)}` failed:\n{found.stderr}"
    packages = json.loads(found.stdout)["packages"]
    return sorted(
        target["name"]
        for package in packages
        for target in package["targets"]
        if kind in target["kind"] and target["test"]
    )


@pytest.mark.parametrize("test", targets("test"))
def test_a_verb_runs_every_integration_test(test):
    assert f"--test {test}" in RECIPES, (
        f"no verb runs the Rust test `{test}`: add `--test {test}` to a `cargo test`"
    )


@pytest.mark.parametrize("binary", targets("bin"))
def test_a_verb_runs_the_unit_tests_of_every_binary(binary):
    lines = [line for line in RECIPES.splitlines() if "cargo test" in line]
    assert any(f"--bin {binary}" in line for line in lines), (
        f"no verb runs the unit tests of the binary `{binary}`: add `--bin {binary}` to a "
        "`cargo test` of the Makefile"
    )
