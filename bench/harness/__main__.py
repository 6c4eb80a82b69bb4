"""Measures every peer and writes the results. `make bench` runs it."""

import argparse
import json
import sys
import time
from random import Random, randrange

from . import documents, machine, memory, order, paths, peers, rounds, size, startup, work
from .results import Results

# The largest accepted distance of the slowest round's pace from the fastest round's.
MAX_DRIFT = 0.5


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
    print(f"The order of the peers is that of SEED={options.seed}.", file=sys.stderr)
    results = {"seed": options.seed, **_measure(options.quick, Random(options.seed))}
    results["machine"] |= {"noise_before": machine.as_json(before)}
    results["machine"]["minutes"] = round((time.monotonic() - begin) / 60, 1)
    results["quick"] = options.quick
    noisy = results["noisy"] = is_noisy(before, results)
    write(results)
    if noisy and not options.noisy:
        drift = Results(results).pace().width
        raise SystemExit(
            f"error: the machine became too noisy: from the fastest round to the slowest its pace "
            f"changed by {drift:.0%} (at most {MAX_DRIFT:.0%}); nothing was published"
        )


def is_noisy(before: machine.Noise, results: dict) -> bool:
    return before.too_much or Results(results).pace().width > MAX_DRIFT


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="harness", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="run fewer and shorter rounds")
    parser.add_argument("--noisy", action="store_true", help="measure even on a noisy machine")
    parser.add_argument(
        "--seed", type=int, default=randrange(2**32), help="measure in the order of this seed"
    )
    return parser.parse_args()


def _measure(quick: bool, random: Random) -> dict:
    all_peers = peers.all_peers()
    components = {"swiss": paths.SWISS, "stock": paths.STOCK, "floor": paths.FLOOR}
    flask = [peer for peer in all_peers if peer.name.startswith("flask")]
    few, runs, starts = (3, 2, 5) if quick else (7, 5, 20)
    served = [*all_peers, peers.ceiling()]
    results: dict = {"machine": machine.facts()}
    results["labels"] = {peer.name: peer.label for peer in served}
    results["size"] = _step("size", lambda: size.measure(all_peers))
    results["work"] = _step("work for a request", lambda: _work(components, all_peers))
    results["compile"] = _step("compiling", lambda: _probe("compile", components, few, random))
    results["instantiate"] = _step(
        "instances", lambda: _probe("instantiate", components, few, random)
    )
    results["start"] = _step("starts", lambda: startup.measure(all_peers, starts, random))
    results["memory"] = _step("memory", lambda: memory.measure(all_peers, runs, random))
    swiss = next(peer for peer in all_peers if peer.name == "swiss-reuse")
    many = 100_000 if quick else 1_000_000
    results["growth"] = _step("growth", lambda: memory.growth(swiss, many, runs))
    results["rate"] = rounds.fixed_rate(flask)
    count, seconds = (3, 4) if quick else (7, 540 / 7 / len(served))
    results["rounds"] = rounds.measure(served, count, seconds, results["rate"], random)
    return results


def _work(components: dict, all_peers: list[peers.Peer]) -> dict:
    found = {name: work.counts(file) for name, file in components.items()}
    for peer in all_peers:
        # Spin serves from a child process, which outlives the process that the harness ends.
        if not peer.name.startswith("spin"):
            found.setdefault(peer.name, {})["system_calls"] = work.system_calls(peer)
    return found


def _probe(verb: str, components: dict, count: int, random: Random) -> dict:
    """Measures the components in turn, so that the figures of a round can be paired."""
    found: dict = {name: [] for name in components}
    for turns in order.shuffled(list(components), count, random):
        for name in turns:
            found[name].append(work.probe(verb, components[name]))
    return found


def _step(name: str, measure):
    print(f"{name} ...", end=" ", file=sys.stderr, flush=True)
    start = time.monotonic()
    found = measure()
    print(f"{time.monotonic() - start:.0f} s", file=sys.stderr)
    return found


def write(results: dict) -> None:
    """Publishes `results`, if they are those of a whole run on a quiet machine."""
    publish = not results["quick"] and not results["noisy"]
    folder = paths.RESULTS if publish else paths.WORK / "results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    documents.write(folder)
    print((folder / "README.md").read_text())
    print(f"Results, tables and plots are in {folder}.", file=sys.stderr)


if __name__ == "__main__":
    main()
