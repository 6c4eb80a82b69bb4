"""Where `make push` finds a login: docker's files, podman's files, credential helpers."""

import base64
import json
import os
import subprocess

import pytest

from conftest import PUSH, clean_environment
from repository import REPOSITORY
from scripted import Scripted

LOGIN = base64.b64encode(b"user:secret").decode()
WRONG = base64.b64encode(b"user:wrong").decode()


@pytest.fixture
def push_at_home(tmp_path):
    """Pushes with a home of its own, in which the test writes files."""
    home = tmp_path / "home"
    home.mkdir()

    def run(image: str, **environment) -> subprocess.CompletedProcess:
        return subprocess.run(
            [PUSH, image],
            cwd=REPOSITORY,
            env=clean_environment() | {"HOME": str(home)} | environment,
            capture_output=True,
            text=True,
        )

    run.home = home
    return run


def write(path, content) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize(
    ("file", "variable", "value"),
    [
        (".docker/config.json", None, None),
        ("d/config.json", "DOCKER_CONFIG", "d"),
        ("auth.json", "REGISTRY_AUTH_FILE", "auth.json"),
        ("run/containers/auth.json", "XDG_RUNTIME_DIR", "run"),
        (".config/containers/auth.json", None, None),
        ("c/containers/auth.json", "XDG_CONFIG_HOME", "c"),
    ],
)
def test_a_login_is_found_in_each_file(push_at_home, closed_registry, file, variable, value):
    address = closed_registry.address
    write(push_at_home.home / file, {"auths": {address: {"auth": LOGIN}}})
    environment = {variable: str(push_at_home.home / value)} if variable else {}
    pushed = push_at_home(f"{address}/swiss:v1", **environment)
    assert (pushed.returncode, pushed.stderr) == (0, "")
    assert closed_registry.tags("swiss") == ["v1"]


def test_a_file_without_the_registry_does_not_hide_the_next(push_at_home, closed_registry):
    address, home = closed_registry.address, push_at_home.home
    write(home / "named.json", {"auths": {"ghcr.io": {"auth": WRONG}}})
    write(home / ".docker/config.json", {"auths": {address: {}}})
    write(home / ".config/containers/auth.json", {"auths": {address: {"auth": LOGIN}}})
    named = {"REGISTRY_AUTH_FILE": str(home / "named.json")}
    assert push_at_home(f"{address}/swiss:v1", **named).stderr == ""


def test_the_order_is_the_named_file_docker_podman(push_at_home, closed_registry):
    address, home = closed_registry.address, push_at_home.home
    write(home / ".config/containers/auth.json", {"auths": {address: {"auth": WRONG}}})
    write(home / ".docker/config.json", {"auths": {address: {"auth": LOGIN}}})
    assert push_at_home(f"{address}/swiss:v1").returncode == 0

    write(home / "named.json", {"auths": {address: {"auth": WRONG}}})
    named = {"REGISTRY_AUTH_FILE": str(home / "named.json")}
    assert "does not let you push" in push_at_home(f"{address}/swiss:v2", **named).stderr


@pytest.mark.parametrize(
    "key",
    ["{}", "https://{}", "http://{}/v1/", "https://{}/v2/", "{}/team", "{}/team/swiss"],
)
def test_each_form_of_a_key_is_read(push, closed_registry, key):
    login = {"auths": {key.format(closed_registry.address): {"auth": LOGIN.rstrip("=")}}}
    pushed = push(f"{closed_registry.address}/team/swiss:v1", credentials=login)
    assert (pushed.returncode, pushed.stderr) == (0, "")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{auths", "is not JSON: line 1, column 2"),
        ('{"auths": {"gcr.io": {"auth": "c2VjcmV0"}', "is not JSON: line 1, column 41"),
        ('{"auths": {"gcr.io": "c2VjcmV0"}}', "has a value of the wrong type: line 1, column 31"),
        ('{"auths": "c2VjcmV0"}', "has a value of the wrong type: line 1, column 20"),
        ('{"credsStore": 5}', "has a value of the wrong type: line 1, column 16"),
        ("[]", "has a value of the wrong type: line 1, column 0"),
        (None, "cannot be read: Is a directory (os error 21)"),
    ],
)
def test_a_file_that_is_not_a_configuration_is_named(push_at_home, closed_registry, content, why):
    file = push_at_home.home / ".docker/config.json"
    if content is None:
        file.mkdir(parents=True)
    else:
        write(file, content)
    refused = push_at_home(f"{closed_registry.address}/swiss:v1")
    assert refused.returncode == 1
    assert refused.stderr == (
        f"error: docker's configuration has no usable credential for {closed_registry.address}: "
        f"{file} {why}: mend that, or take it out and run "
        f"`docker login {closed_registry.address}`\n"
    )
    assert "c2VjcmV0" not in refused.stderr


