"""The Makefile runs every Rust test. Its cargo commands name each target, because they
select all packages, and some targets need what only one verb provides."""

import json
import re
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


# What make 3.81 does not know, the make of macOS: GNU make's NEWS from 3.82 on. Most of it
# is ignored without a word.
NEWER_THAN_3_81 = [
    r"^\.(SHELLFLAGS|ONESHELL|EXTRA_PREREQS|WAIT|NOTINTERMEDIATE|LIBPATTERNS)\b",
    r"^(override |export )*(undefine|private) ",
    r"^[^\t#]*: *(export |override )*private ",
    r"^define \S+ *[:+?]*=",
    r"^[^\t#=]*(::=|:::=|!=)",
    r"^[^\t#=]*&::? ",
    r"\$[({](file|guile|let|intcmp) ",
    r"--output-sync|--shuffle|--trace\b",
]


@pytest.mark.parametrize("newer", NEWER_THAN_3_81)
def test_the_recipes_run_with_make_3_81(newer):
    lines = re.findall(rf"^.*{newer}.*$" if newer[0] != "^" else rf"{newer}.*$", RECIPES, re.M)
    assert not lines, f"make 3.81 does not know this: {lines}"


# Bash 3.2, with which the same verbs run. `$$` is the `$` of a recipe.
NEWER_THAN_BASH_3_2 = (
    r"\b(mapfile|readarray|coproc)\b|\b(declare|local|typeset) -[A-Za-z]*[Agnlu]|\bwait -n"
    r"|\$\{\w+(,|\^|@)|&>>|\|&|;;?&|\[\[? -v |printf '%\(|\$EPOCH"
)


@pytest.mark.parametrize("file", ["Makefile", "arguments.sh", "doctor.sh"])
def test_the_shell_runs_with_bash_3_2(file):
    lines = (REPOSITORY / file).read_text().splitlines()
    newer = [line for line in lines if re.search(NEWER_THAN_BASH_3_2, line.split("# ")[0])]
    assert not newer, f"bash 3.2 does not know this: {newer}"
