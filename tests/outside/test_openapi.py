"""swiss answers as openapi.yaml says, and openapi.yaml is valid.

Schemathesis asks what the document lists, also with wrong methods and unasked
parameters. Hypothesis asks what the document can only say in words.
"""

import json

import hypothesis
import jsonschema_rs
import schemathesis
from hypothesis import strategies

from conftest import REPOSITORY
from wire import Response, exchange

CONTRACT = schemathesis.openapi.from_path(REPOSITORY / "openapi.yaml")
# The same requests in each run, so that a failure can be seen again.
CONTRACT.config.generation.update(deterministic=True, max_examples=20)
reproducible = hypothesis.settings(
    database=None,
    deadline=None,
    derandomize=True,
    max_examples=50,
)

KNOWN_PATHS = tuple(CONTRACT.raw_schema["paths"])
LISTED_METHODS = ("GET", "HEAD", "OPTIONS")

# RFC 9110 section 9.1: a method is any token, and its case counts.
methods = strategies.from_regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}", fullmatch=True)
# RFC 3986 section 3.3, in the form that a request line has.
paths = strategies.from_regex(
    r"(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2}){0,8}){1,4}", fullmatch=True
)


def test_the_document_is_valid_openapi():
    CONTRACT.validate()


@CONTRACT.parametrize()
def test_every_request_is_answered_as_documented(case, swiss):
    case.call_and_validate(base_url=swiss.url)


# CONNECT is left out: its target is an authority, not a path (RFC 9110 section 9.3.6).
@reproducible
@hypothesis.given(
    methods.filter(lambda method: method not in (*LISTED_METHODS, "CONNECT")),
    strategies.sampled_from(KNOWN_PATHS),
)
def test_every_unlisted_method_is_answered_as_documented(swiss, method, path):
    assert_is("MethodNotAllowed", exchange(swiss.url, method, path))


@reproducible
@hypothesis.given(paths.filter(lambda path: path not in KNOWN_PATHS))
def test_every_unlisted_path_is_answered_as_documented(swiss, path):
    assert_is("NotFound", exchange(swiss.url, "GET", path))


def assert_is(name: str, response: Response) -> None:
    """That `response` is what #/components/responses calls `name`."""
    components = CONTRACT.raw_schema["components"]
    documented = components["responses"][name]
    [(media_type, media)] = documented["content"].items()
    assert str(response) == f"{media['example']['status']} {media_type}"
    problem = json.loads(response.content)
    assert problem == media["example"]
    jsonschema_rs.validate(components["schemas"]["Problem"], problem)
    allow = components["headers"]["Allow"]["schema"]["const"] if "headers" in documented else None
    assert response.header("allow") == allow
