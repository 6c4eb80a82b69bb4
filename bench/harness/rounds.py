"""Measures throughput and latency. In each round every peer is started anew and
measured in turn, so that no other server runs at the same time."""

import sys
from random import Random

from . import load, machine, order
from .peers import Peer
from .server import Server

# The parts of a peer's turn: warm-up, peak, one connection. Latency gets the rest.
WARM_UP, PEAK, ALONE = 0.15, 0.3, 0.15
# The shortest run of wrk.
SHORTEST_SECONDS = 1.0


def fixed_rate(peers: list[Peer]) -> int:
    """Half of the peak of the slowest of `peers`, in requests per second: all can sustain it."""
    peaks = []
    for peer in peers:
        with Server(peer) as server:
            load.peak(server.port, 1)
            peaks.append(load.peak(server.port, 2)["requests_per_second"])
    return max(100, round(min(peaks) / 2 / 100) * 100)


def measure(peers: list[Peer], count: int, turn_seconds: float, rate: int, random: Random) -> dict:
    """The figures of each peer, and the machine's pace, in each round."""
    found = {peer.name: [] for peer in peers}
    pace = []
    for index, turns in enumerate(order.shuffled(peers, count, random), start=1):
        pace.append(machine.pace())
        for peer in turns:
            print(f"\rround {index} of {count}: {peer.label:<40}", end="", file=sys.stderr)
            found[peer.name].append(_turn(peer, turn_seconds, rate))
    print(file=sys.stderr)
    return {"peers": found, "pace_ms": pace}


def _turn(peer: Peer, seconds: float, rate: int) -> dict:
    part = {"warm": WARM_UP * seconds, "peak": PEAK * seconds, "alone": ALONE * seconds}
    part = {name: max(SHORTEST_SECONDS, value) for name, value in part.items()}
    with Server(peer) as server:
        load.peak(server.port, part["warm"])
        peak = load.peak(server.port, part["peak"])
        alone = load.peak(server.port, part["alone"], connections=1)
        latency = load.latency(server.port, rate, max(1.0, seconds - sum(part.values())))
    return {
        "peak_rps": peak["requests_per_second"],
        "alone_p50_ms": alone["p50_ms"],
        **{name: value for name, value in latency.items() if name.startswith("p")},
    }
