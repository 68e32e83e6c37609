"""What the addresses of the edge ask of each other. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from components import edge_rules
from components.model import App, Edge, Health, Process
from components.problems import Problem, config_rm, config_set, full_key, show
from components.rules.needed import required

if TYPE_CHECKING:
    from components.keys import Path_


def between(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find addresses that mean two things, and redirects that lead nowhere."""
    edge = parts.get("edge")
    if not isinstance(edge, Edge):
        return
    seen: dict[str, Path_] = {}
    app, said = parts.get("app"), parts.get("health")
    free = edge_rules.open_path(edge, app, said) if isinstance(app, App) and isinstance(said, Health) else None
    for path, match in edge_rules.taken(edge, parts.get("static"), parts.get("media"), free):
        if match in seen:
            other = seen[match]
            yield Problem(
                key=full_key(path),
                found=f"{match.removeprefix('= ')}, which is " + (f"{full_key(other)} too" if other else "the app's"),
                allowed="each address once",
                mend=config_rm(path, stack),
            )
        seen.setdefault(match, path)
    yield from _routes(edge, parts.get("processes"), stack)
    for origin, said in edge.redirects.items():
        wrong = _redirect(origin, said, [parts.get("domain", ""), *edge.hosts])
        if wrong is not None:
            path = ("edge", "redirects", origin)
            yield Problem(key=full_key(path), found=wrong[0], allowed=wrong[1], mend=config_rm(path, stack))


def _routes(edge: Edge, processes: Mapping[str, Process] | None, stack: str) -> Iterator[Problem]:
    """Find routes to processes that are not there, or do not listen."""
    if processes is None:
        return
    for route, name in edge.routes.items():
        path: Path_ = ("edge", "routes", route)
        if name not in processes:
            allowed = (
                f"one of {', '.join(processes)}" if processes else "names of slipway:processes, where there is none"
            )
            mend = config_set(path, next(iter(processes)), stack) if processes else config_rm(path, stack)
            yield Problem(key=full_key(path), found=f"{show(name)}, which is no process", allowed=allowed, mend=mend)
        elif processes[name].port is None:
            yield required(("processes", name, "port"), f"{full_key(path)} sends it requests", stack)


def _redirect(source: str, said: str, names: Sequence[str]) -> tuple[str, str] | None:
    """Say what is wrong with a redirect, and what is allowed; None if nothing is."""
    _, target = edge_rules.redirect(said)
    host = not source.startswith("/")
    if host and source in names:
        return "a host name of the site itself", "other host names than slipway:domain and slipway:edge.hosts"
    if host and target.startswith("/"):
        return (
            f"{show(target)} for a host name",
            "for a host name: an address with its host, such as https://shop.example.org",
        )
    if target.endswith("*") and not host and not source.endswith("/*"):
        return f"{show(target)} for one path alone", "a * in the target only where the path ends with /*"
    if (
        target in {source, f"{source}*"}
        or target.startswith((f"https://{source}/", f"http://{source}/"))
        or (source.endswith("*") and target.startswith(source[:-1]))
    ):
        return f"{show(target)}, which leads to itself", "another address"
    return None
