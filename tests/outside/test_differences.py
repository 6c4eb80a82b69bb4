"""swiss answers as the original did, but for the table in docs/differences.md.

The table is the specification: a difference that is not in it fails, and so
does a line of it that is no longer true.
"""

import re

import pytest

from conftest import REPOSITORY
from wire import MATRIX, METHODS, TARGETS, exchange

DOCUMENT = REPOSITORY / "docs/differences.md"


def documented() -> dict[tuple[str, str], tuple[str, str]]:
    """What the table says of a method and a target: the original's answer, and swiss's."""
    differences = {}
    for line in DOCUMENT.read_text().splitlines():
        cells = [re.findall(r"`([^`]+)`", cell) for cell in line.strip("|").split("|")]
        if not line.startswith("|") or not any(cells):
            continue
        methods, targets, (original,), (swiss,), _why = cells
        for method in methods or METHODS:
            for target in targets or TARGETS:
                assert (method, target) in MATRIX, f"{method} {target} is never asked"
                assert (method, target) not in differences, f"{method} {target} is listed twice"
                differences[method, target] = (original, swiss)
    return differences


@pytest.fixture(scope="module")
def answers(original, swiss):
    """Both answers to every request."""
    return {
        request: (exchange(original.url, *request), exchange(swiss.url, *request))
        for request in MATRIX
    }


def differ(original, swiss) -> bool:
    return (str(original), original.content) != (str(swiss), swiss.content)


def test_every_difference_from_the_original_is_documented(answers):
    unlisted = [
        f"{method} {target}: original {was}, {was.content!r}; swiss {now}, {now.content!r}"
        for (method, target), (was, now) in answers.items()
        if differ(was, now) and documented().get((method, target)) != (str(was), str(now))
    ]
    assert not unlisted, "\n".join([f"not as in {DOCUMENT.name}:", *unlisted])


def test_every_documented_difference_still_occurs(answers):
    outdated = [
        f"{method} {target}: both answer {answers[method, target][1]}"
        for method, target in documented()
        if not differ(*answers[method, target])
    ]
    assert not outdated, "\n".join([f"no longer as in {DOCUMENT.name}:", *outdated])


def test_the_two_routes_answer_as_the_original_does(answers):
    for request in [("GET", "/will"), ("HEAD", "/will"), ("GET", "/ready"), ("HEAD", "/ready")]:
        was, now = answers[request]
        assert not differ(was, now), f"{request}: original {was}, swiss {now}"
        assert was.header("content-length") == now.header("content-length"), request
