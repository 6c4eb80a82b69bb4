"""A custom resource has the defaults that the API server would add. Argo CD compares the
lists of a custom resource item by item, so it would report a difference for ever."""

import copy

import pytest

from helm import HELMS, merged, only
from test_exposure import ROUTE
from test_kubernetes import gateway_api, validate


def defaulted(value: object, schema: dict) -> object:
    """The value with the defaults of a structural schema, as the API server adds them."""
    if isinstance(value, dict):
        result = dict(value)
        for key, inner in schema.get("properties", {}).items():
            if key not in result and "default" in inner:
                result[key] = copy.deepcopy(inner["default"])
            if key in result:
                result[key] = defaulted(result[key], inner)
        return result
    if isinstance(value, list):
        return [defaulted(item, schema.get("items", {})) for item in value]
    return value


RULES = [
    # Every path, and no filter.
    {},
    {"matches": [{"method": "GET"}]},
    {
        "name": "conditions",
        "matches": [
            {
                "path": {"value": "/will"},
                "headers": [{"name": "a", "value": "b"}],
                "queryParams": [{"name": "c", "value": "d"}],
            },
            {"path": {"type": "Exact"}, "headers": [{"name": "a", "value": "b"}]},
            {"headers": [{"name": "a", "value": ".*", "type": "RegularExpression"}]},
        ],
        "timeouts": {"request": "10s"},
    },
    {
        "filters": [
            {
                "type": "RequestMirror",
                "requestMirror": {
                    "backendRef": {"name": "shadow", "port": 80},
                    "fraction": {"numerator": 1},
                },
            },
            {
                "type": "RequestMirror",
                "requestMirror": {
                    "backendRef": {"group": "net.gke.io", "kind": "ServiceImport", "name": "s"}
                },
            },
            {"type": "CORS", "cors": {"allowOrigins": ["https://swiss.example"]}},
            {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["x"]}},
        ]
    },
    {"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}]},
]
PARENTS = [
    {"name": "external", "namespace": "gateway", "sectionName": "https"},
    {"kind": "Service", "group": "", "name": "mesh"},
]
ROUTES = {
    "as README says": ROUTE,
    "rules and parents": merged(ROUTE, {"httpRoute": {"rules": RULES, "parentRefs": PARENTS}}),
}


@pytest.mark.parametrize(
    ("values", "binary"), list(zip(ROUTES.values(), HELMS, strict=True)), ids=ROUTES.keys()
)
def test_an_http_route_has_the_defaults_of_the_gateway_api(values, binary):
    route = only("HTTPRoute", values, binary=binary)
    validate([route], "1.36")
    assert route == defaulted(route, gateway_api("HTTPRoute").schema)


def test_the_route_has_what_the_values_have():
    spec = only("HTTPRoute", ROUTES["rules and parents"])["spec"]
    assert spec["parentRefs"][0].items() > PARENTS[0].items()
    assert spec["parentRefs"][1] == PARENTS[1]
    assert [rule["matches"][0]["path"] for rule in spec["rules"][:3]] == [
        {"type": "PathPrefix", "value": "/"},
        {"type": "PathPrefix", "value": "/"},
        {"type": "PathPrefix", "value": "/will"},
    ]
    assert spec["rules"][2]["matches"][2]["headers"][0]["type"] == "RegularExpression"
    assert spec["rules"][2]["timeouts"] == {"request": "10s"}
    mirrors = [each["requestMirror"]["backendRef"] for each in spec["rules"][3]["filters"][:2]]
    assert mirrors[0] == {"group": "", "kind": "Service", "name": "shadow", "port": 80}
    assert mirrors[1] == RULES[3]["filters"][1]["requestMirror"]["backendRef"]


def test_the_control_finds_a_missing_default():
    route = only("HTTPRoute", ROUTE)
    bare = merged(route, {"spec": {"parentRefs": [{"name": "external"}]}})
    (parent,) = defaulted(bare, gateway_api("HTTPRoute").schema)["spec"]["parentRefs"]
    assert parent == {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "external"}
