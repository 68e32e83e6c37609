"""What serves the project: the WSGI or ASGI application, and whether it needs ASGI."""

import ast
import re
from collections.abc import Iterator

from components.settings import application_of
from pipeline.init.finding import Found, Missing, Place, Setting
from pipeline.init.inspected import Project
from pipeline.init.tree import dotted


def find(project: Project) -> Iterator[Found]:
    """Say which application is served, and how."""
    wsgi = _application(project, "WSGI_APPLICATION", "wsgi.py")
    asgi = _application(project, "ASGI_APPLICATION", "asgi.py")
    needs = _needs_asgi(project, asgi)
    if wsgi is not None:
        if wsgi[0] != application_of(_deployed_module(project), "wsgi"):
            yield Setting(path=("app", "wsgi_module"), value=wsgi[0], why="the WSGI application", place=wsgi[1])
    elif needs is None:
        yield Missing(
            what="no WSGI application",
            do=f"pulumi config set --path slipway:app.wsgi_module MODULE:NAME --stack {project.stack}",
        )
    if needs is not None and asgi is not None:
        why, place = needs
        server = "daphne" if project.has("daphne") and not project.has("uvicorn") else "uvicorn"
        if asgi[0] != application_of(_deployed_module(project), "asgi"):
            yield Setting(path=("app", "asgi_module"), value=asgi[0], why="the ASGI application", place=asgi[1])
        yield Setting(
            path=("web", "server"),
            value=server,
            why=why,
            place=place,
            otherwise=f"{why}, and gunicorn serves WSGI alone: pages work, websockets do not",
        )
        yield from _websockets(project)


def _websockets(project: Project) -> Iterator[Setting]:
    """Name the paths where websockets are, as their routes say."""
    found: dict[str, Place] = {}
    for path in project.tree.python:
        text = project.tree.text(path)
        if project.tree.is_aside(path) or ("URLRouter" not in text and "websocket_urlpatterns" not in text):
            continue
        for line, written in enumerate(text.splitlines(), 1):
            route = re.search(r"""\b(?:re_)?path\(\s*r?["']\^?/?([A-Za-z0-9_-]+)/""", written)
            if route:
                found.setdefault(f"/{route[1]}/", Place(path, line))
    usual = {"/ws/": None}
    yield Setting(
        path=("edge", "websockets"),
        value=[*(found or usual)],
        why="where websockets are" if found else "where websockets usually are",
        place=next(iter(found.values()), None),
    )


def _deployed_module(project: Project) -> str:
    from pipeline.init import overlay  # noqa: PLC0415  # it asks other modules, this one too

    return overlay.MODULE if overlay.lines(project) else project.chosen.module


def _application(project: Project, setting: str, name: str) -> tuple[str, Place] | None:
    """Give an application as ``module:name``, and where it was found."""
    said = project.scope.value(setting)
    place = project.scope.place(setting)
    if isinstance(said, str) and "." in said and place is not None:
        module, _, what = said.rpartition(".")
        if project.tree.module(module, project.where):
            return f"{module}:{what}", place
    files = [path for path in project.tree.named(name) if not project.tree.is_aside(path)]
    package = project.chosen.file.split("/")[:-1]
    files.sort(key=lambda path: -_shared(path.split("/")[:-1], package))
    for path in files:
        what = "app" if "application" not in _top(project, path) and "app" in _top(project, path) else "application"
        if what in _top(project, path):
            return f"{dotted(path, project.where)}:{what}", Place(path)
    return None


def _top(project: Project, path: str) -> set[str]:
    parsed = project.tree.parsed(path)
    found = set()
    for node in ast.walk(parsed) if parsed else ():
        if isinstance(node, ast.Assign):
            found |= {each.id for each in node.targets if isinstance(each, ast.Name)}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            found |= {each.asname or each.name for each in node.names}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


def _shared(one: list[str], other: list[str]) -> int:
    return next(
        (index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _needs_asgi(project: Project, asgi: tuple[str, Place] | None) -> tuple[str, Place | None] | None:
    """Say why the project needs ASGI; None if it does not."""
    channels = project.installs("channels", "daphne")
    if channels is not None:
        return f"{channels} is installed: websockets need ASGI", project.of_app(channels)
    if asgi is not None:
        module = asgi[0].partition(":")[0]
        file = project.tree.module(module, project.where)
        text = project.tree.text(file) if file else ""
        for word in ("ProtocolTypeRouter", "FastAPI(", "Starlette(", "socketio", "strawberry.channels", "URLRouter"):
            if word in text and file:
                return f"{word.rstrip('(')} in the ASGI application", project.tree.line(file, word)
    return None
