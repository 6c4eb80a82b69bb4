"""The files of the repository that the tests compare with."""

import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
COMPONENT = REPOSITORY / "target/swiss.wasm"


def toml(name: str) -> dict:
    return tomllib.loads((REPOSITORY / name).read_text())
