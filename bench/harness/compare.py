"""Two builds of the component, before and after a change, in one run:
`make bench-compare BEFORE=old.wasm`. Times need a quiet machine, counts do not."""

import gzip
import json
import sys
from pathlib import Path
from statistics import median

from . import documents, machine, paths, work
from .peers import REUSE

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
    for name, kinds in times.items():
        found[name] |= {kind: round(median(values), 1) for kind, values in kinds.items()}
    found["quiet"] = not machine.noise().too_much
    file = paths.RESULTS / documents.COMPARED
    file.write_text(json.dumps(found, indent=1) + "\n")
    documents.write(paths.RESULTS)
    print(file.read_text())


def _counts(file: Path) -> dict:
    content = file.read_bytes()
    return {
        "bytes": len(content),
        "gzip_bytes": len(gzip.compress(content, mtime=0)),
        "compiled_bytes": work.probe("compile", file)["compiled_bytes"],
        **work.probe("work", file),
        "instructions": round(work.instructions(file)),
        "instructions_reused": round(work.instructions(file, REUSE)),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
