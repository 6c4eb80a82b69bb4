"""Assigns an address to each Service of type LoadBalancer, as a cloud does.

kube-proxy forwards the traffic to these addresses."""

import ipaddress
import time

from . import layout
from .api import Api


def serve() -> None:
    api = Api()
    while True:
        assign(api)
        time.sleep(0.2)


def assign(api: Api) -> None:
    services = (api.get("/api/v1/services") or {}).get("items", [])
    waiting = [each for each in services if _needs_address(each) and not _addresses(each)]
    taken = {address for each in services for address in _addresses(each)}
    free = (str(host) for host in ipaddress.ip_network(layout.LOAD_BALANCERS).hosts())
    for service in waiting:
        address = next(host for host in free if host not in taken)
        status = {"loadBalancer": {"ingress": [{"ip": address, "ipMode": "VIP"}]}}
        metadata = service["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/services/{metadata['name']}/status"
        api.request("PATCH", path, {"status": status})


def _needs_address(service: dict) -> bool:
    # A Service with a class belongs to another controller.
    spec = service["spec"]
    return spec["type"] == "LoadBalancer" and "loadBalancerClass" not in spec


def _addresses(service: dict) -> list[str]:
    ingress = service["status"].get("loadBalancer", {}).get("ingress", [])
    return [each["ip"] for each in ingress]
