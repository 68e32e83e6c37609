"""How visitors reach the edge: the type of its Service, an Ingress, or the route of a Gateway. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi import Input
from pulumi_kubernetes import core, networking

from components.args import Exposure
from components.kubernetes import metadata, roles
from components.model import Expose, TlsFrom
from components.nginx import HTTP_PORT

PORT = 80
"""The port of the edge's Service."""

ROUTE_VERSION, ROUTE_KIND = "gateway.networking.k8s.io/v1", "HTTPRoute"
GRANT_VERSION, GRANT_KIND = "gateway.networking.k8s.io/v1beta1", "ReferenceGrant"
CERTIFICATE_VERSION, CERTIFICATE_KIND = "cert-manager.io/v1", "Certificate"

_TYPES = {Expose.NODE_PORT: "NodePort", Expose.LOAD_BALANCER: "LoadBalancer"}
_ISSUER = "cert-manager.io/cluster-issuer"


def service(exposure: Exposure, selector: Mapping[str, str]) -> core.v1.ServiceSpecArgs:
    """Give the specification of the edge's Service."""
    return core.v1.ServiceSpecArgs(
        type=_TYPES.get(exposure.kind, "ClusterIP"),
        selector=selector,
        ports=[core.v1.ServicePortArgs(name="http", port=PORT, target_port=HTTP_PORT, protocol="TCP")],
        # From node to node, the address of the visitor would be lost. A port of each node has to answer on each.
        external_traffic_policy="Local" if exposure.kind is Expose.LOAD_BALANCER else None,
    )


def annotations(exposure: Exposure) -> Mapping[str, str]:
    """Give the annotations of the Ingress."""
    tls = exposure.tls
    issuer = {_ISSUER: tls.issuer} if tls is not None and tls.kind is TlsFrom.CERT_MANAGER and tls.issuer else {}
    return {**metadata.SKIP_AWAIT, **issuer}


def ingress(exposure: Exposure, hosts: Sequence[str], secret: Input[str] | None) -> networking.v1.IngressSpecArgs:
    """Give the specification of the Ingress; ``secret`` is the one with the certificate."""
    backend = networking.v1.IngressBackendArgs(
        service=networking.v1.IngressServiceBackendArgs(
            name=roles.EDGE, port=networking.v1.ServiceBackendPortArgs(number=PORT)
        )
    )
    path = networking.v1.HTTPIngressPathArgs(path="/", path_type="Prefix", backend=backend)
    rules = networking.v1.HTTPIngressRuleValueArgs(paths=[path])
    return networking.v1.IngressSpecArgs(
        ingress_class_name=exposure.ingress_class,
        rules=[networking.v1.IngressRuleArgs(host=host, http=rules) for host in hosts],
        tls=[networking.v1.IngressTLSArgs(hosts=[*hosts], secret_name=secret)] if secret is not None else None,
    )


def route(exposure: Exposure, hosts: Sequence[str]) -> dict[str, Any]:
    """Give the specification of the route from a Gateway that is there already."""
    namespace, name = _gateway(exposure)
    return {
        "parentRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": namespace, "name": name}],
        "hostnames": [*hosts],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "backendRefs": [{"group": "", "kind": "Service", "name": roles.EDGE, "port": PORT, "weight": 1}],
            }
        ],
    }


def grant(exposure: Exposure) -> dict[str, Any]:
    """Give what lets the Gateway read the certificate: its listener names it by namespace and name."""
    namespace, _ = _gateway(exposure)
    return {
        "from": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": namespace}],
        "to": [{"group": "", "kind": "Secret", "name": roles.TLS}],
    }


def certificate(issuer: str, hosts: Sequence[str]) -> dict[str, Any]:
    """Give the certificate that cert-manager keeps for a Gateway; an Ingress asks for its own by an annotation."""
    return {
        "secretName": roles.TLS,
        "dnsNames": [*hosts],
        "issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": issuer},
    }


def _gateway(exposure: Exposure) -> tuple[str, str]:
    namespace, _, name = (exposure.gateway or "").partition("/")
    return namespace, name
