"""The values files of the chart, combined as their first comments say."""

from helm import DIGEST, HELM4, template

PROD = "environments/prod.yaml"
BY_DIGEST = {"image": {"digest": DIGEST}}
BY_TAG = {"image": {"tag": "v1"}}

ENVIRONMENTS = {
    "dev": (("environments/dev.yaml",), BY_TAG),
    "qa": (("environments/qa.yaml",), BY_DIGEST),
    "prod": ((PROD,), BY_DIGEST),
    "gke": ((PROD, "examples/gke.yaml"), BY_DIGEST),
    "gke-ingress": ((PROD, "examples/gke-ingress.yaml"), BY_DIGEST),
    "spot": ((PROD, "examples/spot.yaml"), BY_DIGEST),
    "gke-gateway": ((PROD, "examples/gke-gateway.yaml"), BY_DIGEST),
}


def rendered(environment: str, *, binary: str = HELM4, kube_version: str = "1.36") -> str:
    files, values = ENVIRONMENTS[environment]
    return template(values, binary=binary, files=files, kube_version=kube_version)
