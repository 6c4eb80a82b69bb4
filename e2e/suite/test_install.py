"""README.md, section "Deploy it", followed to the letter."""

import json
import time

import pytest

from cluster.wait import until

from . import documents, figures, network, node
from .commands import get, kubectl, run
from .documents import Command
from .namespaces import namespace as new_namespace
from .outside import ask, wait_for_answers
from .packaging import TAG
from .release import Release, is_ready

# README's namespace enforces nothing, as the default does.
LEVEL = "privileged"
INSTALL = ("helm", "install", "k8s", "./chart")


def installs(command: Command, value: str = "") -> bool:
    return command.words[: len(INSTALL)] == INSTALL and value in " ".join(command.words)


# The block that leads from the installation by digest to `helm test`, and the command for an
# artifact that `spin registry push` made.
BLOCK = next(each for each in documents.blocks() if installs(each[0], "image.digest="))
SHORT = next(each for each in documents.in_prose(" ".join(INSTALL)) if "image.tag=v1" in each.words)


def filled_in(words: tuple[str, ...], packaged) -> list[str]:
    """The words with what a user writes in place of the document's example."""
    example = {
        "gcr.io/my-project/swiss": packaged.repository,
        "sha256:...": packaged.digest,
        "image.tag=v1": f"image.tag={TAG}",
    }
    for old, new in example.items():
        words = tuple(word.replace(old, new) for word in words)
    return list(words)


def follow(command: Command, packaged, release: Release) -> str:
    """Runs a command of the document, in the namespace of the tests. What only our cluster
    needs is added at the end."""
    program, *words = filled_in(command.words, packaged)
    if program == "curl":
        url = words[-1].partition("://")[2]
        return ask(release.address(), f"/{url.partition('/')[2]}").content.decode()
    words += ["--namespace", release.namespace]
    if installs(command) and (shell := packaged.values.get("helmTest")):
        words += ["--set-json", f"helmTest={json.dumps(shell)}"]
    return run({"helm": release.helm}.get(program, program), *words).stdout


@pytest.fixture(scope="module")
def installed(packaged, namespace, wasm_nodes):
    """Installed with the first command of the block, and with no other value."""
    component = packaged["component"]
    release = Release(namespace, component.values)
    start = time.monotonic()
    follow(BLOCK[0], component, release)
    release.roll_out()
    figures.note("README's install", to_rolled_out_s=round(time.monotonic() - start, 1))
    yield release
    release.uninstall()


def test_readme_has_the_printed_command(packaged):
    component = packaged["component"]
    printed = component.output.partition("Install it with\n")[2].strip()
    assert list(documents.command(printed).words) == filled_in(BLOCK[0].words, component)


def test_three_replicas_are_ready(installed):
    assert [is_ready(pod) for pod in installed.pods()] == [True] * 3
    # The first start on a node compiles the component. When three shims do so at the
    # same time, one of them may need a restart.
    figures.note("README's install", restarts=installed.restarts())


def test_every_further_command_of_the_block_prints_what_the_document_shows(packaged, installed):
    wait_for_answers(installed.address())
    for command in BLOCK[1:]:
        lines = follow(command, packaged["component"], installed).splitlines()
        printed = [line.split() for line in lines]
        # A row of a table has addresses, ports and an age of its own.
        known = 2 if command.words[:2] == ("kubectl", "get") else None
        for line in command.output:
            assert line == "..." or line.split()[:known] in [each[:known] for each in printed]
    assert {command.words[0] for command in BLOCK} == {"helm", "kubectl", "curl"}


def test_the_command_for_a_spin_artifact_installs_it(packaged, wasm_nodes):
    spin = packaged["spin"]
    with new_namespace("install-spin", LEVEL) as name:
        release = Release(name, spin.values)
        follow(SHORT, spin, release)
        try:
            release.roll_out()
            wait_for_answers(release.address())
            deployment = get("deployment", "--namespace", name, release.deployment)
            (container,) = deployment["spec"]["template"]["spec"]["containers"]
            assert container["image"] == f"{spin.repository}:{TAG}"
        finally:
            release.uninstall()


@pytest.mark.parametrize(("path", "content"), [("/will", "Hello World"), ("/ready", "It works!")])
def test_the_load_balancer_forwards_to_the_component(installed, path, content):
    address = installed.address()
    wait_for_answers(address)
    response = ask(address, path)
    body = f'"{content}"\n'.encode()
    assert response.status_line == "HTTP/1.1 200 OK"
    assert response.headers == [
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
    ]
    assert response.content == body


def test_the_component_answers_an_unknown_path(installed):
    wait_for_answers(installed.address())
    response = ask(installed.address(), "/nowhere")
    assert response.status_line == "HTTP/1.1 404 Not Found"
    assert ("content-type", "application/problem+json") in response.headers


@pytest.mark.own_cluster("the test counts connections in the pods' network namespaces")
def test_all_three_replicas_share_the_load(installed):
    pods = installed.pods()
    known = lambda: all(f" {network.address(pod)} . 5000" in node.service_rules() for pod in pods)  # noqa: E731
    until("kube-proxy knows the three pods", known, seconds=60)
    processes = [node.process(pod) for pod in pods]
    before = [node.accepted_connections(each) for each in processes]
    address = installed.address()
    assert all(ask(address, "/will").content == b'"Hello World"\n' for _ in range(300))
    after = [node.accepted_connections(each) for each in processes]
    connections = [now - then for now, then in zip(after, before, strict=True)]
    figures.note("300 requests on three pods", connections=connections)
    # kube-proxy chooses each with probability 1/3: fewer than 50 of 300 happen once in a billion.
    assert min(connections) > 50


def test_helm_test_passes(installed):
    assert "ok    GET /will" in installed.test()


def test_nothing_is_written_to_the_log_but_the_start(installed):
    """A log that grows with the requests fills the node's disk."""
    (pod, *_) = installed.pods()
    wait_for_answers(installed.address(), times=100)
    log = kubectl("logs", "--namespace", installed.namespace, pod["metadata"]["name"])
    lines = [line for line in log.splitlines() if line]
    assert lines[0] == "Serving http://0.0.0.0:5000"
    # Spin lists the routes of the application, which has one.
    assert lines[1] == "Available Routes:"
    assert len(lines) == 3, log
