"""How `make push` reaches a registry: with or without TLS, proxies and authorities."""

import base64
import datetime
import json
import socket
import ssl
import subprocess

import pytest
import trustme

from conftest import PUSH, clean_environment
from registry import Registry
from relay import Proxy, Relay
from repository import REPOSITORY
from scripted import Scripted

LOGIN = base64.b64encode(b"user:secret").decode()
# A proxy that nobody runs.
DEAD = "http://127.0.0.1:1"


def login(address: str) -> dict:
    return {"auths": {address: {"auth": LOGIN}}}


@pytest.fixture
def push_at_home(push, tmp_path):
    """Pushes with a home of its own, in which the test writes files."""

    def run(*arguments, **environment) -> subprocess.CompletedProcess:
        return push(*arguments, **({"HOME": str(tmp_path), "XDG_CONFIG_HOME": ""} | environment))

    return run


# Plain HTTP


@pytest.mark.parametrize("host", ["localhost", "k3d-registry.localhost", "127.0.0.1"])
def test_a_registry_on_loopback_needs_no_tls(push, closed_registry, host):
    address = f"{host}:{closed_registry.address.split(':')[1]}"
    pushed = push(f"{address}/swiss:v1", credentials=login(address))
    assert (pushed.returncode, pushed.stderr) == (0, "")
    assert pushed.stdout.count(f"{address}/swiss@sha256:") == 1
    assert closed_registry.tags("swiss") == ["v1"]


@pytest.fixture
def push_with_name(tmp_path):
    """Pushes on a machine whose /etc/hosts has `registry.test` for an address."""

    def run(address: str, image: str, **environment) -> subprocess.CompletedProcess:
        hosts = tmp_path / "hosts"
        hosts.write_text(f"127.0.0.1 localhost\n{address} registry.test\n")
        script = 'mount --bind "$0" /etc/hosts && exec "$@"'
        namespace = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, hosts]
        if subprocess.run([*namespace, "true"], capture_output=True).returncode:
            pytest.skip("this machine does not let tests mount files in a namespace")
        return subprocess.run(
            [*namespace, PUSH, image],
            cwd=REPOSITORY,
            env=clean_environment() | environment,
            capture_output=True,
            text=True,
        )

    return run


def test_a_name_of_loopback_needs_no_tls(push_with_name, fresh_registry):
    port = fresh_registry.address.split(":")[1]
    pushed = push_with_name("127.0.0.1", f"registry.test:{port}/swiss:v1", HTTP_PROXY=DEAD)
    assert (pushed.returncode, pushed.stderr) == (0, "")
    assert fresh_registry.tags("swiss") == ["v1"]


def test_a_name_of_another_machine_needs_tls(push_with_name, fresh_registry):
    with Proxy(fresh_registry.address) as proxy:
        image = "registry.test:5000/swiss:v1"
        refused = push_with_name("192.0.2.1", image, HTTPS_PROXY=f"http://{proxy.address}")
    assert proxy.asked_for == {"registry.test:5000"}
    assert "it does not speak TLS: if you trust the network up to it, set PLAIN_HTTP=1\n" in (
        refused.stderr
    )


def test_plain_http_is_allowed_by_name(push_with_name, fresh_registry):
    # An address of this machine that is not on loopback, if there is one.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has only loopback")
        own = probe.getsockname()[0]
    with Relay(fresh_registry.address, own) as relay:
        image = f"registry.test:{relay.address.split(':')[1]}/swiss:v1"
        refused = push_with_name(own, image, NO_PROXY="*")
        assert refused.returncode == 1
        assert "PLAIN_HTTP=1" in refused.stderr
        # Without TLS a proxy would see the credential.
        pushed = push_with_name(own, image, PLAIN_HTTP="1", HTTP_PROXY=DEAD, NO_PROXY="")
        assert (pushed.returncode, pushed.stderr) == (0, "")


