"""Where everything of the cluster is: its parts, its files, its names and addresses.

cluster.mk sets the environment:

KUBERNETES  folder with the binaries of Kubernetes
FORKY       root of the unpacked packages of Debian 14
BOOKWORM    root of those of Debian 12
STATE       folder of the running cluster, which is there only while it runs
"""

import os
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
# Of the node's containerd, in the node's mounts.
CONTAINERD = Path("/etc/containerd/config.toml")
ADMIN = CONFIGURATION / "admin.json"

# The host name of the node, and the name of its cgroups.
NODE = "swiss-e2e"

# The node pool's, as runtime-class/README.md has them.
LABEL = "wasm-runtime=spin"
STARTUP_TAINT = "startup-taint.cluster-autoscaler.kubernetes.io/wasm-runtime"

# Of the private network namespaces; they cannot meet the machine's own.
NODE_ADDRESS = "10.210.0.1"
CLIENT_ADDRESS = "10.210.0.2"
LOAD_BALANCERS = "10.211.0.0/24"
SERVICES = "10.97.0.0/16"
API_SERVICE = "10.97.0.1"
PODS = "10.245.0.0/24"
API = f"https://{NODE_ADDRESS}:6443"
IMAGES = "127.0.0.1:5000"

# The network namespace from which tests ask, as somebody outside of the cluster.
CLIENT = "client"

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
