"""Measures memory: of the first server, of one more, under load, and after many requests."""

import contextlib
from random import Random

from . import load, order
from .peers import Peer
from .server import Server

REPLICAS = 4
# Concurrent clients of the load after which memory is read.
CLIENTS = 100


def measure(peers: list[Peer], runs: int, random: Random) -> dict:
    found: dict = {peer.name: [] for peer in peers}
    for turns in order.shuffled(peers, runs, random):
        for peer in turns:
            found[peer.name].append(_of(peer))
    return found


def _of(peer: Peer) -> dict:
    """The memory of the first server, of one more, which shares the program's pages with
    the others as on a node, and the growth of the first under load."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server(peer))]
        alone = _pss(servers)
        servers += [stack.enter_context(Server(peer)) for _ in range(REPLICAS)]
        more = (_pss(servers) - alone) / REPLICAS
        before = servers[0].pss_bytes()
        load.peak(servers[0].port, 1, connections=CLIENTS)
        loaded = servers[0].pss_bytes()
    return {
        "first_mib": alone / 2**20,
        "replica_mib": more / 2**20,
        "loaded_growth_mib": (loaded - before) / 2**20,
    }


def growth(peer: Peer, requests: int, runs: int) -> list[dict]:
    """The growth of a warm server's memory over at least `requests` requests, in each run."""
    return [_growth(peer, requests) for _ in range(runs)]


def _growth(peer: Peer, requests: int) -> dict:
    with Server(peer) as server:
        rate = load.peak(server.port, 2)["requests_per_second"]
        before = server.pss_bytes()
        served = 0.0
        while served < requests:
            seconds = max(1.0, (requests - served) / rate)
            served += load.peak(server.port, seconds)["requests_per_second"] * round(seconds)
        after = server.pss_bytes()
    return {"requests": round(served), "growth_kib": (after - before) / 1024}


def _pss(servers: list[Server]) -> int:
    return sum(server.pss_bytes() for server in servers)
