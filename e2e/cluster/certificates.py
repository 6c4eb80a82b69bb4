"""A certificate authority, and certificates and kubeconfigs for the cluster's components."""

import ipaddress
import json
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from . import layout

NODES = layout.NODES.values()

SERVERS = {
    "apiserver": [
        "127.0.0.1",
        layout.FIRST.address,
        layout.API_SERVICE,
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "localhost",
    ],
    "kubelet-server": [each for node in NODES for each in (node.address, node.name)],
}

# Name and group, by which RBAC and the node authorizer identify a client.
CLIENTS = {
    "admin": ("admin", "system:masters"),
    # The API server as a client of the kubelet, for example for logs.
    "kubelet-client": ("kube-apiserver", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", None),
    "scheduler": ("system:kube-scheduler", None),
    "proxy": ("system:kube-proxy", None),
} | {node.name: (f"system:node:{node.name}", "system:nodes") for node in NODES}


def write() -> None:
    layout.KEYS.mkdir(mode=0o700)
    key = _key("authority")
    name = _name("swiss-e2e", None)
    authority = _certificate(name, name, key, key).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    _write("authority", authority.sign(key, hashes.SHA256()))
    for server, names in SERVERS.items():
        _issue(server, (server, None), ExtendedKeyUsageOID.SERVER_AUTH, key, name, names)
    for client, subject in CLIENTS.items():
        _issue(client, subject, ExtendedKeyUsageOID.CLIENT_AUTH, key, name, [])
        _kubeconfig(client)
    _service_accounts()


def _issue(file, subject, usage, authority_key, authority_name, names) -> None:
    certificate = _certificate(_name(*subject), authority_name, _key(file), authority_key)
    certificate = certificate.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if names:
        alternatives = x509.SubjectAlternativeName([_alternative(each) for each in names])
        certificate = certificate.add_extension(alternatives, critical=False)
    _write(file, certificate.sign(authority_key, hashes.SHA256()))


def _certificate(subject, issuer, key, issuer_key) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A clock that is set back must not make the certificate invalid.
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(identifier, critical=False)
    )


def _name(common_name: str, organization: str | None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key(file: str) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    (layout.KEYS / f"{file}.key").write_bytes(pem)
    return key


def _write(file: str, certificate: x509.Certificate) -> None:
    (layout.KEYS / f"{file}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _service_accounts() -> None:
    """The key pair for service account tokens."""
    public = _key("service-accounts").public_key()
    (layout.KEYS / "service-accounts.pub").write_bytes(
        public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def _kubeconfig(client: str) -> None:
    cluster = {"server": layout.API, "certificate-authority": f"{layout.KEYS}/authority.crt"}
    user = {
        "client-certificate": f"{layout.KEYS}/{client}.crt",
        "client-key": f"{layout.KEYS}/{client}.key",
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "e2e", "cluster": cluster}],
        "users": [{"name": client, "user": user}],
        "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": client}}],
        "current-context": "e2e",
    }
    # JSON is valid YAML, here and in the other configuration files.
    (layout.CONFIGURATION / f"{client}.json").write_text(json.dumps(config))
