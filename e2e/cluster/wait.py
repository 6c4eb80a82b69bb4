"""Waiting for something, with a deadline."""

import time
from collections.abc import Callable


class TooLate(Exception):
    """Something did not come true in time."""


def until(what: str, check: Callable, *, seconds: float, every: float = 0.1):
    """The first result of `check` that is true; `what` says it in the error."""
    deadline = time.monotonic() + seconds
    while not (result := check()):
        if time.monotonic() > deadline:
            raise TooLate(f"Waited {seconds} s until {what}, and they were not enough.")
        time.sleep(every)
    return result