def test_a_named_file_that_does_not_exist_is_named(push_at_home, closed_registry):
    refused = push_at_home(f"{closed_registry.address}/swiss:v1", REGISTRY_AUTH_FILE="/no/file")
    assert "REGISTRY_AUTH_FILE=/no/file does not exist: " in refused.stderr


@pytest.mark.parametrize("auth", ["c2VjcmV0", "%%secret%%"])
def test_an_entry_that_is_no_login_is_named_without_its_content(push, closed_registry, auth):
    login = {"auths": {closed_registry.address: {"auth": auth}}}
    refused = push(f"{closed_registry.address}/swiss:v1", credentials=login)
    assert refused.returncode == 1
    assert f"the `auth` of {closed_registry.address} is not the base64" in refused.stderr
    assert auth not in refused.stderr


@pytest.fixture
def helper(tmp_path):
    """Writes a credential helper, and returns a PATH with it."""

    def make(script: str) -> str:
        program = tmp_path / "bin/docker-credential-test"
        write(program, f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return f"{program.parent}:{os.environ['PATH']}"

    return make


def test_the_helper_of_all_registries_is_asked(push, closed_registry, helper):
    path = helper("""cat > /dev/null; echo '{"Username": "user", "Secret": "secret"}'""")
    image = f"{closed_registry.address}/swiss:v1"
    pushed = push(image, credentials={"credsStore": "test"}, PATH=path)
    assert (pushed.returncode, pushed.stderr) == (0, "")


def test_a_helper_that_does_not_know_the_registry_is_no_error(push, closed_registry, helper):
    path = helper("echo 'credentials not found in native keychain'; exit 1")
    image = f"{closed_registry.address}/swiss:v1"
    refused = push(image, credentials={"credsStore": "test"}, PATH=path)
    assert "wants to know who pushes" in refused.stderr


@pytest.mark.parametrize("field", ["credsStore", "credHelpers"])
def test_a_helper_that_is_missing_is_named(push, closed_registry, field):
    address = closed_registry.address
    config = {field: "desktop" if field == "credsStore" else {address: "desktop"}}
    refused = push(f"{address}/swiss:v1", credentials=config)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert f"`{field}`: docker-credential-desktop is not on PATH: " in refused.stderr
    assert "/docker/config.json: " in refused.stderr
    assert f"run `docker login {address}`" in refused.stderr


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo my-secret; echo my-secret >&2; exit 3", "failed (exit status: 3)"),
        ("echo my-secret", "did not print JSON with a Username and a Secret"),
        ("""echo '{"Secret": ["my-secret"]}'""", "did not print JSON"),
        ("kill -9 $$", "failed (signal: 9 (SIGKILL))"),
    ],
)
def test_a_helper_that_fails_is_named_without_what_it_printed(
    push, closed_registry, helper, script, why
):
    refused = push(
        f"{closed_registry.address}/swiss:v1",
        credentials={"credsStore": "test"},
        PATH=helper(script),
    )
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert f"docker-credential-test {why}" in refused.stderr
    assert "my-secret" not in refused.stderr


def test_an_open_registry_needs_no_login(push, fresh_registry):
    image = f"{fresh_registry.address}/swiss:v1"
    assert push(image, credentials={"credsStore": "desktop"}).returncode == 0


class TokenRegistry(Scripted):
    """A registry that wants a token, which it gives for a login: it is its own token server."""

    def __init__(self, realm: str | None = None, status: int = 200, token: bytes | None = None):
        def answer(method: str, path: str):
            if path.startswith("/token"):
                return status, {}, token or b'{"access_token": "granted"}'
            if self.requests[-1][2].get("Authorization") == "Bearer granted":
                # There is no such tag yet.
                if method in ("HEAD", "GET"):
                    return 404, {}, b""
                return 418, {}, b"pushed with a token"
            challenge = f'Bearer realm="{realm or f"http://{self.address}/token"}",service="me"'
            return 401, {"WWW-Authenticate": challenge}, b""

        super().__init__(answer)

    def logins(self) -> list:
        return [request for request in self.requests if request[1].startswith("/token")]


IDENTITY = {"auth": base64.b64encode(b"00000000:").decode(), "identitytoken": "refresh-me"}


def test_an_identity_token_is_exchanged(push):
    with TokenRegistry() as registry:
        login = {"auths": {registry.address: IDENTITY}}
        pushed = push(f"{registry.address}/swiss:v1", credentials=login)
    for (method, path, headers, content), actions in zip(
        registry.logins(), ["pull", "pull%2Cpush"], strict=True
    ):
        assert (method, path, headers["Authorization"]) == ("POST", "/token", None)
        for field in (
            "grant_type=refresh_token",
            "refresh_token=refresh-me",
            "service=me",
            f"scope=repository%3Aswiss%3A{actions}",
        ):
            assert field in content.split("&")
    assert "pushed with a token" in pushed.stderr


