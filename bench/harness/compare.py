"""Compares two builds of the component in one run: `make bench-compare BEFORE=old.wasm`.
Times need a quiet machine; counts do not."""

import json
import sys
from pathlib import Path
from statistics import median

from . import documents, machine, paths, size, work

TIMES = ("compile_ms", "instantiate_us", "instantiate_call_us")


def main(before: Path) -> None:
    machine.check_cores()
    files = {"before": before.resolve(), "after": paths.SWISS}
    found = {name: _counts(file) for name, file in files.items()}
    times: dict = {name: {kind: [] for kind in TIMES} for name in files}
    for _ in range(7):
        for name, file in files.items():
            probed = work.probe("compile", file) | work.probe("instantiate", file)
            for kind in TIMES:
                times[name][kind].append(probed[kind])
    if not machine.noise().too_much:
        for name, kinds in times.items():
            found[name] |= {kind: round(median(values), 1) for kind, values in kinds.items()}
    file = paths.RESULTS / documents.BEFORE_AFTER
    file.write_text(json.dumps(found, indent=1) + "\n")
    documents.write(paths.RESULTS)
    print(file.read_text())


def _counts(file: Path) -> dict:
    compiled = work.probe("compile", file)["compiled_bytes"]
    return {**size.of_file(file), "compiled_bytes": compiled, **work.counts(file)}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