def test_a_wrong_word_in_plain_http_is_refused(push):
    refused = push("ghcr.io/me/swiss:v1", PLAIN_HTTP="maybe")
    assert refused.stderr == (
        "error: PLAIN_HTTP=maybe is neither 1, for a registry without TLS, nor 0\n"
    )


# Proxies


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "registry.localhost"])
@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"])
def test_loopback_is_never_reached_through_a_proxy(push, closed_registry, host, name):
    address = f"{host}:{closed_registry.address.split(':')[1]}"
    with Scripted(lambda *_: (200, {}, b"")) as proxy:
        url = f"http://{proxy.address}"
        environment = {name: url, name.lower(): url, "NO_PROXY": "", "no_proxy": ""}
        pushed = push(f"{address}/swiss:v1", credentials=login(address), **environment)
    assert proxy.requests == []
    assert (pushed.returncode, pushed.stderr) == (0, "")


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_another_machine_is_reached_through_the_proxy(push, fresh_registry, name):
    with Proxy(fresh_registry.address) as proxy:
        push("ghcr.io/me/swiss:v1", **{name: f"http://me:pass@{proxy.address}", "NO_PROXY": ""})
    assert proxy.asked_for == {"ghcr.io:443"}


def test_the_password_of_a_proxy_is_not_printed(push):
    url = "http://me:my-password@127.0.0.1:1"
    refused = push("ghcr.io/me/swiss:v1", HTTPS_PROXY=url, NO_PROXY="")
    assert refused.returncode == 1
    assert "my-password" not in refused.stderr


# TLS


@pytest.fixture(scope="module")
def authority():
    """A certificate authority that only these tests trust."""
    return trustme.CA()


@pytest.fixture
def tls_registry(authority, tmp_path):
    """A registry on loopback with a certificate, which requires a login."""
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(chain)
    certificate.private_key_pem.write_to_path(key)
    registry = Registry(tmp_path / "tls", closed=True, tls=(chain, key))
    yield registry
    registry.stop()


CERTS = [".docker/certs.d", ".config/containers/certs.d", ".config/docker/certs.d"]


@pytest.mark.parametrize("folder", CERTS)
def test_an_authority_is_trusted_for_its_registry(
    push_at_home, tls_registry, authority, tmp_path, folder
):
    address = tls_registry.address
    file = tmp_path / folder / address / "own.crt"
    file.parent.mkdir(parents=True)
    authority.cert_pem.write_to_path(file)
    pushed = push_at_home(f"{address}/swiss:v1", credentials=login(address))
    assert (pushed.returncode, pushed.stderr) == (0, "")
    assert tls_registry.tags("swiss") == ["v1"]


@pytest.mark.parametrize("folder", ["/etc/docker/certs.d", "/etc/containers/certs.d"])
def test_an_authority_of_the_machine_is_trusted(tls_registry, authority, tmp_path, folder):
    file = tmp_path / "etc" / folder.removeprefix("/etc/") / tls_registry.address / "ca.crt"
    file.parent.mkdir(parents=True)
    authority.cert_pem.write_to_path(file)
    # This /etc has no authorities of the system.
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    auth = tmp_path / "auth.json"
    auth.write_text(json.dumps(login(tls_registry.address)))
    script = 'mount --bind "$0" /etc && exec "$@"'
    namespace = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]
    if subprocess.run([*namespace, tmp_path / "etc", "true"], capture_output=True).returncode:
        pytest.skip("this machine does not let tests mount folders in a namespace")
    pushed = subprocess.run(
        [*namespace, tmp_path / "etc", PUSH, f"{tls_registry.address}/swiss:v1"],
        cwd=REPOSITORY,
        env=clean_environment() | {"REGISTRY_AUTH_FILE": str(auth), "SSL_CERT_FILE": str(other)},
        capture_output=True,
        text=True,
    )
    assert (pushed.returncode, pushed.stderr) == (0, "")


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_an_authority_of_the_environment_is_trusted(
    push, tls_registry, authority, tmp_path, variable
):
    folder = tmp_path / "authorities"
    folder.mkdir()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    value = folder if variable == "SSL_CERT_DIR" else folder / "ca.pem"
    address = tls_registry.address.replace("127.0.0.1", "localhost")
    pushed = push(f"{address}/swiss:v1", credentials=login(address), **{variable: str(value)})
    assert (pushed.returncode, pushed.stderr) == (0, "")


