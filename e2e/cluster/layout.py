"""The layout of the cluster: its programs, files, names and addresses.

cluster.mk sets the environment, node.py sets NODE:

KUBERNETES   folder with the binaries of Kubernetes
KUBE_ROUTER  folder with the binary of kube-router
FORKY        root of the unpacked packages of Debian 14
BOOKWORM     root of the unpacked packages of Debian 12
SYSTEMD      root of the unpacked package of systemd and of its libraries
STATE        folder of the cluster's files, which `down` removes
NODE         name of the node that a process belongs to, the first node by default
"""

import os
from dataclasses import dataclass
from pathlib import Path


def _path(variable: str) -> Path:
    return Path(os.environ[variable])


KUBERNETES = _path("KUBERNETES")
KUBE_ROUTER = _path("KUBE_ROUTER")
FORKY = _path("FORKY")
BOOKWORM = _path("BOOKWORM")
SYSTEMD = _path("SYSTEMD")
STATE = _path("STATE")

LOGS = STATE / "log"
KEYS = STATE / "keys"
CONFIGURATION = STATE / "configuration"
BIN = STATE / "bin"
# When each part was ready, in seconds from the start. The file exists when all are ready.
TIMES = STATE / "times.json"
ADMIN = CONFIGURATION / "admin.json"
# The configuration of a node's containerd, in the node's mount namespace.
CONTAINERD = Path("/etc/containerd/config.toml")


@dataclass(frozen=True)
class Node:
    # Also the host name.
    name: str
    address: str
    pods: str
    # The path in every cgroup hierarchy of the machine.
    cgroup: str

    @property
    def folder(self) -> Path:
        """The node's own files, such as those of containerd and the kubelet."""
        return STATE / self.name


# The first node runs the control plane. The second exists for the test of a drain.
FIRST = Node("swiss-e2e", "10.210.0.1", "10.245.0.0/24", "swiss-e2e")
SECOND = Node("swiss-e2e-2", "10.210.0.6", "10.245.1.0/24", "swiss-e2e/second")
NODES = {node.name: node for node in (FIRST, SECOND)}
NODE = NODES[os.environ.get("NODE", FIRST.name)]
# The first node's address on the link to the second, whose default gateway it is.
GATEWAY_OF_SECOND = "10.210.0.5"

# The node pool's label and taint, as in runtime-class/README.md.
LABEL = "wasm-runtime=spin"
STARTUP_TAINT = "startup-taint.cluster-autoscaler.kubernetes.io/wasm-runtime"

# Addresses in the cluster's network namespaces, which cannot conflict with the machine's.
CLIENT_ADDRESS = "10.210.0.2"
LOAD_BALANCERS = "10.211.0.0/24"
SERVICES = "10.97.0.0/16"
API_SERVICE = "10.97.0.1"
PODS = "10.245.0.0/16"
API = f"https://{FIRST.address}:6443"
# The registry's name on every node. It listens on the first node.
IMAGES = "127.0.0.1:5000"

# The network namespace of the client outside the cluster, which sends the tests' requests.
CLIENT = "client"
# The client's source ports: those that the kernel chooses, and those that tests choose.
EPHEMERAL_PORTS = range(20_000, 65_536)
TEST_PORTS = range(1024, 20_000)

PATH = ":".join(
    [
        str(BIN),
        str(KUBERNETES),
        str(KUBE_ROUTER),
        *(f"{root}/usr/{folder}" for root in (FORKY, BOOKWORM) for folder in ("bin", "sbin")),
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ]
)


def libraries(root: Path) -> str:
    """The folders in which programs of unpacked packages find their libraries."""
    triplet = f"{os.uname().machine}-linux-gnu"
    # systemd has a folder of its own.
    folders = (f"usr/lib/{triplet}", f"lib/{triplet}", f"usr/lib/{triplet}/systemd")
    return ":".join(f"{root}/{folder}" for folder in folders)


def environment() -> dict[str, str]:
    """The environment of every process in the cluster, without the user's variables."""
    variables = ("KUBERNETES", "KUBE_ROUTER", "FORKY", "BOOKWORM", "SYSTEMD", "STATE")
    return {name: os.environ[name] for name in variables} | {
        "PATH": PATH,
        "HOME": str(STATE / "home"),
        "LANG": "C.UTF-8",
    }
