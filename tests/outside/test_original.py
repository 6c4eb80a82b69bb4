"""The reconstruction in original.py does what the original's public source says.

Read in https://github.com/hamza15/GKE-Flask-HELM at commit
8edabc44d7b2ec300969aeeddb7bca5420c0433e:

app/app.py        /will and /ready return jsonify of a string each; app.run serves them
requirements.txt  Flask 1.1.1, and the package jsonify, which nothing imports
Dockerfile        python:3.7-alpine runs app.py, so Werkzeug's development server serves

The tests run on the project's Python instead of 3.7.
"""

import json
import subprocess

import pytest

from conftest import REPOSITORY
from wire import exchange

CONTENT = {"/will": b'"Hello World"\n', "/ready": b'"It works!"\n'}

DESCRIBE = """
import json, importlib.metadata, original
print(json.dumps({
    "routes": {rule.rule: sorted(rule.methods) for rule in original.app.url_map.iter_rules()},
    "versions": {it.metadata["Name"]: it.version for it in importlib.metadata.distributions()},
}))
"""


@pytest.fixture(scope="module")
def described(original_python):
    """The routes of the reconstruction, and the versions that it runs on."""
    found = subprocess.run([*original_python, "-c", DESCRIBE], capture_output=True, text=True)
    assert found.returncode == 0, f"original.py cannot be imported:\n{found.stderr}"
    return json.loads(found.stdout)


def test_it_has_the_two_routes_and_flasks_own(described):
    methods = ["GET", "HEAD", "OPTIONS"]
    paths = [*CONTENT, "/static/<path:filename>"]
    assert described["routes"] == dict.fromkeys(paths, methods)


@pytest.mark.parametrize("path", CONTENT)
def test_it_answers_with_the_bytes_of_flasks_jsonify(original, path):
    answer = exchange(original.url, "GET", path)
    assert (str(answer), answer.content) == ("200 application/json", CONTENT[path])


def test_it_runs_on_the_flask_that_the_original_pins(described):
    assert described["versions"]["Flask"] == "1.1.1"


def test_werkzeugs_development_server_serves_it(original, described):
    server = exchange(original.url, "GET", "/will").header("server")
    expected = f"Werkzeug/{described['versions']['Werkzeug']} Python/"
    assert server.startswith(expected), f"expected {expected}, got {server}"


def test_the_page_names_the_versions(described):
    page = (REPOSITORY / "docs/differences.md").read_text()
    missing = [
        f"{name} {version}"
        for name, version in described["versions"].items()
        if f"{name} {version}" not in page
    ]
    assert not missing, f"docs/differences.md does not name {missing}, on which original.py runs"
