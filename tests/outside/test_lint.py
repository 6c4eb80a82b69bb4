"""Every response is good HTTP in the judgement of httplint."""

import time

import pytest
from httplint import HttpRequestLinter, HttpResponseLinter, levels

from wire import MATRIX, Response, exchange

# What httplint minds and we accept, with the reason.
ACCEPTED = {
    # Caches may guess how long a response without Cache-Control is fresh. The
    # original sends none either, and there is no Last-Modified to guess from
    # (RFC 9111 section 4.2.2).
    ("FRESHNESS_HEURISTIC", "200 application/json"),
}


@pytest.fixture(scope="module")
def complaints(swiss):
    """What httplint minds: (note, response) and where it was found."""
    found = {}
    for method, target in MATRIX:
        response = exchange(swiss.url, method, target)
        for note in lint(swiss.url, method, target, response):
            if note.level in (levels.BAD, levels.WARN):
                key = (type(note).__name__, str(response))
                found.setdefault(key, []).append(f"{method} {target}: {note.summary}")
    return found


def lint(url: str, method: str, target: str, response: Response) -> list:
    """httplint's notes on `response`."""
    request = HttpRequestLinter()
    request.process_request_topline(method.encode(), f"{url}{target}".encode(), b"1.1")
    request.process_headers([])
    request.finish_content(True)
    linter = HttpResponseLinter(start_time=time.time(), _related=request)
    linter.is_head_response = method == "HEAD"
    linter.process_response_topline(b"1.1", str(response.status).encode())
    linter.process_headers([(name.encode(), value.encode()) for name, value in response.headers])
    linter.feed_content(response.content)
    linter.finish_content(True)
    return [note for parent in linter.notes for note in (parent, *parent.subnotes)]


def test_httplint_minds_nothing_but_what_is_accepted(complaints):
    news = {key: where for key, where in complaints.items() if key not in ACCEPTED}
    lines = [f"{key}:\n  " + "\n  ".join(where) for key, where in news.items()]
    assert not news, "\n".join(["expected no notes of httplint but those accepted:", *lines])


def test_httplint_still_minds_what_is_accepted(complaints):
    gone = ACCEPTED - set(complaints)
    assert not gone, f"expected httplint to mind {gone}; now that it does not, accept less"
