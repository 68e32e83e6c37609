"""The page that says whether the project can serve: looked for in the tree of its URLs."""

import ast
import posixpath
import re
from collections.abc import Iterator

from pipeline.init import scope
from pipeline.init.evaluate import evaluate
from pipeline.init.finding import Found, Missing, Place, Setting
from pipeline.init.inspected import Project
from pipeline.init.scope import imported

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
        yield Setting(
            path=("app", "health_path"),
            value="/",
            why="the front page, since no page is for health checks",
            place=front,
        )
    elif admin is not None:
        path = f"{admin[0]}login/"
        yield Setting(
            path=("app", "health_path"),
            value=path,
            why="the login of the admin, since no page is for health checks",
            place=admin[1],
        )
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
    return rank if rank < len(_GOOD) and (rank < _GOOD.index("ping") or "/" not in path.strip("/")) else len(_GOOD)


def _routes(project: Project) -> Iterator[tuple[str, Place]]:
    """Give the paths that the project answers, with the place of each."""
    named = project.scope.value("ROOT_URLCONF")
    file = project.tree.module(named, project.where) if isinstance(named, str) else None
    if file is None:
        near = [each for each in project.tree.named("urls.py") if not project.tree.is_aside(each)]
        near.sort(key=lambda each: (posixpath.dirname(each) not in project.chosen.file, each.count("/")))
        file = near[0] if near else None
    if file is not None:
        yield from _of_file(project, file, "/", _DEPTH)


def _of_file(project: Project, file: str, prefix: str, depth: int) -> Iterator[tuple[str, Place]]:
    parsed = project.tree.parsed(file)
    if parsed is None or depth == 0:
        return
    module = _Module(project, file, parsed)
    for each in module.lists.get("urlpatterns", []):
        yield from _of_list(module, each, prefix, depth)


class _Module:
    """One module of URLs."""

    def __init__(self, project: Project, file: str, parsed: ast.Module) -> None:
        self.project = project
        self.file = file
        assigned = scope.read(project.tree, file, project.where).names
        self.values = {name: each.value for name, each in assigned.items()}
        self.lists: dict[str, list[ast.expr]] = {}
        self.modules: dict[str, str] = {}
        for node in ast.walk(parsed):
            match node:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=value)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                    | ast.AugAssign(target=ast.Name(id=name), value=value)
                ):
                    self.lists.setdefault(name, []).append(value)
                case ast.ImportFrom(names=names, module=inside):
                    files = list(imported(project.tree, node, file, project.where))
                    for each in names:
                        ends = (f"{each.name}.py", f"{each.name}/__init__.py")
                        for path in files:
                            if path.endswith(ends) or (inside or "").endswith("urls"):
                                self.modules[each.asname or each.name] = path
                case _:
                    pass

    def text(self, node: ast.expr) -> str | None:
        """The text that an expression comes to."""
        value = evaluate(node, self.values, self.file)
        return value if isinstance(value, str) else None


def _of_list(module: _Module, node: ast.expr, prefix: str, depth: int) -> Iterator[tuple[str, Place]]:  # noqa: C901 - one case for each shape
    """Give the paths of a list of URLs."""
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            for each in elements:
                yield from _of_list(module, each, prefix, depth)
        case ast.BinOp(left=left, right=right):
            yield from _of_list(module, left, prefix, depth)
            yield from _of_list(module, right, prefix, depth)
        case ast.Starred(value=inner):
            yield from _of_list(module, inner, prefix, depth)
        case ast.Name(id=name) if name != "urlpatterns" and depth:
            for each in module.lists.get(name, []):
                yield from _of_list(module, each, prefix, depth - 1)
        case ast.Call(func=function, args=args, keywords=keywords):
            called = ast.unparse(function).split(".")[-1]
            if called == "i18n_patterns":
                language = module.project.scope.value("LANGUAGE_CODE")
                bare = any(each.arg == "prefix_default_language" for each in keywords)
                start = prefix if bare else f"{prefix}{language if isinstance(language, str) else 'en-us'}/"
                for each in args:
                    yield from _of_list(module, each, start, depth)
            elif called in {"path", "re_path", "url"} and args:
                yield from _of_route(module, node, prefix, depth, regular=called != "path")
        case _:
            pass


def _of_route(
    module: _Module, node: ast.Call, prefix: str, depth: int, *, regular: bool
) -> Iterator[tuple[str, Place]]:
    text = module.text(node.args[0])
    route = _plain(text) if text is not None and regular else text
    if route is None:
        return
    whole, place = prefix + route, Place(module.file, node.lineno)
    target = node.args[1] if len(node.args) > 1 else None
    if isinstance(target, ast.Call) and ast.unparse(target.func).split(".")[-1] == "include" and target.args:
        yield from _included(module, target.args[0], whole, place, depth)
    else:
        yield whole, place


def _included(module: _Module, what: ast.expr, prefix: str, place: Place, depth: int) -> Iterator[tuple[str, Place]]:
    project = module.project
    if isinstance(what, ast.Tuple) and what.elts:
        what = what.elts[0]
    name = module.text(what)
    if name is not None:
        if name.split(".")[0] in {"health_check", "watchman", "dockerflow", "django_healthchecks"}:
            yield prefix + ("__heartbeat__" if name.startswith("dockerflow") else ""), place
            return
        file = project.tree.module(name, project.where)
    else:
        file = module.modules.get(ast.unparse(what))
    if file is not None:
        yield from _of_file(project, file, prefix, depth - 1)
    else:
        yield from _of_list(module, what, prefix, depth - 1)


def _plain(pattern: str) -> str | None:
    """Give the path that a regular expression stands for; None if it stands for many."""
    text = pattern.removeprefix("^").removesuffix("$").removesuffix("/?").replace("\\.", ".").replace("\\-", "-")
    return None if re.search(r"[\\()\[\]*+?|{}]", text) else text
