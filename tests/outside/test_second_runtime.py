"""The component gives the same answers under jco, which shares nothing with the embedded
host: its WebAssembly engine is V8, its HTTP server Node's. jco_setup.mjs adapts jco.
"""

from wire import MATRIX, Response, exchange

# Node's parser rejects an unregistered method, so the component never gets it.
UNPARSED = "BREW"


def decided(response: Response) -> dict:
    """The parts of a response that the component decides. The host decides the rest."""
    fields = ("content-type", "content-length", "allow")
    headers = {name: response.header(name) for name in fields}
    return {"status": response.status, **headers, "content": response.content}


def test_jco_gets_the_same_answers_from_the_component(jco, swiss):
    for method, target in MATRIX:
        if method != UNPARSED:
            expected = decided(exchange(swiss.url, method, target))
            answer = decided(exchange(jco.url, method, target))
            assert answer == expected, f"{method} {target}: expected {expected}, got {answer}"
