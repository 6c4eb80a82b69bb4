"""Measures the time from exec to the first 200, with a request every half a millisecond."""

import shutil
from random import Random

from . import order
from .peers import Peer
from .server import CACHE, Server


def measure(peers: list[Peer], count: int, random: Random) -> dict:
    """The milliseconds of each start, with the peers in turn. A cold start compiles; a
    warm start finds the compiled code in the cache."""
    found = {peer.name: {"cold_ms": [], "warm_ms": []} for peer in peers}
    for turns in order.shuffled(peers, count, random):
        for peer in turns:
            if peer.compiles:
                shutil.rmtree(CACHE, ignore_errors=True)
                found[peer.name]["cold_ms"].append(_start(peer))
            found[peer.name]["warm_ms"].append(_start(peer))
    return found


def _start(peer: Peer) -> float:
    with Server(peer) as server:
        return server.start_seconds * 1e3
