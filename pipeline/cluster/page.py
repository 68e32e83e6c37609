"""Asking the page of a stack in a cluster: at the address that the cluster gives, or through its API server.

An address of a cluster need not be one that this machine reaches; the API server is one, since the update went there.
"""

import http.client
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from components.labels import COMPONENT
from components.model import Expose, Settings, TlsFrom
from components.nginx import HTTP_PORT
from pipeline import page
from pipeline.cluster.check import GATEWAY_API, usable
from pipeline.cluster.connection import NOT_FOUND, Cluster, Json, RefusedError, connect, path_of, place_of
from pipeline.cluster.failed import is_ready
from pipeline.engine import Engine
from pipeline.page import Page
from pipeline.target import Served

EDGE = "edge"
FORWARDED_PORT = 8080
TIMEOUT_SECONDS = 10
DIRECT_SECONDS = 6
"""How long an address of the cluster may take to answer before the API server is asked instead."""


@dataclass(frozen=True)
class Address:
    """Where the cluster lets visitors in."""

    host: str
    port: int
    tls: bool = False


def serve(engine: Engine, settings: Settings) -> Served:
    """Ask the page of a stack that was just brought up."""
    with connect(engine, place_of(settings)) as cluster:
        notes = [f"context {cluster.context}, namespace {cluster.namespace}"]
        log = f"{cluster.kubectl} logs -l {COMPONENT}=web --tail 50"
        address = None
        if settings.kubernetes.expose is not Expose.NONE:
            address = give_address(cluster, settings)
            if address is not None:
                answer = page.wait(lambda: ask(settings, address, TIMEOUT_SECONDS / 2), DIRECT_SECONDS)
                if answer.served:
                    return Served(page=answer, notes=(*notes, *_name(settings, address)), log=log)
                why = answer.error or f"status {answer.status}"
                notes.append(f"{address.host}:{address.port} does not answer from this machine ({why})")
            else:
                notes.append(f"the cluster has not given the {_WAYS[settings.kubernetes.expose]} an address yet")
            notes.append("asked through the API server instead")
        answer = page.wait(lambda: through(cluster, settings))
        return Served(page=answer, notes=(*notes, *forward(cluster, settings)), log=log)


_WAYS = {
    Expose.NODE_PORT: "Service",
    Expose.LOAD_BALANCER: "Service",
    Expose.INGRESS: "Ingress",
    Expose.GATEWAY: "Gateway",
}


def forward(cluster: Cluster, settings: Settings) -> list[str]:
    """The commands that open a way from this machine to the edge."""
    url = f"http://localhost:{FORWARDED_PORT}/"
    opened = url if settings.domain == "localhost" else f"curl -H 'Host: {settings.domain}' {url}"
    return [f"{cluster.kubectl} port-forward service/{EDGE} {FORWARDED_PORT}:80   # then: {opened}"]


def _name(settings: Settings, address: Address) -> list[str]:
    if settings.domain in ("localhost", address.host):
        return []
    return [f"the name {settings.domain} has to lead to {address.host}"]


# ---------------------------------------------------------------------------------------------------------------------
# Where.


def give_address(cluster: Cluster, settings: Settings) -> Address | None:
    """The address that the cluster gives to what the settings expose; None as long as it has none."""
    kubernetes = settings.kubernetes
    tls = kubernetes.tls is not TlsFrom.NONE
    port = http.client.HTTPS_PORT if tls else http.client.HTTP_PORT
    if kubernetes.expose is Expose.NODE_PORT:
        return _node_port(cluster)
    if kubernetes.expose is Expose.LOAD_BALANCER:
        host = _balancer(cluster.get(cluster.inside("v1", "services", EDGE)))
        return Address(host, http.client.HTTP_PORT) if host else None
    if kubernetes.expose is Expose.INGRESS:
        host = _balancer(cluster.get(cluster.inside("networking.k8s.io/v1", "ingresses", EDGE)))
        return Address(host, port, tls) if host else None
    if kubernetes.expose is Expose.GATEWAY:
        home, _, name = str(kubernetes.gateway).partition("/")
        given = ((cluster.get(path_of(GATEWAY_API, "gateways", home, name)) or {}).get("status") or {}).get("addresses")
        return Address(str(given[0]["value"]), port, tls) if given else None
    return None


