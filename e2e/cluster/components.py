"""The processes of a node, each after those that it needs."""

from dataclasses import dataclass

from . import layout, systemd

_KEYS, _CONFIGURATION = layout.KEYS, layout.CONFIGURATION
_ETCD, _ETCD_PEER = "http://127.0.0.1:2379", "http://127.0.0.1:2380"


@dataclass(frozen=True)
class Component:
    name: str
    command: list[str]
    # Whether it starts only when the API server is ready.
    after_api: bool = True
    # Whether every node runs it, and not only the first.
    everywhere: bool = False


def _kubeconfig(client: str) -> str:
    return f"--kubeconfig={_CONFIGURATION}/{client}.json"


COMPONENTS = [
    Component(
        "registry",
        ["docker-registry", "serve", f"{_CONFIGURATION}/registry.json"],
        after_api=False,
    ),
    Component(
        # Starts containerd.
        "systemd",
        systemd.command(),
        after_api=False,
        everywhere=True,
    ),
    Component(
        "etcd",
        [
            "etcd",
            f"--name={layout.NODE.name}",
            # In memory, because the data does not have to outlive the cluster.
            "--data-dir=/run/etcd",
            "--unsafe-no-fsync",
            "--log-level=warn",
            f"--listen-client-urls={_ETCD}",
            f"--advertise-client-urls={_ETCD}",
            f"--listen-peer-urls={_ETCD_PEER}",
            f"--initial-advertise-peer-urls={_ETCD_PEER}",
            f"--initial-cluster={layout.NODE.name}={_ETCD_PEER}",
        ],
        after_api=False,
    ),
    Component(
        "apiserver",
        [
            "kube-apiserver",
            f"--etcd-servers={_ETCD}",
            "--secure-port=6443",
            f"--advertise-address={layout.NODE.address}",
            f"--client-ca-file={_KEYS}/authority.crt",
            f"--tls-cert-file={_KEYS}/apiserver.crt",
            f"--tls-private-key-file={_KEYS}/apiserver.key",
            f"--kubelet-client-certificate={_KEYS}/kubelet-client.crt",
            f"--kubelet-client-key={_KEYS}/kubelet-client.key",
            f"--kubelet-certificate-authority={_KEYS}/authority.crt",
            # No DNS resolves the node's name.
            "--kubelet-preferred-address-types=InternalIP",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={_KEYS}/service-accounts.pub",
            f"--service-account-signing-key-file={_KEYS}/service-accounts.key",
            f"--service-cluster-ip-range={layout.SERVICES}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
        ],
        after_api=False,
    ),
    Component(
        "controller-manager",
        [
            "kube-controller-manager",
            _kubeconfig("controller-manager"),
            f"--root-ca-file={_KEYS}/authority.crt",
            f"--service-account-private-key-file={_KEYS}/service-accounts.key",
            "--use-service-account-credentials",
            "--leader-elect=false",
            # With the default of 20, the first service account is created 5 s later.
            "--kube-api-qps=300",
            "--kube-api-burst=500",
            f"--flex-volume-plugin-dir={layout.NODE.folder}/plugins",
            "--bind-address=127.0.0.1",
        ],
    ),
    Component(
        "scheduler",
        [
            "kube-scheduler",
            _kubeconfig("scheduler"),
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
        ],
    ),
    Component(
        "kubelet",
        [
            "kubelet",
            f"--config={layout.NODE.folder}/kubelet.json",
            _kubeconfig(layout.NODE.name),
            f"--hostname-override={layout.NODE.name}",
            f"--node-ip={layout.NODE.address}",
            f"--node-labels={layout.LABEL}",
            f"--root-dir={layout.NODE.folder}/kubelet",
        ],
        everywhere=True,
    ),
    Component(
        "proxy",
        ["kube-proxy", f"--config={layout.NODE.folder}/kube-proxy.json"],
        everywhere=True,
    ),
    Component(
        # Enforces NetworkPolicies. Exits, and is started again, until the Node exists.
        "kube-router",
        [
            "kube-router",
            # None of Kubernetes' own roles may read all that it reads.
            _kubeconfig("admin"),
            f"--hostname-override={layout.NODE.name}",
            "--run-firewall",
            "--run-router=false",
            "--run-service-proxy=false",
            f"--service-cluster-ip-range={layout.SERVICES}",
            "--health-port=0",
        ],
        everywhere=True,
    ),
]
