"""Waits for a condition, with a deadline."""

import time
from collections.abc import Callable


class TooLate(Exception):
    """A condition was not met in time."""


def until(what: str, check: Callable, *, seconds: float, every: float = 0.1):
    """The first true result of `check`; `what` names the condition in the error."""
    deadline = time.monotonic() + seconds
    while not (result := check()):
        if time.monotonic() > deadline:
            raise TooLate(f"Timed out after {seconds} s: waited until {what}.")
        time.sleep(every)
    return result
