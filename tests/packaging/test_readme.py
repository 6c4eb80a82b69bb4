"""README shows what `make push` prints in a clean clone."""

import re
import shutil
import subprocess

from repository import COMPONENT, REPOSITORY


def test_the_figures_of_a_push_are_those_of_a_clean_clone(push, tmp_path):
    clone = tmp_path / "clone"
    # A clone of a folder: the artifact has no address of its source, whose length differs.
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, clone], check=True)
    (clone / "target").mkdir()
    shutil.copy(COMPONENT, clone / "target")
    pushed = push("--from", clone / "spin.toml", "--layout", tmp_path / "layout")
    assert pushed.returncode == 0, pushed.stderr
    assert figures(pushed.stdout) == figures((REPOSITORY / "README.md").read_text())


def figures(text: str) -> list[str]:
    lines = re.findall(r"^ *\d+ bytes  .*$", text, re.M)
    assert lines, f"no sizes in: {text}"
    return lines
