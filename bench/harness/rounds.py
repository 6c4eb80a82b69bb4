"""Throughput and latency: all peers in turn, round by round, each time from a
new start, so that no other server is there to disturb it."""

import sys

from . import load, machine
from .peers import Peer
from .server import Server

# Of a peer's turn: how much of it is warm-up, peak, one connection; latency has the rest.
WARM_UP, PEAK, ALONE = 0.15, 0.3, 0.15
# The least that wrk measures in.
SHORTEST = 1.0


def fixed_rate(peers: list[Peer]) -> int:
    """Half of the peak of the slower Flask: a load that all of them bear."""
    slowest = []
    for peer in peers:
        with Server(peer) as server:
            load.peak(server.port, 1)
            slowest.append(load.peak(server.port, 2)["requests_per_second"])
    return max(100, round(min(slowest) / 2 / 100) * 100)


def measure(peers: list[Peer], count: int, turn_seconds: float, rate: int) -> dict:
    """For each peer the figures of each round, and the machine's pace in each."""
    found = {peer.name: [] for peer in peers}
    pace = []
    for index in range(count):
        pace.append(machine.pace())
        # Another order each time: who comes after whom is no advantage.
        shift = index * 3 % len(peers)
        for peer in peers[shift:] + peers[:shift]:
            print(f"\rround {index + 1} of {count}: {peer.label:<40}", end="", file=sys.stderr)
            found[peer.name].append(_turn(peer, turn_seconds, rate))
    print(file=sys.stderr)
    return {"peers": found, "pace_ms": pace}


def _turn(peer: Peer, seconds: float, rate: int) -> dict:
    part = {"warm": WARM_UP * seconds, "peak": PEAK * seconds, "alone": ALONE * seconds}
    part = {name: max(SHORTEST, value) for name, value in part.items()}
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
