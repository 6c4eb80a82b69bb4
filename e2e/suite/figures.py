"""The figures of a run: target/e2e/figures.json, and figures.md with the same as a table."""

import json
from collections import defaultdict

from .commands import REPOSITORY

FOLDER = REPOSITORY / "target/e2e"
_FIGURES: dict[str, dict[str, object]] = defaultdict(dict)


def note(what: str, **values) -> None:
    """Adds values to a row of the table. Their names contain the units."""
    _FIGURES[what].update(values)


def note_load(what: str, results: dict) -> None:
    for kind, each in results.items():
        note(f"{what}, {kind} connections", **{k: v for k, v in each.items() if v or k == "lost"})


def write() -> None:
    if not _FIGURES:
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "figures.json").write_text(json.dumps(_FIGURES, indent=1) + "\n")
    lines = ["| What | Figures |", "|---|---|"]
    for what, values in _FIGURES.items():
        cells = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items())
        lines.append(f"| {what} | {cells} |")
    (FOLDER / "figures.md").write_text("\n".join(lines) + "\n")
