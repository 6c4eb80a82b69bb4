"""HTTP/1.1 exchanges on a raw socket, and the requests that the suites send.

A client library normalizes the request (path, method) and hides parts of the response
(chunks, content after HEAD). The suites test exactly these.
"""

import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 10

METHODS = (
    "GET",
    "HEAD",
    "OPTIONS",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "TRACE",
    "BREW",  # not registered
)

TARGETS = (
    "/will",
    "/ready",
    "/will?x=1",
    "/ready?",
    # Close to a known path: some servers and frameworks accept these.
    "/will/",
    "/ready/",
    "//will",
    "/will//",
    "/./will",
    "/x/../will",
    "/%77ill",
    "/will%2F",
    "/will%3Fx=1",
    "/will%20",
    "/will;x=1",
    "/WILL",
    "/Ready",
    # Not close to a known path.
    "/",
    "/unknown",
    "/will/x",
    "/x?/will",
)

MATRIX = [(method, target) for method in METHODS for target in TARGETS]


@dataclass(frozen=True)
class Response:
    """An undecoded response: `content` is every byte after the headers."""

    status: int
    headers: tuple[tuple[str, str], ...]
    content: bytes

    def header(self, name: str) -> str | None:
        """The value of the field `name` (lower case), None if the response has none."""
        values = [value for field, value in self.headers if field == name]
        return ", ".join(values) if values else None

    def __str__(self) -> str:
        """Status and media type: `200 application/json`, or `200` without content."""
        return f"{self.status} {self.header('content-type') or ''}".strip()


def exchange(url: str, method: str, target: str) -> Response:
    """Sends one request to the server at `url` and reads until it closes the connection."""
    host = urlsplit(url).netloc
    request = f"{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port or 80)), TIMEOUT_SECONDS) as connection:
        connection.sendall(request.encode("ascii"))
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, end, content = received.partition(b"\r\n\r\n")
    start, *fields = head.decode("latin-1").split("\r\n")
    status = re.match(r"HTTP/1\.[01] (\d{3}) ", start)
    assert status and end, f"{method} {target}: expected an HTTP response, got {received!r}"
    headers = tuple(
        (name.lower(), value.strip()) for name, _, value in (f.partition(":") for f in fields)
    )
    return Response(int(status[1]), headers, content)
