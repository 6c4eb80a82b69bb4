"""The order in which a round measures: another one in each round, so that the place
in a round is no advantage, and the same ones for the same seed."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def shuffled(things: Sequence[T], rounds: int, random: Random) -> Iterator[list[T]]:
    for _ in range(rounds):
        yield random.sample(things, len(things))
