"""What a host decides before or beside the component, as docs/differences.md lists it.

The embedded host and the original's server are always asked, Spin where `make` finds it.
"""

import re
import socket
from urllib.parse import urlsplit

import pytest

from page import rows
from wire import TIMEOUT_SECONDS

# More than the buffers of a connection hold, which is a few MB.
UPLOAD_BYTES = 20_000_000

# The columns of the table, by the fixture that serves.
COLUMNS = {"original": 1, "embedded_host": 2, "spin": 3}

# No route reads content, so each answers before the content has arrived.
UNREAD = [("GET", "/will", 200), ("POST", "/will", 405), ("PUT", "/unknown", 404)]


@pytest.fixture(params=COLUMNS)
def server(request):
    return request.getfixturevalue(request.param)


def connect(server) -> socket.socket:
    address = urlsplit(server.url)
    return socket.create_connection((address.hostname, address.port), TIMEOUT_SECONDS)


def header(method: str, path: str, *fields: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", *fields, "", ""]).encode()


def announced(method: str, path: str, *fields: str) -> bytes:
    """The header of a request with much content."""
    return header(method, path, "Host: a", f"Content-Length: {UPLOAD_BYTES}", *fields)


def status_of(received: bytes) -> str:
    """The final status, or `closed` if the server sent none."""
    # A server may send 100 first.
    statuses = re.findall(rb"^HTTP/1\.[01] ([2-5]\d\d) ", received, re.MULTILINE)
    return statuses[0].decode() if statuses else "closed"


def get(path: str, *fields: str):
    def ask(server) -> str:
        with connect(server) as connection:
            connection.sendall(header("GET", path, "Connection: close", *fields))
            return status_of(b"".join(iter(lambda: connection.recv(65536), b"")))

    return ask


def upload(server, method: str = "POST", path: str = "/will") -> str:
    """Sends all content before it reads: `reset` if the server does not take it all."""
    with connect(server) as connection:
        try:
            connection.sendall(announced(method, path) + bytes(UPLOAD_BYTES))
        except (BrokenPipeError, ConnectionResetError):
            return "reset"
    return "sent"


REQUESTS = {
    "`GET /will` without `Host`": get("/will"),
    "`GET /will` with an empty `Host`": get("/will", "Host:"),
    "`GET /wä`, not percent-encoded": get("/wä", "Host: a"),
    "`GET /.well-known/spin/health`": get("/.well-known/spin/health", "Host: a"),
    "`GET /.well-known/spin/info`": get("/.well-known/spin/info", "Host: a"),
    "`POST /will` with 20 MB, all sent before the client reads": upload,
}


def documented() -> dict[str, list[str]]:
    return {row[0]: row for row in rows("What the host decides")}


def test_the_table_lists_what_is_tested():
    assert list(documented()) == list(REQUESTS)


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize(("fixture", "column"), COLUMNS.items())
def test_a_host_does_what_the_table_says(request, fixture, column, request_):
    server = request.getfixturevalue(fixture)
    expected = documented()[request_][column]
    assert f"`{REQUESTS[request_](server)}`" == expected


@pytest.mark.parametrize(("method", "path", "_status"), UNREAD)
def test_no_host_takes_all_content_that_nobody_reads(server, method, path, _status):
    assert upload(server, method, path) == "reset"


@pytest.mark.parametrize("fields", [(), ("Expect: 100-continue",)], ids=["early", "expect"])
@pytest.mark.parametrize(("method", "path", "status"), UNREAD)
def test_a_client_that_waits_before_it_sends_content_gets_the_answer(
    server, method, path, status, fields
):
    with connect(server) as connection:
        connection.sendall(announced(method, path, *fields))
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert status_of(received) == str(status), f"{method} {path} was answered with {received!r}"
