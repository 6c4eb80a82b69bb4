"""Writes what a run found: a report and plots beside its results.json, and the
figures between the markers in README and docs, which no hand writes."""

import json
import re
from pathlib import Path

from . import paths, plots, tables
from .results import Results
from .stats import number

# What `make bench-compare` found last.
COMPARED = "before-after.json"
DOCUMENTS = [paths.REPOSITORY / name for name in ("README.md", "docs/performance.md")]
NOISY = " **The machine was too noisy to tell: until a quiet run, these figures prove nothing.**"
# <!-- bench:NAME --> ... <!-- /bench -->, in a line of text or around lines.
_BLOCK = re.compile(r"(<!-- bench:([a-z-]+) -->)(.*?)(<!-- /bench -->)", re.S)


def blocks(results: Results) -> dict[str, str]:
    """What goes between markers, by name."""

    def times(metric: str, one: str, other: str) -> str:
        return number(results.rounds(metric, one, other).median)

    texts = {
        "verdicts": tables.verdicts(results),
        "serving": tables.serving(results),
        "processes": tables.processes(results),
        "components": tables.components(results),
        "machine": tables.machine(results),
        "before-after": tables.before_after(json.loads((paths.RESULTS / COMPARED).read_text())),
    }
    bytes_pulled = [results.size(peer, "pulled_bytes") for peer in ("original", "swiss")]
    memory = [results.memory("replica_mib", peer) for peer in ("flask", "swiss")]
    words = {
        "caveat": NOISY if results.found["noisy"] else "",
        "fewer-bytes": number(bytes_pulled[0] / bytes_pulled[1]),
        "fresh-flask": times("peak_rps", "swiss", "flask"),
        "reuse-flask": times("peak_rps", "swiss-reuse", "flask"),
        "fresh-stock": times("peak_rps", "swiss", "stock"),
        "axum-fresh": times("peak_rps", "axum", "swiss"),
        "axum-reuse": times("peak_rps", "axum", "swiss-reuse"),
        "go-fresh": times("peak_rps", "go", "swiss"),
        "start-flask": number(results.start("flask", "swiss", "warm_ms", "warm_ms").median),
        "memory-flask": number(memory[0] / memory[1]),
    }
    return {**{name: f"\n\n{text}\n\n" for name, text in texts.items()}, **words}


def updated(text: str, results: Results) -> str:
    """`text` with the figures of `results`."""
    found = blocks(results)

    def fill(match: re.Match) -> str:
        start, name, _, end = match.groups()
        if name not in found:
            raise SystemExit(f"error: no figure has the name {name}: choose of {sorted(found)}")
        return start + found[name] + end

    return _BLOCK.sub(fill, text)


def report(results: Results) -> str:
    """README.md of the folder of the results."""
    found = results.found
    parts = ["# Results", "Written by `make bench`; not by hand."]
    if found["noisy"]:
        parts.append(NOISY.strip())
    if found["quick"]:
        parts.append("A quick run (`QUICK=1`): fewer rounds, wider spread.")
    count = len(found["rounds"]["pace_ms"])
    ratios = f"Ratios are medians of {count} rounds, with the lowest and the highest."
    parts += [tables.machine(results), "## Goals", ratios, tables.verdicts(results)]
    parts += ["## Serving", tables.serving(results), "![throughput](throughput.svg)"]
    parts += ["![latency](latency.svg)", "## Start and memory", tables.processes(results)]
    growth = found["growth"]
    grown = f"{growth['requests']:,} requests later a server that reuses instances has"
    parts += [f"{grown} {growth['growth_kib']:,.0f} KiB more.", "![start](start.svg)"]
    parts += ["## Components", tables.components(results), "![size](size.svg)"]
    return "\n\n".join(parts) + "\n"


def write(folder: Path) -> None:
    results = Results.read(folder)
    (folder / "README.md").write_text(report(results))
    plots.draw(results, folder)
    if folder == paths.RESULTS:
        for document in DOCUMENTS:
            document.write_text(updated(document.read_text(), results))


if __name__ == "__main__":
    write(paths.RESULTS)
