"""Where everything of the cluster is: its parts, its files, its names and addresses.

cluster.mk sets the environment:

KUBERNETES  folder with the binaries of Kubernetes
FORKY       root of the unpacked packages of Debian 14
BOOKWORM    root of those of Debian 12
STATE       folder of the running cluster, which is there only while it runs
NODE        which of the nodes a process belongs to, by its name; the first, if not set
"""

import os
from dataclasses import dataclass
from pathlib import Path


def _path(variable: str) -> Path:
    return Path(os.environ[variable])


KUBERNETES = _path("KUBERNETES")
FORKY = _path("FORKY")
BOOKWORM = _path("BOOKWORM")
STATE = _path("STATE")

LOGS = STATE / "log"
KEYS = STATE / "keys"
CONFIGURATION = STATE / "configuration"
BIN = STATE / "bin"
# What is ready when, in seconds from the start; the file is there when all is.
TIMES = STATE / "times.json"
ADMIN = CONFIGURATION / "admin.json"
# Of a node's containerd, in the node's mounts.
CONTAINERD = Path("/etc/containerd/config.toml")


@dataclass(frozen=True)
class Node:
    # Its host name, too.
    name: str
    address: str
    pods: str
    # In every hierarchy of the machine's.
    cgroup: str

    @property
    def folder(self) -> Path:
        """What is its own: containerd's and the kubelet's files."""
        return STATE / self.name


# The first runs the control plane, and the second is there to be drained.
FIRST = Node("swiss-e2e", "10.210.0.1", "10.245.0.0/24", "swiss-e2e")
SECOND = Node("swiss-e2e-2", "10.210.0.6", "10.245.1.0/24", "swiss-e2e/second")
NODES = {node.name: node for node in (FIRST, SECOND)}
NODE = NODES[os.environ.get("NODE", FIRST.name)]
# The first node's end of the wire to the second.
WAY_TO_SECOND = "10.210.0.5"

# The node pool's, as runtime-class/README.md has them.
LABEL = "wasm-runtime=spin"
STARTUP_TAINT = "startup-taint.cluster-autoscaler.kubernetes.io/wasm-runtime"

# Of the private network namespaces; they cannot meet the machine's own.
CLIENT_ADDRESS = "10.210.0.2"
LOAD_BALANCERS = "10.211.0.0/24"
SERVICES = "10.97.0.0/16"
API_SERVICE = "10.97.0.1"
PODS = "10.245.0.0/16"
API = f"https://{FIRST.address}:6443"
# The registry listens on the first node; images have this name on every node.
IMAGES = "127.0.0.1:5000"

# The network namespace from which tests ask, as somebody outside of the cluster.
CLIENT = "client"
# Its ports from which connections come: which the kernel chooses, and which it does.
EPHEMERAL_PORTS = range(20_000, 65_536)
OWN_PORTS = range(1024, 20_000)

PATH = ":".join(
    [
        str(BIN),
        str(KUBERNETES),
        *(f"{root}/usr/{folder}" for root in (FORKY, BOOKWORM) for folder in ("bin", "sbin")),
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ]
)


def environment() -> dict[str, str]:
    """That of every process in the cluster: nothing of the user's."""
    variables = ("KUBERNETES", "FORKY", "BOOKWORM", "STATE")
    return {name: os.environ[name] for name in variables} | {
        "PATH": PATH,
        "HOME": str(STATE / "home"),
        "LANG": "C.UTF-8",
    }