def test_the_error_for_an_unknown_authority_says_where_to_put_it(push, tls_registry):
    address = tls_registry.address
    refused = push(f"{address}/swiss:v1", credentials=login(address))
    assert (refused.returncode, refused.stderr) == (
        1,
        f"error: {address} did not take {address}/swiss; nothing was tagged: its certificate is "
        "not trusted (invalid peer certificate: UnknownIssuer): if you know its authority, put "
        f"the authority's certificate at ~/.docker/certs.d/{address}/ca.crt or "
        f"/etc/docker/certs.d/{address}/ca.crt, or set SSL_CERT_FILE to it\n",
    )


def test_a_certificate_for_another_name_is_explained(push, tls_registry, authority, tmp_path):
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with Relay(tls_registry.address, "127.0.0.2") as relay:
        refused = push(f"{relay.address}/swiss:v1", SSL_CERT_FILE=str(tmp_path / "ca.pem"))
    assert refused.returncode == 1
    assert "certificate not valid for name" in refused.stderr
    assert "push to a name that it has" in refused.stderr


def test_an_expired_certificate_is_explained(push, authority, tmp_path):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    expired = authority.issue_cert("127.0.0.1", not_before=past, not_after=past)
    expired.configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with Scripted(lambda *_: (200, {}, b"{}"), context) as server:
        refused = push(f"{server.address}/swiss:v1", SSL_CERT_FILE=str(tmp_path / "ca.pem"))
    assert refused.returncode == 1
    assert refused.stderr.endswith("): renew it, or set this machine's clock\n")


def test_an_authority_s_own_certificate_is_explained(push, authority, tmp_path):
    # As the `openssl req -x509` of many instructions makes it.
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.private_key_pem.write_to_path(tmp_path / "key.pem")
    context.load_cert_chain(tmp_path / "ca.pem", tmp_path / "key.pem")
    with Scripted(lambda *_: (200, {}, b"{}"), context) as server:
        refused = push(f"{server.address}/swiss:v1", SSL_CERT_FILE=str(tmp_path / "ca.pem"))
    assert refused.returncode == 1
    assert "give the registry one with `basicConstraints=CA:FALSE`\n" in refused.stderr


def test_a_file_that_is_no_certificate_is_named(push_at_home, tls_registry, tmp_path):
    file = tmp_path / ".docker/certs.d" / tls_registry.address / "ca.crt"
    file.parent.mkdir(parents=True)
    file.write_text("garbage")
    refused = push_at_home(f"{tls_registry.address}/swiss:v1")
    assert refused.stderr == f"error: {file} is no certificate in PEM\n"


@pytest.mark.parametrize("has_own", [False, True], ids=["none", "the registry's"])
def test_a_machine_without_authorities_is_told_what_to_install(
    push_at_home, tls_registry, authority, tmp_path, has_own
):
    address = tls_registry.address
    if has_own:
        file = tmp_path / ".docker/certs.d" / address / "ca.crt"
        file.parent.mkdir(parents=True)
        authority.cert_pem.write_to_path(file)
    refused = push_at_home(
        f"{address}/swiss:v1",
        credentials=login(address),
        SSL_CERT_FILE="/no",
        SSL_CERT_DIR="/no",
    )
    assert refused.returncode == 1
    assert "install the package ca-certificates, or set SSL_CERT_FILE to a file" in refused.stderr


