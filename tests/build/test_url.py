"""`make test-url` tests the contract at any address."""

import re
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import trustme

from relay import Relay
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


class TlsRelay(Relay):
    """Ends TLS in front of a server."""

    def __init__(self, to: str, context: ssl.SSLContext):
        super().__init__(to)
        self._server = context.wrap_socket(self._server, server_side=True)


@pytest.fixture
def secure(host, tmp_path):
    """The host's address over TLS, and the file of the authority that vouches for it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    certificates = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(certificates)
    with TlsRelay(host.removeprefix("http://"), context) as relay:
        yield "https://localhost:" + relay.address.rpartition(":")[2], str(certificates)


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
