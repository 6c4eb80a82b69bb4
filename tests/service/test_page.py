"""docs/your-own-service.md on a copy of the repository: every block is run.

HELM4     the helm binary
REGISTRY  where Debian's docker-registry is unpacked
FULL      whether to run commands that take minutes as they stand
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from registry import Registry
from repository import REPOSITORY, copy_tracked
from server import Server

PAGE = REPOSITORY / "docs/your-own-service.md"
# An indented block belongs to an item of a list.
BLOCK = re.compile(
    r"(?:^ *<!-- test: (?P<file>\S+), (?P<how>[a-z ]+): (?P<where>[^\n]+) -->\n)?"
    r"^(?P<indent> *)```(?P<language>\w+)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)

# The part of `make test-component` that tests the component itself. FULL=1 runs all of
# it, in four minutes.
QUICK_TESTS = "make -n test-component | sed -n 's/ --lib .*/ --lib --test component/p' | bash"


def checkout(folder: Path) -> None:
    """A Git repository with the tracked files."""
    copy_tracked(folder)
    author = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    for command in [["init", "-q"], ["add", "-A"], [*author, "commit", "-qm", "Copy"]]:
        subprocess.run(["git", *command], cwd=folder, check=True)


@pytest.fixture(scope="module")
def copy():
    """A checkout that is always at the same path, so that Cargo compiles only what has
    changed since the last run. It shares the folder target."""
    folder = REPOSITORY / "target/service"
    shutil.rmtree(folder, ignore_errors=True)
    checkout(folder)
    (folder / "target").symlink_to(REPOSITORY / "target")
    return folder


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    registry = Registry(tmp_path_factory.mktemp("registry"))
    yield registry
    registry.stop()


def run(command: str, folder: Path) -> str:
    """What the command prints."""
    # The variables of the make that runs this test must not reach another.
    inherited = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=inherited,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"`{command}` failed:\n{done.stdout}"
    return done.stdout


def edit(file: Path, how: str, where: str, text: str) -> None:
    old = file.read_text()
    assert old.count(where) >= 1, f"{file.name} does not have `{where}`"
    if how == "until":
        new = text + "\n" + old[old.index(where) :]
    elif how == "instead of":
        new = old.replace(where, text.rstrip("\n"))
    else:
        assert how == "after", f"`{how}` is no instruction for a block"
        end = old.index("\n", old.index(where)) + 1
        new = old[:end] + text + old[end:]
    file.write_text(new)


def commands(text: str) -> list[tuple[str, str]]:
    """Each command of a console block, and its output."""
    found = re.split(r"^\$ ", text.replace("\\\n", ""), flags=re.MULTILINE)[1:]
    return [tuple(part.split("\n", 1)) for part in found]


def matches(expected: str, output: str) -> bool:
    """Whether `output` is as expected, where `...` stands for anything."""
    pattern = re.escape(expected.strip()).replace(r"\.\.\.", ".*")
    return re.fullmatch(pattern, output.strip(), re.DOTALL) is not None


def test_every_block_works(copy, registry):
    text = PAGE.read_text()
    servers, digest = [], None
    try:
        for block in BLOCK.finditer(text):
            content = re.sub(rf"^{block['indent']}", "", block["text"], flags=re.MULTILINE)
            if block["language"] != "console":
                assert block["file"], f"no instruction for the block:\n{content}"
                edit(copy / block["file"], block["how"], block["where"], content)
                continue
            for command, expected in commands(content):
                if command == "make up":
                    servers.append(Server("make up", ["make", "-sC", str(copy), "up", "PORT=0"]))
                    continue
                if servers:
                    address = servers[0].url.removeprefix("http://")
                    command = command.replace("127.0.0.1:5000", address)
                command = command.replace("curl ", "curl -sS ")
                if "FULL" not in os.environ:
                    command = command.replace("make test-component", QUICK_TESTS)
                # A registry and a chart without a cluster.
                command = command.replace("gcr.io/my-project", f"{registry.address}/my-project")
                expected = expected.replace("gcr.io/my-project", f"{registry.address}/my-project")
                if command.startswith("helm install"):
                    command = command.replace("helm install", f"{os.environ['HELM4']} template")
                    command = command.replace("sha256:...", digest)
                output = run(command, copy)
                if expected.strip():
                    assert matches(expected, output), f"`{command}` printed:\n{output}"
                if found := re.search(r"@(sha256:\w+)", output):
                    digest = found[1]
                if " template " in command:
                    assert f"image: {registry.address}/my-project/hello@{digest}" in output.replace(
                        '"', ""
                    )
                    assert 'name: "k8s-hello"' in output
    finally:
        for server in servers:
            server.stop()
    assert digest, "the page pushes nothing"


LONG_ROUTES = """\
    resource!("/long", Get: Constant(constant!("text/plain", LONG))),
    resource!("/longer", Get: Function(longer)),
    resource!("/fails", Get: Function(|_| anyhow::bail!("a secret"))),
    resource!("/header", Get: Function(|_| Ok(Response::empty(200).with_header("a b", "c")))),
"""
LONG = """
const LONG: &str = match str::from_utf8(&[b'x'; 5_000]) {
    Ok(text) => text,
    Err(_) => "",
};

fn longer(_: &Request) -> Result<Response> {
    Ok(Response::new(200, "text/plain", vec![b'y'; 100_000]))
}
"""


def test_content_of_any_length_and_every_error_is_answered(copy):
    """On the copy to which the page has added its routes."""
    edit(copy / "src/routes.rs", "after", 'resource!("/ready"', LONG_ROUTES)
    edit(copy / "src/routes.rs", "after", "]);", LONG)
    run("make build", copy)
    server = Server("make up", ["make", "-sC", str(copy), "up", "PORT=0"])
    try:
        assert ask(server, "/long") == (200, b"x" * 5_000)
        assert ask(server, "/longer") == (200, b"y" * 100_000)
        invitation = json.dumps({"guests": ["x" * 60_000]}).encode()
        status, content = ask(server, "/hello/ann", invitation)
        assert (status, len(json.loads(content)[0])) == (201, len("ann greets ") + 60_000)
        assert ask(server, "/hello/ann", invitation + b" " * 10_000)[0] == 413
        assert ask(server, "/fails") == (500, b'{"title":"Internal Server Error","status":500}\n')
        assert ask(server, "/header")[0] == 500
        assert ask(server, "/long")[0] == 200
    finally:
        server.stop()
    assert "error: GET /fails: a secret\n" in server.log
    assert "error: GET /header: a header of the response: " in server.log


def ask(server: Server, path: str, content: bytes | None = None) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(server.url + path, content, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_nothing_has_the_old_name(copy):
    """Runs after the page, on the copy that it has renamed."""
    old = shlex.quote("swi" + "ss")
    files = run(f"git grep -il {old} || true; git ls-files | grep -i {old} || true", copy)
    assert files.split() == ["CHANGELOG.md"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("", "set NAME"), ("My-App", "set NAME"), ("hyper", "hyper has a meaning in Cargo.lock")],
)
def test_a_name_that_cannot_be_is_refused_and_changes_nothing(tmp_path, name, reason):
    checkout(tmp_path)
    output = run(f"make rename NAME={name} || true", tmp_path)
    assert output.startswith(f"error: {reason}")
    assert run("git status --porcelain", tmp_path) == ""
