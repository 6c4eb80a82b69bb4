"""swiss answers as the reconstructed original does, except for a table in
docs/differences.md. test_original.py says what is reconstructed, and from what.

The table is the specification: a difference that is not in the table fails the test,
and so does a line of the table that is no longer true.
"""

import re

import pytest

from page import rows
from wire import MATRIX, METHODS, TARGETS, exchange

SECTION = "What the application decides"


def documented() -> dict[tuple[str, str], tuple[str, str]]:
    """The table, by method and target: the original's answer, and swiss's."""
    differences = {}
    for row in rows(SECTION):
        cells = [re.findall(r"`([^`]+)`", cell) for cell in row]
        methods, targets, (original,), (swiss,), _why = cells
        assert original != swiss, f"expected a difference in each line of the table, got {row}"
        for method in methods or METHODS:
            for target in targets or TARGETS:
                assert (method, target) in MATRIX, f"no test sends {method} {target}"
                assert (method, target) not in differences, f"{method} {target} is listed twice"
                differences[method, target] = (original, swiss)
    return differences


@pytest.fixture(scope="module")
def answers(original, swiss):
    """Both servers' answers to every request."""
    return {
        request: (exchange(original.url, *request), exchange(swiss.url, *request))
        for request in MATRIX
    }


def test_swiss_differs_from_the_original_exactly_as_documented(answers):
    table = documented()
    wrong = []
    for (method, target), (original, swiss) in answers.items():
        if listed := table.get((method, target)):
            expected, found = listed, (str(original), str(swiss))
            what = "the difference in docs/differences.md"
        else:
            expected, found = ((str(answer), answer.content) for answer in (original, swiss))
            what = "the answer of the original"
        if found != expected:
            wrong.append(f"{method} {target}: expected {what}, {expected}, got {found}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/will", "/ready"])
def test_the_two_routes_answer_as_the_original_does(answers, method, path):
    original, swiss = (
        (str(answer), answer.header("content-length"), answer.content)
        for answer in answers[method, path]
    )
    assert swiss == original, f"{method} {path}: expected {original}, got {swiss}"
