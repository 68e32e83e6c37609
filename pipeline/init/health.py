"""The page that says whether the project can serve: looked for in the tree of its URLs."""

import ast
import posixpath
import re
from collections.abc import Iterator

from pipeline.init.finding import Found, Missing, Place, Setting
from pipeline.init.inspected import Project
from pipeline.init.scope import imported
from pipeline.init.tree import is_aside

_GOOD = (
    r"healthz",
    r"health[-_]?check(er)?s?",
    r"health",
    r"_?_?heartbeat_?_?",
    r"__lbheartbeat__",
    r"livez?|liveness|alive",
    r"readyz|ready|readiness",
    r"ht",
    r"ping",
    r"status",
    r"up",
    r"robots\.txt",
)
"""Last parts of paths of such pages, the best first."""

_DEPTH = 6


def find(project: Project) -> Iterator[Found]:
    """Name the page."""
    routes = list(_routes(project))
    ranked = sorted(
        ((_rank(path), len(path), path, place) for path, place in routes if _rank(path) < len(_GOOD)),
        key=lambda each: each[:3],
    )
    middleware = next((each for each in project.scope.texts("MIDDLEWARE") if "health" in each.lower()), None)
    if ranked:
        _, _, path, place = ranked[0]
        yield Setting(path=("app", "health_path"), value=path, why="a page for health checks", place=place)
        return
    front = next((place for path, place in routes if path == "/"), None)
    admin = next(((path, place) for path, place in routes if path.endswith("/admin/")), None)
    if front is not None:
        yield Setting(path=("app", "health_path"), value="/", why="the front page, since no page is for health checks", place=front)
    elif admin is not None:
        path = f"{admin[0]}login/"
        yield Setting(path=("app", "health_path"), value=path, why="the login of the admin, since no page is for health checks", place=admin[1])
    else:
        yield Setting(path=("app", "health_path"), value="/", why="no page is for health checks, and none is at /")
    what = "no page that is meant for health checks" if middleware is None else f"the path that {middleware} answers"
    yield Missing(
        what=what,
        do=f"pulumi config set --path slipway:app.health_path /PATH --stack {project.stack}   # one that answers below 400",
        place=project.scope.place("ROOT_URLCONF"),
    )


def _rank(path: str) -> int:
    last = path.strip("/").split("/")[-1].lower()
    if "<" in path or "(" in path:
        return len(_GOOD)
    rank = next((index for index, pattern in enumerate(_GOOD) if re.fullmatch(pattern, last)), len(_GOOD))
    # A status of something else is no status of the server.
    return rank if rank < len(_GOOD) and (rank < _GOOD.index("status") - 1 or path.strip("/").count("/") <= 1) else len(_GOOD)


def _routes(project: Project) -> Iterator[tuple[str, Place]]:
    """Give the paths that the project answers, with the place of each."""
    named = project.scope.value("ROOT_URLCONF")
    file = project.tree.module(named, project.where) if isinstance(named, str) else None
    if file is None:
        near = [each for each in project.tree.named("urls.py") if not is_aside(each)]
        near.sort(key=lambda each: (posixpath.dirname(each) not in project.chosen.file, each.count("/")))
        file = near[0] if near else None
    if file is not None:
        yield from _of_file(project, file, "/", _DEPTH)


def _of_file(project: Project, file: str, prefix: str, depth: int) -> Iterator[tuple[str, Place]]:
    parsed = project.tree.parsed(file)
    if parsed is None or depth == 0:
        return
    modules = {}
    for node in ast.walk(parsed):
        if isinstance(node, ast.ImportFrom):
            files = list(imported(project.tree, node, file, project.where))
            for each in node.names:
                for path in files:
                    if path.endswith((f"/{each.name}.py", f"/{each.name}/__init__.py", f"{node.module or ''}.py".replace(".", "/"))):
                        modules[each.asname or each.name] = path
    for node in ast.walk(parsed):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
        if called not in {"path", "re_path", "url"}:
            continue
        text = _constant(node.args[0])
        if text is None:
            continue
        route = _plain(text) if called != "path" else text
        if route is None:
            continue
        whole = prefix + route
        target = node.args[1] if len(node.args) > 1 else None
        place = Place(file, node.lineno)
        if isinstance(target, ast.Call) and ast.unparse(target.func).split(".")[-1] == "include" and target.args:
            yield from _included(project, target.args[0], whole, place, modules, depth)
        else:
            yield whole, place


def _included(  # noqa: PLR0913, PLR0917 - a call in its surroundings
    project: Project, what: ast.expr, prefix: str, place: Place, modules: dict[str, str], depth: int
) -> Iterator[tuple[str, Place]]:
    if isinstance(what, ast.Tuple) and what.elts:
        what = what.elts[0]
    name = _constant(what)
    if name is not None:
        if name.split(".")[0] in {"health_check", "watchman", "dockerflow"} or name.startswith("django_healthchecks"):
            yield prefix + ("__heartbeat__" if name.startswith("dockerflow") else ""), place
            return
        file = project.tree.module(name, project.where)
    else:
        file = modules.get(ast.unparse(what))
    if file is not None:
        yield from _of_file(project, file, prefix, depth - 1)


def _constant(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _plain(pattern: str) -> str | None:
    """Give the path that a regular expression stands for; None if it stands for many."""
    text = pattern.removeprefix("^").removesuffix("$").removesuffix("/?").replace("\\.", ".").replace("\\-", "-")
    return None if re.search(r"[\\()\[\]*+?|{}]", text) else text