def test_a_credential_that_may_only_read_suffices_for_what_is_there_already(push):
    digest = "sha256:" + "5" * 64

    def answer(_method: str, path: str):
        if "push" in path:
            return 403, {}, b"read only"
        if path.startswith("/token"):
            return 200, {}, b'{"token": "granted"}'
        if registry.requests[-1][2]["Authorization"] == "Bearer granted":
            return 200, {"Docker-Content-Digest": digest}, b""
        realm = f'Bearer realm="http://{registry.address}/token",service="me"'
        return 401, {"WWW-Authenticate": realm}, b""

    with Scripted(answer) as registry:
        image, login = f"{registry.address}/swiss", {registry.address: {"auth": LOGIN}}
        refused = push(f"{image}:v1", credentials={"auths": login})
        assert f"{image}:v1 is there already, with the digest {digest}" in refused.stderr
        refused = push("--force", f"{image}:v1", credentials={"auths": login})
        assert "does not let you push" in refused.stderr
        assert {method for method, *_ in registry.requests} == {"GET", "HEAD"}


def test_the_token_of_a_helper_is_exchanged(push, helper):
    path = helper("""echo '{"Username": "<token>", "Secret": "refresh-me"}'""")
    with TokenRegistry() as registry:
        image = f"{registry.address}/swiss:v1"
        push(image, credentials={"credsStore": "test"}, PATH=path)
    [(method, _, _, content), _] = registry.logins()
    assert method == "POST"
    assert "refresh_token=refresh-me" in content


def test_a_password_is_exchanged(push):
    with TokenRegistry() as registry:
        login = {"auths": {registry.address: {"auth": LOGIN}}}
        pushed = push(f"{registry.address}/swiss:v1", credentials=login)
    [(method, path, headers, _), _] = registry.logins()
    assert (method, headers["Authorization"]) == ("GET", f"Basic {LOGIN}")
    assert "service=me" in path
    assert "pushed with a token" in pushed.stderr


def test_an_identity_token_for_a_registry_without_tokens_says_what_to_do(push, closed_registry):
    address = closed_registry.address
    refused = push(f"{address}/swiss:v1", credentials={"auths": {address: IDENTITY}})
    assert refused.stderr == (
        f"error: docker's configuration has an identity token for {address}, which takes only "
        f"a name and a password: run `docker login {address}`\n"
    )


@pytest.mark.parametrize(
    ("status", "content", "words"),
    [
        (401, b"", "does not let you push"),
        (403, b"<html>no</html>", "does not let you push to"),
        (405, b"", "log in with a name and a password, by `docker login"),
        (429, b"", "it has too many requests; push again later"),
        (503, b"<html>\n</html>", "it answers 503, a fault of its own"),
        (200, b"garbage", "answers without a token"),
        (200, b'{"token": "a\\nb"}', "answers without a token"),
        (200, b"{}", "answers without a token"),
        (200, b'{"token": ""}', "answers without a token"),
        (400, b"bad token refresh-me", "(bad token ***)"),
        (400, b"x" * 295 + b" refresh-me", "(" + "x" * 295 + " ***"),
    ],
)
def test_a_token_server_that_gives_no_token_is_explained(push, status, content, words):
    with TokenRegistry(status=status, token=content or b"\n") as registry:
        login = {"auths": {registry.address: IDENTITY}}
        refused = push(f"{registry.address}/swiss:v1", credentials=login)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert words in refused.stderr
    assert "refresh-me" not in refused.stderr
    assert "<html>" not in refused.stderr


@pytest.mark.parametrize("entry", [IDENTITY, {"auth": LOGIN}], ids=["token", "password"])
def test_no_credential_goes_to_another_machine_without_tls(push, entry):
    # A proxy would carry the request to the other machine.
    with (
        Scripted(lambda *_: (200, {}, b'{"token": "granted"}')) as other,
        TokenRegistry("http://tokens.example.com/token") as registry,
    ):
        refused = push(
            f"{registry.address}/swiss:v1",
            credentials={"auths": {registry.address: entry}},
            HTTP_PROXY=f"http://{other.address}",
            http_proxy=f"http://{other.address}",
        )
    assert other.requests == []
    assert "a login at tokens.example.com without TLS" in refused.stderr


def test_a_token_server_s_redirect_without_tls_is_not_followed(push):
    with Scripted(lambda *_: (200, {}, b'{"token": "granted"}')) as other:

        def answer(_, path):
            if path.startswith("/token"):
                return 307, {"Location": f"http://{other.address}/token"}, b""
            realm = f'Bearer realm="http://{registry.address}/token"'
            return 401, {"WWW-Authenticate": realm}, b""

        with Scripted(answer) as registry:
            login = {"auths": {registry.address: IDENTITY}}
            assert push(f"{registry.address}/swiss:v1", credentials=login).returncode == 1
    assert "refresh-me" not in other.sent()
    assert other.requests == []
