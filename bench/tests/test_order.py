"""Every measurement in turns measures all peers in each round, in a shuffled order."""

from random import Random

import pytest

from harness import __main__ as main
from harness import machine, memory, order, rounds, startup, work
from harness.peers import Peer

NAMES = list("abcdefghi")
PEERS = [Peer(name, name, ()) for name in NAMES]
ROUNDS = 5


def shuffled(seed: int) -> list[list[str]]:
    return list(order.shuffled(NAMES, ROUNDS, Random(seed)))


def test_each_round_has_everything_once():
    assert [sorted(turns) for turns in shuffled(1)] == [NAMES] * ROUNDS


def test_a_seed_stands_for_its_orders():
    assert shuffled(1) == shuffled(1)
    assert shuffled(1) != shuffled(2)


def test_rounds_have_different_orders_and_not_only_different_beginnings():
    rotations = {tuple(NAMES[at:] + NAMES[:at]) for at in range(len(NAMES))}
    orders = {tuple(turns) for turns in shuffled(1)}
    assert len(orders) == ROUNDS
    assert not orders & rotations


def measure_rounds(record, monkeypatch):
    monkeypatch.setattr(machine, "pace", lambda: 1.0)
    monkeypatch.setattr(rounds, "_turn", lambda peer, *_: record(peer.name))
    rounds.measure(PEERS, ROUNDS, 1, 100, Random(1))


def measure_starts(record, monkeypatch):
    monkeypatch.setattr(startup, "_start", lambda peer: record(peer.name))
    startup.measure(PEERS, ROUNDS, Random(1))


def measure_memory(record, monkeypatch):
    monkeypatch.setattr(memory, "_of", lambda peer: record(peer.name))
    memory.measure(PEERS, ROUNDS, Random(1))


def probe(record, monkeypatch):
    monkeypatch.setattr(work, "probe", lambda _, file: record(file))
    main._probe("compile", {name: name for name in NAMES}, ROUNDS, Random(1))


@pytest.mark.parametrize("measure", [measure_rounds, measure_starts, measure_memory, probe])
def test_a_measurement_follows_the_seed(measure, monkeypatch):
    measured: list[str] = []
    measure(measured.append, monkeypatch)
    assert measured == [name for turns in shuffled(1) for name in turns]
