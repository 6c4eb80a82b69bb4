"""A wrong variable gets one sentence, before anything compiles."""

import socket

import pytest

from verbs import errors, run

NAME = "IMAGE=gcr.io/my-project/swiss:v1"
NO_PORT = "is not a port: give a number from 1 to 65535"
NO_FLAG = "is neither 1 nor 0"
WRONG = [
    *(
        ("up", [f"PORT={port}"], f"PORT={port} {NO_PORT}")
        for port in [
            "abc",
            "",
            "99999",
            "65536",
            "-1",
            "5000 ",
            "80 81",
            "5e3",
            "0x50",
            "'",
            "$(id)",
            "\u0661",
        ]
    ),
    ("up", ["ACCESS_LOG=true"], f"ACCESS_LOG=true {NO_FLAG}"),
    ("push", [], "IMAGE is not set: make push IMAGE=gcr.io/my-project/swiss:v1"),
    ("push", ["IMAGE="], "IMAGE is not set"),
    ("push", ["IMAGE=gcr.io/PROJECT/swiss:v1"], "a capital letter in PROJECT/swiss"),
    ("push", ["IMAGE=Swiss"], "a capital letter in Swiss"),
    ("push", ["IMAGE=https://gcr.io/my-project/swiss:v1"], "begins with https://"),
    ("push", ["IMAGE=docker://gcr.io/my-project/swiss:v1"], "begins with docker://"),
    ("push", ["IMAGE=gcr.io/my-project/swiss@sha256:" + "5" * 64], "has a digest"),
    (
        "push",
        ["IMAGE=gcr.io/example.com:my-project/swiss:v1"],
        "write it as example.com/my-project",
    ),
    *(
        ("push", [f"IMAGE={name}"], f"IMAGE={name} is not the name of an image")
        for name in ["gcr.io/", "gcr.io/a b", "gcr.io//a", "a:b:c", "-a", "a:", ":v1", "a/b'", "é"]
    ),
    ("push", [NAME, "FORMAT=wasm"], "FORMAT=wasm is not a kind of artifact"),
    ("push", [NAME, "FORMAT="], "FORMAT= is not a kind of artifact"),
    ("push", [NAME, "FORMAT=Spin"], "FORMAT=Spin is not a kind of artifact"),
    ("push", [NAME, "FORCE=yes"], f"FORCE=yes {NO_FLAG}"),
    ("test-url", [], "URL= is not the address of a server"),
    *(
        ("test-url", [f"URL={url}"], f"URL={url} is not the address of a server")
        for url in ["localhost:80", "ftp://a", "http://", "http://a/b", "http://a?b", "http://a b"]
    ),
    ("test-url", ["URL=http://a", "PROXY=yes"], f"PROXY=yes {NO_FLAG}"),
    ("e2e", ["SHIM=/nothing"], "SHIM=/nothing is not a program"),
    ("e2e", ["SHIM=/etc/passwd"], "SHIM=/etc/passwd is not a program"),
    ("e2e-suite", ["SHIM=/tmp"], "SHIM=/tmp is not a program"),
    ("lock", ["UPGRADE=true"], f"UPGRADE=true {NO_FLAG}"),
    ("bench", ["QUICK=yes"], f"QUICK=yes {NO_FLAG}"),
    ("bench", ["NOISY=yes"], f"NOISY=yes {NO_FLAG}"),
    ("bench-compare", [], "BEFORE= is not a file"),
    ("bench-compare", ["BEFORE=/nothing"], "BEFORE=/nothing is not a file"),
    ("bench-installer", ["NODES=many"], "NODES=many is not a number"),
    ("test-installer-nodes", ["SEED=x"], "SEED=x is not a number"),
    ("test-installer-nodes", ["SEQUENCES=-1"], "SEQUENCES=-1 is not a number"),
]


@pytest.mark.parametrize(("verb", "variables", "expected"), WRONG)
def test_a_wrong_variable_is_one_sentence_before_anything_compiles(verb, variables, expected):
    # make takes a $ as its own.
    variables = [variable.replace("$", "$$") for variable in variables]
    done = run(verb, *variables, without=["IMAGE", "FORMAT", "FORCE", "PORT", "SHIM"])
    assert done.returncode == 2
    (error,) = errors(done)
    assert expected in error
    assert done.stdout == ""


def test_a_variable_of_the_environment_is_checked_as_well():
    (error,) = errors(run("up", PORT="abc"))
    assert f"PORT=abc {NO_PORT}" in error


@pytest.mark.parametrize(
    "name",
    [
        "swiss",
        "localhost:5000/swiss",
        "[::1]:5000/a/swiss:V1.0_2",
        "europe-west1-docker.pkg.dev/p/r/swiss:v1",
        "gcr.io/a__b/c-d.e",
    ],
)
def test_a_name_that_is_right_is_not_refused(name):
    # Refused because of the other variable only.
    (error,) = errors(run("push", f"IMAGE={name}", "FORCE=yes"))
    assert error.startswith("FORCE=yes")


@pytest.mark.parametrize(
    ("family", "host"),
    [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")],
)
def test_a_port_in_use_is_refused_with_another_to_take(family, host):
    with socket.create_server((host, 0), family=family, dualstack_ipv6=host == "::") as taken:
        port = taken.getsockname()[1]
        done = run("up", f"PORT={port}")
    assert done.returncode == 2
    (error,) = errors(done)
    assert f"another program listens on port {port}" in error and "make up PORT=8080" in error
    assert done.stdout == ""
