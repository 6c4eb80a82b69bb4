"""Every object is valid by the schemas of the Kubernetes API. The validation is
strict: an unknown field is an error.

GATEWAY_API  directory of the Gateway API's custom resource definitions; chart.mk
             downloads them
"""

import functools
import os
from pathlib import Path

import jsonschema
import kubernetes_validate
import kubernetes_validate.utils
import pytest
import yaml

from environments import ENVIRONMENTS, rendered
from helm import Manifest, manifests, merged
from test_cluster import EVERYTHING

# Every minor version that the chart supports and the tests know.
VERSIONS = tuple(f"1.{minor}" for minor in range(30, 37))
# The package would read a version's definitions, 1 MB, for each object.
kubernetes_validate.utils.schema_contents = functools.cache(
    kubernetes_validate.utils.schema_contents
)
GKE_PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
GKE_HTTP = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "host": {"type": "string"},
        "port": GKE_PORT,
        "portName": {"type": "string"},
        "portSpecification": {"enum": ["USE_FIXED_PORT", "USE_NAMED_PORT", "USE_SERVING_PORT"]},
        "proxyHeader": {"enum": ["NONE", "PROXY_V1"]},
        "requestPath": {"type": "string", "maxLength": 2048},
        "response": {"type": "string", "maxLength": 1024},
    },
}
# No package registry has GKE's custom resources. The fields that the chart uses, as
# GoogleCloudPlatform/gke-gateway-api defines them in config/crd/ (16e4950).
HEALTH_CHECK_POLICY = {
    "type": "object",
    "required": ["spec"],
    "additionalProperties": False,
    "properties": {
        "apiVersion": {"const": "networking.gke.io/v1"},
        "kind": {"const": "HealthCheckPolicy"},
        "metadata": {"type": "object"},
        "spec": {
            "type": "object",
            "required": ["targetRef"],
            "additionalProperties": False,
            "properties": {
                "targetRef": {
                    "type": "object",
                    "required": ["group", "kind", "name"],
                    "additionalProperties": False,
                    "properties": {
                        "group": {"const": ""},
                        "kind": {"const": "Service"},
                        "name": {"type": "string", "minLength": 1},
                        "namespace": {"type": "string"},
                    },
                },
                "default": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "checkIntervalSec": {"type": "integer", "minimum": 1, "maximum": 300},
                        "timeoutSec": {"type": "integer", "minimum": 1, "maximum": 300},
                        "healthyThreshold": {"type": "integer", "minimum": 1, "maximum": 10},
                        "unhealthyThreshold": {"type": "integer", "minimum": 1, "maximum": 10},
                        "logConfig": {"type": "object"},
                        "config": {
                            "type": "object",
                            "minProperties": 2,
                            "maxProperties": 2,
                            "required": ["type", "httpHealthCheck"],
                            "properties": {
                                "type": {"const": "HTTP"},
                                "httpHealthCheck": GKE_HTTP,
                            },
                        },
                    },
                },
            },
        },
    },
}


@functools.cache
def http_route() -> dict:
    name = "gateway.networking.k8s.io_httproutes.yaml"
    text = (Path(os.environ["GATEWAY_API"]) / name).read_text()
    definition = yaml.load(text, yaml.CSafeLoader)
    (version,) = [v for v in definition["spec"]["versions"] if v["name"] == "v1"]
    return closed(version["schema"]["openAPIV3Schema"])


def closed(schema: object) -> object:
    """The schema without unknown fields, as for `kubectl --validate=strict`."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        schema.setdefault("additionalProperties", False)
    return schema


# jsonschema.validate would validate the schema, too, each time.
@functools.cache
def validator(kind: str) -> jsonschema.Draft202012Validator:
    schema = http_route() if kind == "HTTPRoute" else HEALTH_CHECK_POLICY
    return jsonschema.Draft202012Validator(schema)


def validate(manifest: Manifest, version: str) -> None:
    match manifest["kind"]:
        case "HTTPRoute" | "HealthCheckPolicy" as kind:
            validator(kind).validate(manifest)
        case _:
            kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_object_of_the_environment_is_valid(environment, version):
    documents = yaml.load_all(rendered(environment, kube_version=version), yaml.CSafeLoader)
    kinds = [document["kind"] for document in documents if not validate(document, version)]
    assert {"Deployment", "Service", "Pod"} <= set(kinds)


# The optional objects and fields that no environment has.
OPTIONAL = {
    "commonAnnotations": {"a": "b"},
    "imagePullSecrets": [{"name": "s"}],
    "priorityClassName": "high",
    "extraEnv": [{"name": "RUST_LOG", "value": "spin"}],
    "volumes": [{"name": "v", "emptyDir": {}}],
    "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    "extraContainers": [{"name": "c", "image": "i"}],
    "spinVariables": {"a": "b"},
    "otel": {"endpoint": "http://collector:4318"},
    "service": {
        "loadBalancerClass": "c.example/lb",
        "loadBalancerIP": "203.0.113.7",
        "loadBalancerSourceRanges": ["203.0.113.0/24"],
        "externalTrafficPolicy": "Local",
        "trafficDistribution": "PreferClose",
        "nodePort": 30080,
    },
    "ingress": {"className": "gce", "tls": [{"hosts": ["h"], "secretName": "cert"}]},
    "autoscaling": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}}},
    "podDisruptionBudget": {"maxUnavailable": None, "minAvailable": "50%"},
    "networkPolicy": {
        "ingressFrom": [{"ipBlock": {"cidr": "192.0.2.0/24"}}],
        "egress": [{"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}],
    },
    "runtimeClass": {
        "nodeSelector": {"pool": "spin"},
        "tolerations": [{"key": "spin", "operator": "Exists"}],
    },
    "tolerations": [{"key": "spin", "operator": "Exists"}],
    "nodeSelector": {"pool": "spin"},
    "affinity": {"podAntiAffinity": {}},
}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid_with_every_option_on(version):
    documents = manifests(merged(EVERYTHING, OPTIONAL), kube_version=version)
    assert len(documents) == 11
    for document in documents:
        validate(document, version)


# A control for the validators: each refuses an unknown field.
@pytest.mark.parametrize("kind", ["Deployment", "HTTPRoute", "HealthCheckPolicy", "NetworkPolicy"])
def test_an_unknown_field_is_an_error(kind):
    (manifest,) = [m for m in manifests(EVERYTHING) if m["kind"] == kind]
    wrong = merged(manifest, {"spec": {"replica": 3}})
    errors = (jsonschema.ValidationError, kubernetes_validate.ValidationError)
    with pytest.raises(errors, match="replica"):
        validate(wrong, VERSIONS[-1])
