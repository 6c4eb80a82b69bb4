"""Runs make as a user does."""

import os
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path

from repository import REPOSITORY


def environment(without=(), **variables) -> dict[str, str]:
    """This one with these variables and without those."""
    # `make test` runs the tests, and tells its own `make` how to run.
    without = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "CARGO_TARGET_DIR", *without}
    kept = {name: value for name, value in os.environ.items() if name not in without}
    return kept | variables


def run(
    *arguments: str, folder: Path = REPOSITORY, without=(), **variables
) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=environment(without, **variables),
        capture_output=True,
        text=True,
    )


def make(*arguments: str, folder: Path = REPOSITORY, without=(), **variables) -> str:
    """What `make` prints."""
    done = run(*arguments, folder=folder, without=without, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@contextmanager
def serving(*variables: str, folder: Path = REPOSITORY):
    """The lines that `make up` prints until it serves, and the process."""
    process = subprocess.Popen(
        ["make", "up", *variables],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        lines = []
        try:
            for line in process.stdout:
                lines.append(line)
                if "(wildcard)" in line:
                    yield lines, process
                    return
            raise AssertionError("make up did not serve:\n" + "".join(lines))
        finally:
            process.terminate()


def errors(done: subprocess.CompletedProcess) -> list[str]:
    """The errors that are not make's own, which only names the recipe."""
    return re.findall(r"^error: (.*)$", done.stderr, re.MULTILINE)


def link_tools(folder: Path, *without: str) -> str:
    """A PATH of links to everything on this machine's, without these."""
    folder.mkdir()
    for tools in os.environ["PATH"].split(os.pathsep):
        for tool in Path(tools).glob("*"):
            link = folder / tool.name
            if tool.name not in without and not link.is_symlink():
                link.symlink_to(tool)
    return str(folder)


def script(folder: Path, name: str, text: str) -> None:
    """Puts a program there that this text is, instead of what a link leads to."""
    (folder / name).unlink(missing_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
