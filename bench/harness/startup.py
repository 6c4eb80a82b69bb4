"""From exec to the first 200, asked for every half a millisecond."""

import shutil

from .peers import Peer
from .server import CACHE, Server


def measure(peers: list[Peer], count: int) -> dict:
    """Milliseconds of each start, in turn: cold where a peer has to compile,
    warm where it finds what it compiled."""
    found = {peer.name: {"cold_ms": [], "warm_ms": []} for peer in peers}
    for _ in range(count):
        for peer in peers:
            if peer.compiles:
                shutil.rmtree(CACHE, ignore_errors=True)
                found[peer.name]["cold_ms"].append(_start(peer))
            found[peer.name]["warm_ms"].append(_start(peer))
    return found


def _start(peer: Peer) -> float:
    with Server(peer) as server:
        return server.start_seconds * 1e3
