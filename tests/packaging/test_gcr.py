"""Pushes to gcr.io over TLS, as a user does. A proxy connects to a server on this machine."""

import json
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from registry import Registry
from relay import Proxy

IMAGE = "gcr.io/my-project/swiss:v1"


@pytest.fixture(scope="module")
def authority():
    """A certificate authority that only these tests trust."""
    return trustme.CA()


@pytest.fixture
def to_gcr(push, authority, tmp_path):
    """Pushes to gcr.io, whose connections go to an address on this machine."""
    certificates = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(certificates)

    def push_to(address: str, *arguments: str, trusted: bool = True) -> subprocess.CompletedProcess:
        environment = {"SSL_CERT_FILE": str(certificates)} if trusted else {}
        with Proxy(address) as proxy:
            result = push(
                *arguments, IMAGE, HTTPS_PROXY=f"http://{proxy.address}", NO_PROXY="", **environment
            )
            assert proxy.asked_for == {"gcr.io:443"}
        return result

    return push_to


@pytest.fixture
def gcr(authority, tmp_path):
    """A registry with a certificate for gcr.io."""
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    certificate = authority.issue_cert("gcr.io")
    certificate.cert_chain_pems[0].write_to_path(chain)
    certificate.private_key_pem.write_to_path(key)
    registry = Registry(tmp_path / "gcr", tls=(chain, key))
    yield registry
    registry.stop()


def test_gcr_io_accepts_the_artifact(to_gcr, gcr):
    pushed = to_gcr(gcr.address)
    assert (pushed.returncode, pushed.stderr) == (0, "")
    assert "--set image.repository=gcr.io/my-project/swiss \\\n" in pushed.stdout
    assert gcr.tags("my-project/swiss") == ["v1"]


def test_a_certificate_of_an_unknown_authority_is_not_trusted(to_gcr, gcr):
    refused = to_gcr(gcr.address, trusted=False)
    assert refused.returncode == 1
    assert "certificate" in refused.stderr
    assert gcr.tags("my-project/swiss") == []


def test_nothing_is_sent_to_another_machine_without_tls(to_gcr, registry):
    refused = to_gcr(registry.address)
    assert refused.returncode == 1
    assert registry.tags("my-project/swiss") == []


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (404, "NAME_UNKNOWN", 'Repository "gcr.io" not found'),
        (
            403,
            "DENIED",
            "gcr.io repo does not exist. Creating on push requires the "
            "artifactregistry.repositories.createOnPush permission",
        ),
    ],
)
def test_the_error_for_a_missing_repository_has_the_command_that_creates_it(
    to_gcr, authority, status, code, message
):
    with artifact_registry(authority, status, code, message) as address:
        refused = to_gcr(address)
    assert (refused.returncode, refused.stderr) == (
        1,
        f"error: gcr.io has no repository for gcr.io/my-project/swiss ({message}): run "
        "`gcloud artifacts repositories create gcr.io --repository-format=docker "
        "--location=us --project=my-project`\n",
    )


class artifact_registry:  # noqa: N801, read as a function
    """A server that answers a push as Artifact Registry does if the repository is missing."""

    def __init__(self, authority: trustme.CA, status: int, code: str, message: str):
        refusal = json.dumps({"errors": [{"code": code, "message": message}]}).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status_, content = (200, b"{}") if self.path == "/v2/" else (status, refusal)
                self.send_response(status_)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815

            def log_message(self, *_) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("gcr.io").configure_cert(context)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return "{}:{}".format(*self._server.server_address)

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()
