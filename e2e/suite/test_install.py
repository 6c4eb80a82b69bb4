"""README.md, section "Deploy it", followed to the letter."""

import json
import re
import shlex
import time

import pytest

from cluster.wait import until

from . import figures, node
from .commands import CHART, REPOSITORY, kubectl, run
from .outside import ask, wait_for_answers
from .release import Release, is_ready

NAMESPACE = "default"


@pytest.fixture(scope="module")
def installed(packaged, wasm_nodes):
    """Installed with the command that the push printed, and with no other value."""
    component = packaged["component"]
    release = Release(NAMESPACE, component.values)
    printed = component.output.partition("Install it with")[2]
    words = shlex.split(printed.replace("\\\n", " "))
    if shell := component.values.get("helmTest"):
        words += ["--set-json", f"helmTest={json.dumps(shell)}"]
    start = time.monotonic()
    run(release.helm, *words[1:])
    release.roll_out()
    figures.note("README's install", to_rolled_out_s=round(time.monotonic() - start, 1))
    yield release
    release.uninstall()


def test_readme_has_the_printed_command(packaged):
    readme = (REPOSITORY / "README.md").read_text()
    for line in packaged["component"].output.partition("Install it with")[2].splitlines()[:5]:
        pattern = re.sub(r"127\.0\.0\.1:5000/swiss-component", "gcr.io/PROJECT/swiss", line)
        assert re.sub("sha256:[0-9a-f]{64}", "sha256:...", pattern) in readme
    assert CHART.is_dir()


def test_three_replicas_are_ready(installed):
    assert [is_ready(pod) for pod in installed.pods()] == [True] * 3
    # The first start on a node compiles the component. When three shims do so at the
    # same time, one of them may need a restart.
    figures.note("README's install", restarts=installed.restarts())


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
    response = ask(installed.address(), "/nowhere")
    assert response.status_line == "HTTP/1.1 404 Not Found"
    assert ("content-type", "application/problem+json") in response.headers


@pytest.mark.own_cluster("the test counts connections in the pods' network namespaces")
def test_all_three_replicas_share_the_load(installed):
    processes = [node.process(pod) for pod in installed.pods()]

    def shares() -> list[int]:
        before = [node.accepted_connections(each) for each in processes]
        wait_for_answers(installed.address(), times=300)
        after = [node.accepted_connections(each) for each in processes]
        return [now - then for now, then in zip(after, before, strict=True)]

    # kube-proxy may learn of one endpoint after the other. When it knows all three, each is
    # chosen with probability 1/3: fewer than 50 of 300 happen once in a billion.
    def even() -> list[int] | None:
        return connections if min(connections := shares()) > 50 else None

    connections = until("each pod answers a share of 300 requests", even, seconds=60)
    figures.note("300 requests on three pods", connections=connections)


def test_helm_test_passes(installed):
    assert "ok    GET /will" in installed.test()


def test_nothing_is_written_to_the_log_but_the_start(installed):
    name = installed.pods()[0]["metadata"]["name"]
    log = kubectl("logs", "--namespace", NAMESPACE, name)
    assert "Serving http://0.0.0.0:5000" in log
