"""The cluster's certificates: three authorities, and what they sign.

They are made once for each cluster and go with it. Nothing but this machine ever trusts them.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tools.airgap.cluster import place

YEARS = 10
CLUSTER, FRONT_PROXY, ETCD = "ca", "front-proxy-ca", "etcd-ca"
AUTHORITIES = {CLUSTER: "kubernetes-ca", FRONT_PROXY: "front-proxy-ca", ETCD: "etcd-ca"}
ACCOUNTS = "service-accounts"
"""The key that signs the tokens of service accounts."""


@dataclass(frozen=True)
class Certificate:
    """What is signed: for whom, by which authority, for servers at which names (none: for clients)."""

    name: str
    subject: str
    groups: tuple[str, ...] = ()
    authority: str = CLUSTER
    names: tuple[str, ...] = ()
    client: bool = True


CERTIFICATES = (
    Certificate(
        "apiserver",
        "kube-apiserver",
        names=(
            *("kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{place.DOMAIN}"),
            *("localhost", "127.0.0.1", place.NODE_ADDRESS, place.SERVICE_ADDRESS),
        ),
        client=False,
    ),
    Certificate("apiserver-kubelet", "kube-apiserver-kubelet-client", ("system:masters",)),
    Certificate("apiserver-etcd", "kube-apiserver-etcd-client", authority=ETCD),
    Certificate("etcd", "etcd", authority=ETCD, names=("localhost", "127.0.0.1")),
    Certificate("front-proxy", "front-proxy-client", authority=FRONT_PROXY),
    Certificate("admin", "kubernetes-admin", ("system:masters",)),
    Certificate("controller-manager", "system:kube-controller-manager"),
    Certificate("scheduler", "system:kube-scheduler"),
    Certificate("kube-proxy", "system:kube-proxy"),
    Certificate("kubelet", f"system:node:{place.NODE}", ("system:nodes",)),
    Certificate(
        "kubelet-server",
        f"system:node:{place.NODE}",
        ("system:nodes",),
        names=(place.NODE, "localhost", "127.0.0.1", place.NODE_ADDRESS),
        client=False,
    ),
)


def certificate(name: str) -> Path:
    """Where a certificate lies."""
    return place.pki() / f"{name}.crt"


def key(name: str) -> Path:
    """Where a private key lies."""
    return place.pki() / f"{name}.key"


def public_key(name: str) -> Path:
    """Where a public key lies."""
    return place.pki() / f"{name}.pub"


def ensure() -> bool:
    """Make all of them unless they are there; whether they were made. The mark comes last: half of them never counts."""
    mark = place.pki() / "complete"
    if mark.exists():
        return False
    signers = {}
    for name, subject in AUTHORITIES.items():
        signers[name] = _authority(name, subject)
    for each in CERTIFICATES:
        issuer, issuer_key = signers[each.authority]
        _sign(each, issuer, issuer_key)
    tokens = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    _write_key(ACCOUNTS, tokens)
    public_key(ACCOUNTS).write_bytes(
        tokens.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    mark.touch()
    return True


def _authority(name: str, subject: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    private = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    signed = (
        _builder(who, who, private)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(private, hashes.SHA256())
    )
    _write(name, signed, private)
    return signed, private


def _sign(wanted: Certificate, issuer: x509.Certificate, issuer_key: ec.EllipticCurvePrivateKey) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name(
        [
            *(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in wanted.groups),
            x509.NameAttribute(NameOID.COMMON_NAME, wanted.subject),
        ]
    )
    uses = [ExtendedKeyUsageOID.SERVER_AUTH] if wanted.names else []
    uses += [ExtendedKeyUsageOID.CLIENT_AUTH] if wanted.client else []
    builder = (
        _builder(who, issuer.subject, private)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if wanted.names:
        builder = builder.add_extension(x509.SubjectAlternativeName(_names(wanted.names)), critical=False)
    _write(wanted.name, builder.sign(issuer_key, hashes.SHA256()), private)


def _names(names: Sequence[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _builder(subject: x509.Name, issuer: x509.Name, private: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks of virtual machines jump
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(name: str, signed: x509.Certificate, private: ec.EllipticCurvePrivateKey) -> None:
    _write_key(name, private)
    certificate(name).write_bytes(signed.public_bytes(serialization.Encoding.PEM))


def _write_key(name: str, private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    path = key(name)
    path.touch(mode=0o600)
    path.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
