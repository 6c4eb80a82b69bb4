"""Measures everything and writes it down. `make bench` starts it."""

import argparse
import json
import sys
import time

from . import documents, machine, memory, paths, peers, rounds, size, startup, work
from .stats import spread

# How much the machine's pace may change between rounds.
MOST_DRIFT = 0.25


def main() -> None:
    options = _options()
    machine.check_cores()
    for name in ("strace", "valgrind", "vegeta", "wrk"):
        paths.tool(name)
    before = machine.noise()
    if before.too_much and not options.noisy:
        raise SystemExit(
            f"error: this machine is too noisy to tell: {before}. Stop what else runs, or "
            "measure all the same with NOISY=1; such results are not published"
        )
    begin = time.monotonic()
    results = _measure(options.quick)
    results["machine"] |= {"noise_before": machine.as_json(before)}
    results["machine"]["drift"] = round(spread(results["rounds"]["pace_ms"]), 3)
    results["machine"]["minutes"] = round((time.monotonic() - begin) / 60, 1)
    results["quick"] = options.quick
    noisy = before.too_much or results["machine"]["drift"] > MOST_DRIFT
    results["noisy"] = noisy
    _write(results, publish=not options.quick and not noisy)
    if noisy and not options.noisy:
        drift = results["machine"]["drift"]
        raise SystemExit(
            f"error: the machine became too noisy to tell: its pace changed by {drift:.0%} "
            f"between rounds (at most {MOST_DRIFT:.0%}); nothing was published"
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="harness", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--noisy", action="store_true", help="measure on a noisy machine, too")
    return parser.parse_args()


def _measure(quick: bool) -> dict:
    everyone = peers.everyone()
    components = {"swiss": paths.SWISS, "stock": paths.STOCK, "floor": paths.FLOOR}
    flask = [peer for peer in everyone if peer.name.startswith("flask")]
    few = 3 if quick else 7
    results: dict = {"machine": machine.facts()}
    results["labels"] = {peer.name: peer.label for peer in everyone}
    results["size"] = _step("size", lambda: size.measure(everyone))
    results["work"] = _step("work for a request", lambda: _work(components, everyone))
    results["compile"] = _step("compiling", lambda: _probe("compile", components, few))
    results["instantiate"] = _step("instances", lambda: _probe("instantiate", components, few))
    results["start"] = _step("starts", lambda: startup.measure(everyone, 5 if quick else 20))
    results["memory"] = _step("memory", lambda: memory.measure(everyone))
    swiss = next(peer for peer in everyone if peer.name == "swiss-reuse")
    many = 100_000 if quick else 1_000_000
    results["growth"] = _step("growth", lambda: memory.growth(swiss, many))
    results["rate"] = rounds.fixed_rate(flask)
    count, seconds = (3, 4) if quick else (7, 480 / 7 / len(everyone))
    results["rounds"] = rounds.measure(everyone, count, seconds, results["rate"])
    return results


def _work(components: dict, everyone: list[peers.Peer]) -> dict:
    found = {name: work.counts(file) for name, file in components.items()}
    for peer in everyone:
        # Spin serves from a process of its own, which outlives what strace ends.
        if not peer.name.startswith("spin"):
            found.setdefault(peer.name, {})["system_calls"] = work.system_calls(peer)
    return found


def _probe(verb: str, components: dict, count: int) -> dict:
    """In turn, so that each round's figures can be paired."""
    found: dict = {name: [] for name in components}
    for _ in range(count):
        for name, file in components.items():
            found[name].append(work.probe(verb, file))
    return found


def _step(name: str, measure):
    print(f"{name} ...", end=" ", file=sys.stderr, flush=True)
    start = time.monotonic()
    found = measure()
    print(f"{time.monotonic() - start:.0f} s", file=sys.stderr)
    return found


def _write(results: dict, publish: bool) -> None:
    folder = paths.RESULTS if publish else paths.WORK / "results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    documents.write(folder)
    print((folder / "README.md").read_text())
    print(f"Results, tables and plots are in {folder}.", file=sys.stderr)


if __name__ == "__main__":
    main()
