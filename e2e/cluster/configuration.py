"""The configuration files of the nodes' components."""

import json
from pathlib import Path
from string import Template

from . import layout

PAUSE = f"{layout.IMAGES}/pause:1"
RESOLVER = layout.CONFIGURATION / "resolv.conf"

# The tools that kube-proxy and kube-router call, and Debian's programs. Debian chooses the
# program behind iptables when it installs the package, and chooses that for nftables.
TOOLS = {"ip": "ip", "ipset": "ipset", "nft": "nft"} | {
    f"iptables{verb}": f"iptables-nft{verb}" for verb in ("", "-restore", "-save")
}


def write() -> None:
    """Writes the files of the cluster, before its first process starts."""
    layout.CONFIGURATION.mkdir(parents=True)
    # No test needs DNS: a query to this address fails at once.
    RESOLVER.write_text("nameserver 127.0.0.1\n")
    _json(layout.CONFIGURATION / "registry.json", DOCKER_REGISTRY)
    layout.BIN.mkdir()
    for tool, program in TOOLS.items():
        _wrap(tool, program)


def write_node() -> None:
    """Writes the files of this process's node."""
    _json(layout.NODE.folder / "kubelet.json", KUBELET)
    _json(layout.NODE.folder / "kube-proxy.json", PROXY)
    _json(layout.NODE.folder / "cni/bridge.conflist", BRIDGE)
    write_containerd()
    if layout.NODE != layout.FIRST:
        mirror = layout.CONTAINERD.parent / "certs.d" / layout.IMAGES / "hosts.toml"
        mirror.parent.mkdir(parents=True, exist_ok=True)
        mirror.write_text(f"[host.'http://{layout.FIRST.address}:5000']\n")


def _json(file: Path, content: dict) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(content, indent=1))


def write_containerd(*, use_local_image_pull: bool | None = None) -> None:
    """Writes containerd's configuration, as the node's first boot does. With None,
    containerd's default for `use_local_image_pull` applies."""
    template = Template(Path(__file__).with_name("containerd.toml").read_text())
    text = template.substitute(
        folder=layout.NODE.folder,
        pause=PAUSE,
        runc=layout.BOOKWORM / "usr/sbin/runc",
        cni=layout.FORKY / "usr/lib/cni",
        pull=""
        if use_local_image_pull is None
        else f"use_local_image_pull = {str(use_local_image_pull).lower()}",
    )
    layout.CONTAINERD.parent.mkdir(exist_ok=True)
    layout.CONTAINERD.write_text(text)


def _wrap(tool: str, name: str) -> None:
    """Writes a wrapper with which a tool finds its libraries in the unpacked packages."""
    (program,) = [
        path
        for folder in ("usr/sbin", "sbin", "usr/bin", "bin")
        if (path := layout.BOOKWORM / folder / name).is_file()
    ][:1]
    libraries = layout.libraries(layout.BOOKWORM)
    (extensions,) = layout.BOOKWORM.glob("usr/lib/*/xtables")
    variables = f"LD_LIBRARY_PATH={libraries} XTABLES_LIBDIR={extensions}"
    wrapper = layout.BIN / tool
    wrapper.write_text(f'#!/bin/sh\n{variables} exec {program} "$@"\n')
    wrapper.chmod(0o755)


KUBELET = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    # On a machine with cgroup v1, the kubelet starts only with this setting.
    "failCgroupV1": False,
    "cgroupDriver": "cgroupfs",
    "cgroupRoot": f"/{layout.NODE.cgroup}",
    "enforceNodeAllocatable": ["pods"],
    "failSwapOn": False,
    # As in README's node pool: the taint keeps pods away until the node can run Wasm.
    "registerWithTaints": [
        {"key": layout.STARTUP_TAINT, "value": "pending", "effect": "NoSchedule"}
    ],
    # A lower score needs CAP_SYS_RESOURCE.
    "oomScoreAdj": 0,
    "makeIPTablesUtilChains": False,
    "maxOpenFiles": 20000,
    "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
    # The default is a folder in the machine's /usr.
    "volumePluginDir": f"{layout.NODE.folder}/plugins",
    "podLogsDir": f"{layout.NODE.folder}/pods",
    "resolvConf": str(RESOLVER),
    # The machine's disk may be almost full, and these pods need no space.
    "evictionHard": {
        "memory.available": "100Mi",
        "nodefs.available": "1%",
        "imagefs.available": "1%",
    },
    "imageGCHighThresholdPercent": 100,
    "imageGCLowThresholdPercent": 99,
    "tlsCertFile": f"{layout.KEYS}/kubelet-server.crt",
    "tlsPrivateKeyFile": f"{layout.KEYS}/kubelet-server.key",
    "authentication": {
        "anonymous": {"enabled": False},
        "webhook": {"enabled": True},
        "x509": {"clientCAFile": f"{layout.KEYS}/authority.crt"},
    },
    "authorization": {"mode": "Webhook"},
    "clusterDomain": "cluster.local",
}

PROXY = {
    "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
    "kind": "KubeProxyConfiguration",
    "mode": "nftables",
    "clusterCIDR": layout.PODS,
    "oomScoreAdj": 0,
    "hostnameOverride": layout.NODE.name,
    "bindAddress": layout.NODE.address,
    "clientConnection": {"kubeconfig": f"{layout.CONFIGURATION}/proxy.json"},
    # With these values kube-proxy does not change the machine's sysctls.
    "conntrack": {
        "maxPerCore": 0,
        "min": 0,
        "tcpEstablishedTimeout": "0s",
        "tcpCloseWaitTimeout": "0s",
    },
}

DOCKER_REGISTRY = {
    "version": 0.1,
    "log": {"level": "warn", "accesslog": {"disabled": True}},
    "storage": {
        "filesystem": {"rootdirectory": f"{layout.STATE}/registry"},
        "delete": {"enabled": True},
    },
    # On all addresses, because the second node pulls from it, too.
    "http": {"addr": ":5000"},
}

BRIDGE = {
    "cniVersion": "1.0.0",
    "name": "swiss",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "hairpinMode": True,
            "ipam": {
                "type": "host-local",
                "dataDir": "/run/cni",
                "ranges": [[{"subnet": layout.NODE.pods}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }
    ],
}
