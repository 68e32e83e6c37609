"""The certificate of the domain: from the stack's secrets, or from cert-manager.

An Ingress names it in the stack's own namespace. A Gateway is in another one: its listener names the fixed name, and a
grant lets it.
"""

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes import core

from components.args import EdgeArgs, Tls
from components.kubernetes import exposure, metadata, roles
from components.model import Expose, TlsFrom


def create(name: str, args: EdgeArgs, tls: Tls, parent: pulumi.Resource) -> Input[str]:
    """Register the certificate, and give the name of the Secret that holds it."""
    gateway = args.exposure.kind is Expose.GATEWAY
    if gateway:
        _custom(
            f"{name}-grant", exposure.GRANT_VERSION, exposure.GRANT_KIND, exposure.grant(args.exposure), args, parent
        )
    if tls.kind is TlsFrom.SECRET:
        return _secret(name, args, tls, parent)
    if gateway:
        spec = exposure.certificate(tls.issuer or "", [args.domain, *args.hosts])
        _custom(f"{name}-issued", exposure.CERTIFICATE_VERSION, exposure.CERTIFICATE_KIND, spec, args, parent)
    # cert-manager makes it, by an annotation of the Ingress or by the object above.
    return roles.TLS


def _secret(name: str, args: EdgeArgs, tls: Tls, parent: pulumi.Resource) -> Output[str]:
    # Another certificate is another Secret, which the Ingress then names. A Gateway knows one name alone.
    fixed = roles.TLS if args.exposure.kind is Expose.GATEWAY else None
    secret = core.v1.Secret(
        name,
        metadata=metadata.of(args.owner, roles.EDGE, args.network, name=fixed),
        type="kubernetes.io/tls",
        string_data={"tls.crt": Output.secret(tls.certificate or ""), "tls.key": Output.secret(tls.key or "")},
        opts=ResourceOptions(parent=parent),
    )
    return Output.unsecret(secret.metadata.apply(lambda it: str(it.name)))


def _custom(  # noqa: PLR0913, PLR0917 - what an object is made of
    name: str, version: str, kind: str, spec: object, args: EdgeArgs, parent: pulumi.Resource
) -> None:
    kubernetes.apiextensions.CustomResource(
        name,
        api_version=version,
        kind=kind,
        metadata=metadata.of(args.owner, roles.EDGE, args.network, name=roles.TLS, annotations=metadata.SKIP_AWAIT),
        spec=spec,
        opts=ResourceOptions(parent=parent),
    )
