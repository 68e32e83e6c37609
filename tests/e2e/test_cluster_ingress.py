"""The two ways in by host name: an Ingress and a Gateway's route, each with TLS from a Secret, each to a stack that runs.

``make cluster ADDONS=ingress`` brings what does both on this machine: Traefik, at a port for each of HTTP and HTTPS.
Another cluster's controller does the same with the classes named here.
"""

import datetime as dt
import http.client
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.e2e.cluster import Cluster, RefusedError, wait
from tests.e2e.cluster_site import ClusterSite
from tools.airgap.cluster.extras import HTTPS_PORT

pytestmark = [pytest.mark.cluster, pytest.mark.long]

CLASS = "traefik"
DOMAIN = "guestbook.example.org"
HTTPS_LISTENER = 8443
"""Where Traefik listens itself: what its listeners are known by."""
GATEWAYS = "/apis/gateway.networking.k8s.io/v1"


@dataclass(frozen=True)
class Certificate:
    """A certificate that only its own file vouches for."""

    file: Path
    key: Path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for the domain alone."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, DOMAIN)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(DOMAIN)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    found = Certificate(folder / "certificate.pem", folder / "key.pem")
    found.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    found.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return found


@pytest.fixture(scope="module")
def controller(cluster: Cluster) -> None:
    """The controller is there, or the command that brings it is said."""
    try:
        cluster.call("GET", f"/apis/networking.k8s.io/v1/ingressclasses/{CLASS}")
        cluster.call("GET", f"{GATEWAYS}/gatewayclasses/{CLASS}")
    except RefusedError as error:
        pytest.fail(f"the cluster has no {CLASS}: make cluster ADDONS=ingress ({error})")


@pytest.fixture(scope="module")
def site(
    controller: None,  # noqa: ARG001 - first
    make_cluster_site: Callable[..., ClusterSite],
    certificate: Certificate,
) -> ClusterSite:
    """A stack behind an Ingress."""
    made = make_cluster_site("ways-in", **exposed("ingress", ingress_class=CLASS)).secrets()
    for name, file in (("tls_certificate", certificate.file), ("tls_key", certificate.key)):
        subprocess.run(
            ["pulumi", "config", "set", "--secret", f"secrets:{name}", "--stack", made.stack],
            cwd=made.root,
            env=made.environ,
            input=file.read_bytes(),
            check=True,
            timeout=60,
        )
    made.up().good()
    return made


@pytest.fixture
def gateway(site: ClusterSite) -> Iterator[str]:
    """A Gateway of the test's own, in another namespace than the stack, that ends TLS with the stack's certificate."""
    namespace, name = f"{site.namespace}-gateway", "front"
    site.cluster.make("namespaces", None, {"metadata": {"name": namespace}})
    listener = {
        "name": "https",
        "protocol": "HTTPS",
        "port": HTTPS_LISTENER,
        "hostname": DOMAIN,
        "tls": {"certificateRefs": [{"kind": "Secret", "name": "edge-tls", "namespace": site.namespace}]},
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    body = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": name},
        "spec": {"gatewayClassName": CLASS, "listeners": [listener]},
    }
    site.cluster.call("POST", f"{GATEWAYS}/namespaces/{namespace}/gateways", body)
    yield f"{namespace}/{name}"
    site.cluster.free(namespace)


def exposed(kind: str, **more: str) -> dict[str, object]:
    """The settings of a stack that is reached by its domain, with TLS."""
    return {"domain": DOMAIN, "kubernetes": {"expose": kind, "tls": "secret", **more}}


def ask(certificate: Certificate, name: str = DOMAIN) -> tuple[int, str]:
    """Ask for the page as a browser does: by the name, trusting that one certificate alone."""
    context = ssl.create_default_context(cafile=str(certificate.file))
    with (
        socket.create_connection(("127.0.0.1", HTTPS_PORT), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as connection,
    ):
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.read().decode()


def answered(certificate: Certificate) -> bool:
    """Whether the page comes."""
    try:
        status, page = ask(certificate)
    except (OSError, http.client.HTTPException):
        return False
    return status == http.client.OK and "Guestbook" in page


@pytest.mark.usefixtures("site")
def test_an_ingress_leads_to_the_stack(certificate: Certificate) -> None:
    """The page comes over TLS by the domain, with the certificate that the secrets hold, and by no other name."""
    wait("the page comes through the Ingress", lambda: answered(certificate), 60)

    with pytest.raises(ssl.SSLCertVerificationError):
        ask(certificate, "another.example.org")


def test_a_gateway_leads_to_the_stack(site: ClusterSite, certificate: Certificate, gateway: str) -> None:
    """The same by the route of a Gateway, after one changed setting; the Ingress is gone, so nothing else answers."""
    site.set(**exposed("gateway", gateway=gateway))
    site.up().good()

    assert site.cluster.all("ingresses", site.namespace) == []
    wait("the page comes through the Gateway", lambda: answered(certificate), 60)