def _balancer(found: Json | None) -> str | None:
    given = (((found or {}).get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    return next((each.get("ip") or each.get("hostname") for each in given), None)


def _node_port(cluster: Cluster) -> Address | None:
    service = cluster.get(cluster.inside("v1", "services", EDGE)) or {}
    ports = [each.get("nodePort") for each in (service.get("spec") or {}).get("ports") or [] if each.get("nodePort")]
    if not ports:
        return None
    for wanted in ("ExternalIP", "InternalIP"):
        for node in usable(cluster.items(path_of("v1", "nodes"))):
            for each in node["status"].get("addresses") or []:
                if each["type"] == wanted:
                    return Address(str(each["address"]), int(ports[0]))
    return None


# ---------------------------------------------------------------------------------------------------------------------
# How.


def ask(settings: Settings, address: Address, timeout: float = TIMEOUT_SECONDS) -> Page:
    """Ask once, at an address of the cluster, with the domain's name."""
    scheme, usual = ("https", http.client.HTTPS_PORT) if address.tls else ("http", http.client.HTTP_PORT)
    named = settings.kubernetes.expose in (Expose.INGRESS, Expose.GATEWAY) and settings.domain != "localhost"
    host = settings.domain if named else address.host
    url = f"{scheme}://{host}/" if address.port == usual else f"{scheme}://{host}:{address.port}/"

    def connection() -> http.client.HTTPConnection:
        made = http.client.HTTPConnection(address.host, address.port, timeout=timeout)
        if address.tls:
            opened = socket.create_connection((address.host, address.port), timeout)
            # Whether the page is there is asked; a certificate may still be on its way.
            blind = ssl.create_default_context()
            blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
            made.sock = blind.wrap_socket(opened, server_hostname=settings.domain)
        return made

    return page.ask(url, connection, {"Host": settings.domain})


def through(cluster: Cluster, settings: Settings) -> Page:
    """Ask once through the API server, as ``kubectl port-forward`` does, in place of what stands before the edge."""
    url = f"http://{EDGE}.{cluster.namespace}.svc/"
    pods = cluster.items(cluster.inside("v1", "pods"), labelSelector=f"{COMPONENT}={EDGE}")
    up = [pod for pod in pods if is_ready(pod)]
    if not up:
        return Page(url, None, 0, f"none of the {len(pods)} pods of the edge is ready")
    name = str(up[0]["metadata"]["name"])
    headers = {"Host": settings.domain, "X-Forwarded-Proto": "https"}
    return page.ask(url, _forwarded(cluster, name), headers)


def _forwarded(cluster: Cluster, pod: str) -> Callable[[], http.client.HTTPConnection]:
    def connection() -> http.client.HTTPConnection:
        from kubernetes.client import ApiException, CoreV1Api  # type: ignore[import-untyped]  # noqa: PLC0415 - slow
        from kubernetes.stream import portforward  # type: ignore[import-untyped]  # noqa: PLC0415 - untyped and slow

        api = CoreV1Api(cluster.client)
        try:
            opened: Any = portforward(
                api.connect_get_namespaced_pod_portforward, pod, cluster.namespace, ports=str(HTTP_PORT)
            )
        except ApiException as error:
            raise ConnectionError(f"the API server forwards nothing: {error.reason or error.status}") from None
        made = http.client.HTTPConnection("localhost", HTTP_PORT, timeout=TIMEOUT_SECONDS)
        made.sock = opened.socket(HTTP_PORT)
        made.sock.settimeout(TIMEOUT_SECONDS)
        return made

    return connection


def once(cluster: Cluster, settings: Settings) -> Page:
    """Ask once, for the doctor."""
    if settings.kubernetes.expose is not Expose.NONE:
        address = give_address(cluster, settings)
        if address is not None:
            answer = ask(settings, address, DIRECT_SECONDS / 2)
            if answer.served:
                return answer
    try:
        return through(cluster, settings)
    except RefusedError as error:
        if error.status == NOT_FOUND:
            return replace(Page("", None, 0), error=error.message)
        raise
