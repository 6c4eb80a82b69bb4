"""Every object is valid by the schemas of the Kubernetes API. The validation is
strict: an unknown field is an error.

GATEWAY_API  directory of the Gateway API's custom resource definitions; chart.mk
             downloads them. gke.py validates GKE's own.
"""

import functools
import os
from pathlib import Path

import jsonschema
import kubernetes_validate
import kubernetes_validate.utils
import pytest
import yaml

import gke
from environments import ENVIRONMENTS, rendered
from helm import Manifest, manifests, merged
from test_cluster import EVERYTHING
from test_scale import METRIC

# Every minor version that the chart supports and the tests know.
VERSIONS = tuple(f"1.{minor}" for minor in range(30, 37))
# The package would read a version's definitions, 1 MB, for each object.
kubernetes_validate.utils.schema_contents = functools.cache(
    kubernetes_validate.utils.schema_contents
)


@functools.cache
def gateway_api(kind: str) -> jsonschema.Draft202012Validator:
    name = f"gateway.networking.k8s.io_{kind.lower()}s.yaml"
    text = (Path(os.environ["GATEWAY_API"]) / name).read_text()
    definition = yaml.load(text, yaml.CSafeLoader)
    (version,) = [v for v in definition["spec"]["versions"] if v["name"] == "v1"]
    # jsonschema.validate would validate the schema, too, each time.
    return jsonschema.Draft202012Validator(closed(version["schema"]["openAPIV3Schema"]))


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


def validate(documents: list[Manifest], version: str) -> None:
    gke.validate([document for document in documents if gke.is_of_gke(document)])
    for document in documents:
        if document["apiVersion"].startswith("gateway.networking.k8s.io/"):
            gateway_api(document["kind"]).validate(document)
        elif not gke.is_of_gke(document):
            kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_object_of_the_environment_is_valid(environment, version):
    text = rendered(environment, kube_version=version)
    documents = [document for document in yaml.load_all(text, yaml.CSafeLoader) if document]
    validate(documents, version)
    assert {"Deployment", "Service", "Pod"} <= {document["kind"] for document in documents}


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
        "ipFamilyPolicy": "PreferDualStack",
        "ipFamilies": ["IPv6", "IPv4"],
    },
    "ingress": {
        "className": "gce",
        "tls": [{"hosts": ["h"], "secretName": "cert"}],
        "gce": {
            "backendConfig": {"securityPolicy": {"name": "armor"}},
            "frontendConfig": {"redirectToHttps": {"enabled": True}},
            "managedCertificate": {"domains": ["swiss.example"]},
        },
    },
    "autoscaling": {
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
        "metrics": [METRIC],
    },
    "listenAddress": "::",
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
    assert len(documents) == 14
    validate(documents, version)


# A control for the validators: each refuses an unknown field.
@pytest.mark.parametrize(
    "kind",
    ["BackendConfig", "Deployment", "HTTPRoute", "HealthCheckPolicy", "NetworkPolicy"],
)
def test_an_unknown_field_is_an_error(kind):
    everything = merged(EVERYTHING, OPTIONAL)
    (manifest,) = [m for m in manifests(everything) if m["kind"] == kind]
    wrong = merged(manifest, {"spec": {"replica": 3}})
    errors = (
        gke.InvalidResourceError,
        jsonschema.ValidationError,
        kubernetes_validate.ValidationError,
    )
    with pytest.raises(errors, match="replica"):
        validate([wrong], VERSIONS[-1])
