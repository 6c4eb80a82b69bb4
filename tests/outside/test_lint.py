"""httplint finds no problem in any response."""

import time

import pytest
from httplint import HttpRequestLinter, HttpResponseLinter, levels

from wire import MATRIX, Response, exchange

# The notes of httplint that are accepted, each with the reason.
ACCEPTED = {
    # Caches may guess how long a response without Cache-Control is fresh. The
    # original sends none either, and there is no Last-Modified to guess from
    # (RFC 9111 section 4.2.2).
    ("FRESHNESS_HEURISTIC", "200 application/json"),
}


@pytest.fixture(scope="module")
def reported(swiss):
    """The notes of httplint, by (note, response), with the requests that they are about."""
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


def test_httplint_reports_only_accepted_notes(reported):
    new = {key: requests for key, requests in reported.items() if key not in ACCEPTED}
    lines = [f"{key}:\n  " + "\n  ".join(requests) for key, requests in new.items()]
    assert not new, "\n".join(["expected only accepted notes of httplint, got:", *lines])


def test_httplint_reports_every_accepted_note(reported):
    gone = ACCEPTED - set(reported)
    assert not gone, f"expected httplint to report {gone}: remove from ACCEPTED what it does not"
