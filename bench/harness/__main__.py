"""Measures every peer and writes the results. `make bench` runs it."""

import argparse
import json
import sys
import time

from . import documents, machine, memory, paths, peers, rounds, size, startup, work
from .stats import spread

# The largest accepted spread of the machine's pace between rounds.
MAX_DRIFT = 0.25


def main() -> None:
    options = _options()
    machine.check_cores()
    for name in ("strace", "valgrind", "vegeta", "wrk"):
        paths.tool(name)
    before = machine.noise()
    if before.too_much and not options.noisy:
        raise SystemExit(
            f"error: this machine is too noisy to measure on: {before}. Stop other programs, or "
            "set NOISY=1 to measure anyway; such results are not published"
        )
    begin = time.monotonic()
    results = _measure(options.quick)
    results["machine"] |= {"noise_before": machine.as_json(before)}
    results["machine"]["drift"] = round(spread(results["rounds"]["pace_ms"]), 3)
    results["machine"]["minutes"] = round((time.monotonic() - begin) / 60, 1)
    results["quick"] = options.quick
    noisy = before.too_much or results["machine"]["drift"] > MAX_DRIFT
    results["noisy"] = noisy
    _write(results, publish=not options.quick and not noisy)
    if noisy and not options.noisy:
        drift = results["machine"]["drift"]
        raise SystemExit(
            f"error: the machine became too noisy: its pace changed by {drift:.0%} "
            f"between rounds (at most {MAX_DRIFT:.0%}); nothing was published"
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="harness", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="run fewer and shorter rounds")
    parser.add_argument("--noisy", action="store_true", help="measure even on a noisy machine")
    return parser.parse_args()


def _measure(quick: bool) -> dict:
    all_peers = peers.all_peers()
    components = {"swiss": paths.SWISS, "stock": paths.STOCK, "floor": paths.FLOOR}
    flask = [peer for peer in all_peers if peer.name.startswith("flask")]
    few = 3 if quick else 7
    results: dict = {"machine": machine.facts()}
    results["labels"] = {peer.name: peer.label for peer in all_peers}
    results["size"] = _step("size", lambda: size.measure(all_peers))
    results["work"] = _step("work for a request", lambda: _work(components, all_peers))
    results["compile"] = _step("compiling", lambda: _probe("compile", components, few))
    results["instantiate"] = _step("instances", lambda: _probe("instantiate", components, few))
    results["start"] = _step("starts", lambda: startup.measure(all_peers, 5 if quick else 20))
    results["memory"] = _step("memory", lambda: memory.measure(all_peers))
    swiss = next(peer for peer in all_peers if peer.name == "swiss-reuse")
    many = 100_000 if quick else 1_000_000
    results["growth"] = _step("growth", lambda: memory.growth(swiss, many))
    results["rate"] = rounds.fixed_rate(flask)
    count, seconds = (3, 4) if quick else (7, 480 / 7 / len(all_peers))
    results["rounds"] = rounds.measure(all_peers, count, seconds, results["rate"])
    return results


def _work(components: dict, all_peers: list[peers.Peer]) -> dict:
    found = {name: work.counts(file) for name, file in components.items()}
    for peer in all_peers:
        # Spin serves from a child process, which outlives the process that the harness ends.
        if not peer.name.startswith("spin"):
            found.setdefault(peer.name, {})["system_calls"] = work.system_calls(peer)
    return found


def _probe(verb: str, components: dict, count: int) -> dict:
    """Measures the components in turn, so that the figures of a round can be paired."""
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
