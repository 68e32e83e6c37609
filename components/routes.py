"""Which processes answer which addresses, beside the web processes that answer the rest. Pure.

An upstream is what nginx calls the processes behind an address. It has the name of their component; that of the web
processes is ``app``.
"""

from components.labels import process_role
from components.model import Edge, Settings

APP = "app"
"""The upstream of the web processes."""


def upstreams(settings: Settings) -> dict[str, int]:
    """Give the port of each upstream beside that of the web processes, by its name."""
    ports = ((process_role(name), settings.processes[name].port) for name in settings.edge.routes.values())
    return {name: port for name, port in ports if port is not None}


def upstream(edge: Edge, path: str) -> str:
    """Name the upstream of a path: of the longest route that it is, or is below."""
    above = [route for route in edge.routes if path == route or (route.endswith("/") and path.startswith(route))]
    return process_role(edge.routes[max(above, key=len)]) if above else APP


def member(name: str, address: str) -> str:
    """Write one process of an upstream as the edge reads it; ``address`` is its ``host:port``."""
    return f"{name}={address}"


def handed_on(edge: Edge) -> list[str]:
    """List the paths that nginx hands to processes in another way than the rest, each once."""
    return list(dict.fromkeys([*edge.routes, *edge.websockets]))


def is_websocket(edge: Edge, path: str) -> bool:
    """Whether there are websockets at a path."""
    return any(path == each or (each.endswith("/") and path.startswith(each)) for each in edge.websockets)
