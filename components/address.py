"""Where a deployment is reached, before anything of it runs. Pure.

What a platform hands out by itself, such as the address of a load balancer, is not known here.
"""

from collections.abc import Callable, Mapping
from ipaddress import ip_address

from components.model import Expose, Settings, Target, TlsFrom

HTTP = 80
"""The port that no address has to name."""


def url(settings: Settings) -> str:
    """Give the address of the deployment."""
    return _URLS[settings.target](settings)


def public(settings: Settings) -> str:
    """Give the address that visitors know, without a path: with HTTPS, unless the domain is this machine itself."""
    return url(settings).rstrip("/") if is_this_machine(settings.domain) else f"https://{settings.domain}"


def is_this_machine(domain: str) -> bool:
    """Whether a host name always means the machine that asks (RFC 6761)."""
    return domain == "localhost" or domain.endswith(".localhost")


def local_names(settings: Settings) -> list[str]:
    """List the names beside the domain that a visitor may use who needs nothing but a way to the edge."""
    return _NAMES[settings.target](settings)


def local_origins(settings: Settings) -> list[str]:
    """List the origins of pages that are asked for by such names."""
    return _ORIGINS[settings.target](settings)


def service(settings: Settings) -> str:
    """Give the name of the edge inside its cluster."""
    return f"edge.{settings.kubernetes.namespace}.svc"


def _published(settings: Settings) -> str:
    if settings.edge.gateway is None:
        return f"http://{settings.edge.address}:{settings.edge.port}/"
    port = settings.review.gateway.port
    return f"http://{settings.domain}/" if port == HTTP else f"http://{settings.domain}:{port}/"


def _exposed(settings: Settings) -> str:
    if settings.kubernetes.expose not in {Expose.INGRESS, Expose.GATEWAY}:
        return f"http://{service(settings)}/"
    return f"{'http' if settings.kubernetes.tls is TlsFrom.NONE else 'https'}://{settings.domain}/"


def _published_names(settings: Settings) -> list[str]:
    if settings.edge.gateway is not None:
        return []  # the gateway knows the host names of the stack alone
    return ["127.0.0.1", "localhost"] if ip_address(settings.edge.address).is_loopback else []


def _exposed_names(settings: Settings) -> list[str]:
    # Only who may forward a port to the cluster, or runs in it, asks for these.
    return [service(settings), "127.0.0.1", "localhost"] if settings.kubernetes.expose is Expose.NONE else []


def _published_origins(settings: Settings) -> list[str]:
    return [f"http://{name}:{settings.edge.port}" for name in _published_names(settings)]


def _exposed_origins(settings: Settings) -> list[str]:
    return [f"http://{name}" for name in _exposed_names(settings)[:1]]


_Words = Mapping[Target, Callable[[Settings], list[str]]]
_URLS: Mapping[Target, Callable[[Settings], str]] = {Target.DOCKER: _published, Target.KUBERNETES: _exposed}
_NAMES: _Words = {Target.DOCKER: _published_names, Target.KUBERNETES: _exposed_names}
_ORIGINS: _Words = {Target.DOCKER: _published_origins, Target.KUBERNETES: _exposed_origins}
