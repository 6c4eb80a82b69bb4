"""swiss answers as openapi.yaml says, and openapi.yaml is valid.

Schemathesis sends what the document lists, and other registered methods.
Hypothesis sends what the document can only describe in words.
"""

import json

import hypothesis
import jsonschema_rs
import schemathesis
from hypothesis import strategies

from conftest import REPOSITORY
from wire import Response, exchange

CONTRACT = schemathesis.openapi.from_path(REPOSITORY / "openapi.yaml")
# The same requests in each run, so that a failure can be reproduced.
CONTRACT.config.generation.update(deterministic=True, max_examples=20)
reproducible = hypothesis.settings(
    database=None,
    deadline=None,
    derandomize=True,
    max_examples=50,
)

KNOWN_PATHS = tuple(CONTRACT.raw_schema["paths"])
LISTED_METHODS = ("GET", "HEAD", "OPTIONS")

known_paths = strategies.sampled_from(KNOWN_PATHS)
# A method is any token, and is case-sensitive (RFC 9110 section 9.1). CONNECT is
# left out: its target is an authority, not a path (section 9.3.6).
unlisted_methods = strategies.one_of(
    strategies.sampled_from(("get", "Head", "POST", "PROPFIND", "QUERY")),
    strategies.from_regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}", fullmatch=True),
).filter(lambda method: method not in (*LISTED_METHODS, "CONNECT"))
# RFC 3986 sections 3.3 and 3.4, in the form that a request line has.
CHARACTER = r"([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
unlisted_paths = strategies.one_of(
    strategies.from_regex(rf"(/{CHARACTER}{{0,8}}){{1,4}}", fullmatch=True),
    # A known path with one character inserted, or replacing one or two.
    strategies.builds(
        lambda path, at, character, replaced: path[:at] + character + path[at + replaced :],
        known_paths,
        strategies.integers(1, max(map(len, KNOWN_PATHS))),
        strategies.from_regex(rf"{CHARACTER}|/", fullmatch=True),
        strategies.integers(0, 2),
    ),
).filter(lambda path: path not in KNOWN_PATHS)
queries = strategies.from_regex(rf"({CHARACTER}|[/?]){{0,20}}", fullmatch=True)


def test_the_document_is_valid_openapi():
    CONTRACT.validate()


@CONTRACT.parametrize()
def test_every_request_is_answered_as_documented(case, swiss):
    case.call_and_validate(base_url=swiss.url)


@reproducible
@hypothesis.given(unlisted_methods, known_paths)
def test_every_unlisted_method_is_answered_as_documented(swiss, method, path):
    assert_is("MethodNotAllowed", exchange(swiss.url, method, path))


# HEAD is left out: without content there is nothing to compare.
@reproducible
@hypothesis.given(
    strategies.one_of(strategies.sampled_from(("GET", "OPTIONS")), unlisted_methods),
    unlisted_paths,
)
def test_every_unlisted_path_is_answered_as_documented(swiss, method, path):
    assert_is("NotFound", exchange(swiss.url, method, path))


@reproducible
@hypothesis.given(strategies.sampled_from((*LISTED_METHODS, "POST")), known_paths, queries)
def test_every_query_is_ignored(swiss, method, path, query):
    expected, answer = (exchange(swiss.url, method, path + rest) for rest in ("", f"?{query}"))
    answers = (str(expected), expected.content), (str(answer), answer.content)
    assert answers[0] == answers[1], f"expected {answers[0]} as without the query, got {answers[1]}"


def assert_is(name: str, response: Response) -> None:
    """Asserts that `response` is the one that #/components/responses calls `name`."""
    components = CONTRACT.raw_schema["components"]
    documented = components["responses"][name]
    [(media_type, media)] = documented["content"].items()
    allow = components["headers"]["Allow"]["schema"]["const"] if "headers" in documented else None
    problem = media["example"]
    jsonschema_rs.validate(components["schemas"]["Problem"], problem)

    expected = f"{problem['status']} {media_type}", allow, problem
    try:
        content = json.loads(response.content)
    except ValueError:
        content = response.content
    answer = str(response), response.header("allow"), content
    assert answer == expected, f"expected {expected}, got {answer}"
