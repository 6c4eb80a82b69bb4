"""values.yaml, values.schema.json and the values files say the same, both ways."""

import json
import re

import jsonschema
import pytest
import yaml

from cases import PASSED_ON, leaves
from helm import CHART, HELMS, merged, nested, template
from test_cluster import EVERYTHING

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
# Helm and the chart above this one set these.
OF_OTHERS = {"global", "enabled"}
# Maps of the Kubernetes API, of which the defaults have only some keys.
PARTIAL = PASSED_ON | {"runtimeClass.overhead"}


def resolved(schema: dict) -> dict:
    while "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]]
    return schema


def named(schema: dict) -> dict[str, dict]:
    """The properties, without those that only say that a name is wrong."""
    return {key: each for key, each in schema["properties"].items() if each.keys() != {"const"}}


def pairs(schema: dict, defaults: dict, path: str = ""):
    """For each map of the values: its path, the schema's keys, and those of the defaults."""
    properties = named(schema)
    yield path, properties.keys() - (set() if path else OF_OTHERS), defaults.keys()
    for key, value in defaults.items():
        inner = f"{path}.{key}".lstrip(".")
        below = resolved(properties.get(key, {}))
        if isinstance(value, dict) and value and inner not in PARTIAL and "properties" in below:
            yield from pairs(below, value, inner)


@pytest.mark.parametrize("path", [path for path, _, _ in pairs(SCHEMA, DEFAULTS)])
def test_the_schema_and_the_defaults_have_the_same_keys(path):
    """A value that only the schema has would be undocumented."""
    (keys,) = [(ours, theirs) for at, ours, theirs in pairs(SCHEMA, DEFAULTS) if at == path]
    assert keys[0] == keys[1]


def test_the_schema_says_nothing_twice():
    """A parser keeps only the last of two equal keys."""

    def only_once(pairs: list) -> dict:
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), keys
        return dict(pairs)

    json.loads((CHART / "values.schema.json").read_text(), object_pairs_hook=only_once)


def test_the_defaults_but_for_the_repository_are_valid():
    jsonschema.Draft7Validator(SCHEMA).validate(DEFAULTS)
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def nodes(schema: object):
    if isinstance(schema, dict):
        yield schema
        for each in schema.values():
            yield from nodes(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from nodes(each)


def test_what_a_pattern_refuses_is_what_its_message_explains():
    taught = [node for node in nodes(SCHEMA) if "if" in node and "pattern" in node]
    assert len(taught) > 15
    for node in taught:
        assert node["if"]["not"]["pattern"] == node["pattern"]
        assert isinstance(node["then"]["const"], str)


def test_the_words_of_an_enumeration_are_those_of_its_pattern():
    """The pattern makes Helm print what the value was, editors complete from the words."""
    words = [
        (node["allOf"][0]["enum"], node["pattern"])
        for node in nodes(SCHEMA)
        if "enum" in node.get("allOf", [{}])[0]
    ]
    assert len(words) > 10
    for allowed, pattern in words:
        assert pattern == "^(" + "|".join(map(re.escape, allowed)).replace("\\-", "-") + ")$"
    inside = [allowed for allowed, _pattern in words]
    assert [node["enum"] for node in nodes(SCHEMA) if "enum" in node] == inside


VALUES_FILES = sorted([CHART / "values.yaml", *CHART.glob("e*/*.yaml")])


@pytest.mark.parametrize("path", VALUES_FILES, ids=lambda path: path.name)
def test_editors_find_the_schema_of_every_values_file(path):
    first = path.read_text().splitlines()[0]
    schema = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)[1]
    assert (path.parent / schema).resolve() == CHART / "values.schema.json"
    assert SCHEMA["$id"].startswith("urn:")


REQUIRED = {key for node in nodes(SCHEMA) for key in node.get("required", ())}


@pytest.mark.parametrize("binary", HELMS, ids=["helm 3", "helm 4"])
def test_every_value_that_is_not_required_may_be_null(binary):
    """A chart above this one removes a default so. Some values replace each other."""
    needed = {"httpRoute.parentRefs", "podDisruptionBudget.maxUnavailable", "image.repository"}
    needed |= {"resources", "autoscaling.targetCPUUtilizationPercentage"}
    unset = [
        nested(path, None) for path in leaves() - needed if path.rpartition(".")[2] not in REQUIRED
    ]
    assert len(unset) > 40
    assert template(merged(EVERYTHING, *unset), binary=binary)
