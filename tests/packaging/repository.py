"""The files of the repository that the tests compare with or copy."""

import shutil
import subprocess
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
COMPONENT = REPOSITORY / "target/swiss.wasm"


def toml(name: str) -> dict:
    return tomllib.loads((REPOSITORY / name).read_text())


def copy_tracked(folder: Path, *patterns: str) -> None:
    """Copies the tracked files, or those that match the patterns, with their times."""
    command = ["git", "ls-files", *patterns]
    files = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for file in files.stdout.splitlines():
        if (REPOSITORY / file).is_file():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / file, folder / file)