def test_a_registry_that_wants_a_client_certificate_is_explained(push, authority, tmp_path):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with Scripted(lambda *_: (200, {}, b"{}"), context) as server:
        refused = push(f"{server.address}/swiss:v1", SSL_CERT_FILE=str(tmp_path / "ca.pem"))
    assert refused.returncode == 1
    assert "it may want a client certificate, which this tool cannot send\n" in refused.stderr


# Registries that do not answer as the specification says


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, {"Content-Type": "text/html"}, b"<html>Hi</html>"), "which no registry does"),
        ((401, {}, b""), "not how to log in (no WWW-Authenticate)"),
        ((401, {"WWW-Authenticate": "%%"}, b""), "another method than Basic or Bearer"),
        ((401, {"WWW-Authenticate": "Negotiate"}, b""), "another method than Basic or Bearer"),
        ((401, {"WWW-Authenticate": "Bearer realm=x"}, b""), "does not say where to get it"),
        ((404, {}, b"no"), "it answers 404 Not Found to http://"),
        ((429, {}, b""), "it has too many requests; push again later"),
        ((503, {}, b"<html>down</html>"), "it answers 503, a fault of its own"),
    ],
)
def test_a_server_that_is_no_registry_is_explained(push, answer, words):
    with Scripted(lambda *_: answer) as server:
        refused = push(f"{server.address}/swiss:v1", credentials=login(server.address))
        assert LOGIN not in server.sent()
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert words in refused.stderr


@pytest.mark.parametrize(
    ("method", "answer", "words"),
    [
        ("HEAD", (429, {}, b""), "it has too many requests; push again later"),
        ("HEAD", (500, {}, b""), "it answers 500, a fault of its own"),
        ("POST", (202, {}, b""), "it does not answer as a registry does"),
        ("POST", (202, {"Location": "no address"}, b""), "it does not answer as a registry does"),
        ("POST", (502, {}, b"<html>\nno\n</html>"), "it answers 502, a fault of its own"),
        ("POST", (400, {}, b"user\n \x1b[31msecret"), "it answers 400 (user [31m***)"),
        ("PUT", (507, {}, b"full"), "it answers 507, a fault of its own; push again later (full)"),
    ],
)
def test_an_answer_that_ends_the_push_is_explained(push, method, answer, words):
    def script(asked, path):
        if path == "/v2/":
            return 401, {"WWW-Authenticate": "Basic realm=x"}, b""
        if asked == method or (method == "HEAD" and asked == "GET"):
            return answer
        return {
            "HEAD": (404, {}, b""),
            "GET": (404, {}, b""),
            "POST": (202, {"Location": "/upload"}, b""),
        }[asked]

    with Scripted(script) as server:
        refused = push(f"{server.address}/swiss:v1", credentials=login(server.address))
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert f"{server.address}/swiss; nothing was tagged: " in refused.stderr
    assert words in refused.stderr


def test_an_upload_elsewhere_does_not_get_the_credential(push):
    def script(asked, path):
        if path == "/v2/":
            return 401, {"WWW-Authenticate": "Basic realm=x"}, b""
        upload = {"Location": f"http://{other.address}/upload"}
        return (202, upload, b"") if asked == "POST" else (404, {}, b"")

    with Scripted(lambda *_: (500, {}, b"")) as other, Scripted(script) as server:
        push(f"{server.address}/swiss:v1", credentials=login(server.address))
        assert LOGIN in server.sent()
    assert [request[0] for request in other.requests] == ["PUT"]
    assert LOGIN not in other.sent()


def test_a_registry_that_does_not_answer_is_explained(push):
    # Accepts connections, and reads nothing.
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = "{}:{}".format(*server.getsockname())
        refused = push(f"{address}/swiss:v1")
    assert refused.returncode == 1
    assert refused.stderr == (
        f"error: {address} did not take {address}/swiss; nothing was tagged: "
        "it does not answer in time\n"
    )
