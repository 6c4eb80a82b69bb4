"""`make test-url` tests the contract at any address."""

import asyncio
import contextlib
import re
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import trustme

from repository import REPOSITORY
from server import Server
from verbs import run


@pytest.fixture(scope="module")
def host():
    server = Server("host", [REPOSITORY / "target/release/swiss-host", "--listen", "127.0.0.1:0"])
    yield server.url
    server.stop()


def ran(done) -> list[str]:
    return re.findall(r"^test (\S+) \.\.\. ok$", done.stdout, re.MULTILINE)


def test_the_contract_holds_over_http(host):
    done = run("test-url", f"URL={host}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Compiling wasmtime" not in done.stderr
    assert len(ran(done)) == 12


def test_what_a_proxy_may_answer_is_left_out_on_request(host):
    done = run("test-url", f"URL={host}/", "PROXY=1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(ran(done)) == 7 and not [test for test in ran(done) if "direct" in test]


class TlsServer:
    """Ends TLS in front of the server at `to`, which is a host and a port."""

    def __init__(self, to: tuple[str, str], context: ssl.SSLContext):
        self._to = to
        self._loop = asyncio.new_event_loop()
        started = asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self._server = self._loop.run_until_complete(started)
        self.port = self._server.sockets[0].getsockname()[1]

    def __enter__(self):
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._server.close()
        open_ends = asyncio.all_tasks(self._loop)
        for end in open_ends:
            end.cancel()
        if open_ends:
            self._loop.run_until_complete(asyncio.wait(open_ends))
        self._loop.close()

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter):
        host, to_host = await asyncio.open_connection(*self._to)
        ends = [self._forward(client, to_host), self._forward(host, to_client)]
        tasks = [asyncio.create_task(end) for end in ends]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        to_host.close()
        to_client.close()

    async def _forward(self, source: asyncio.StreamReader, target: asyncio.StreamWriter):
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                target.write(data)
                await target.drain()


@pytest.fixture
def secure(host, tmp_path):
    """The host's address over TLS, and the file of the authority that vouches for it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    certificates = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(certificates)
    name, port = host.removeprefix("http://").split(":")
    with TlsServer((name, port), context) as server:
        yield f"https://localhost:{server.port}", str(certificates)


def test_the_contract_holds_over_https(secure):
    url, certificates = secure
    done = run("test-url", f"URL={url}", SSL_CERT_FILE=certificates)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(ran(done)) == 12


def test_a_certificate_that_is_not_trusted_is_one_error(secure):
    url, _ = secure
    done = run("test-url", f"URL={url}")
    assert done.returncode == 2
    (error,) = re.findall("^error: no test was run: (.*)$", done.stderr, re.MULTILINE)
    assert "no TLS with localhost:" in error and "certificate" in error
    assert "poisoned" not in done.stdout + done.stderr


def test_a_server_that_cannot_be_reached_is_one_error():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        done = run("test-url", f"URL=http://{address}")
    assert done.returncode == 2
    (error,) = re.findall("^error: no test was run: (.*)$", done.stderr, re.MULTILINE)
    assert error.startswith(f"cannot connect to {address}: ")
    assert "poisoned" not in done.stdout + done.stderr


class Other(BaseHTTPRequestHandler):
    """Answers every GET with the greeting."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "14")
        self.end_headers()
        self.wfile.write(b'"Hello World"\n')

    def log_message(self, *_):
        pass


def test_a_server_that_breaks_the_contract_fails():
    with HTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        done = run("test-url", f"URL=http://127.0.0.1:{other.server_port}")
        other.shutdown()
    assert done.returncode == 2
    assert "test the_greeting_has_14_bytes ... ok" in done.stdout
    assert "test get_answers_with_json ... FAILED" in done.stdout
