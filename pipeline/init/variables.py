"""The environment variables that settings read, how, and what for.

Known are ``os.environ``, ``os.getenv``, django-environ, environs, python-decouple, dj-database-url and its like, settings
of pydantic, and helpers of the project's own that do one of these with their argument.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.init.finding import Place
from pipeline.init.scope import imported
from pipeline.init.tree import Tree

Use = tuple[str, ...]
"""Where a value goes: the setting, then the keys below it, as in ``("DATABASES", "default", "HOST")``."""

_URLS: Mapping[str, tuple[str, str]] = {
    "db": ("database", "DATABASE_URL"),
    "db_url": ("database", "DATABASE_URL"),
    "dj_db_url": ("database", ""),
    "cache": ("cache", "CACHE_URL"),
    "cache_url": ("cache", "CACHE_URL"),
    "dj_cache_url": ("cache", ""),
    "channels": ("channels", "CHANNELS_URL"),
    "channels_url": ("channels", "CHANNELS_URL"),
    "email": ("email", "EMAIL_URL"),
    "email_url": ("email", "EMAIL_URL"),
    "dj_email_url": ("email", ""),
    "search_url": ("search", "SEARCH_URL"),
}
"""Methods of readers that take a whole address, what it is of, and the variable that they read unless told."""

_KINDS: Mapping[str, str] = {
    "bool": "bool",
    "int": "int",
    "float": "int",
    "list": "list",
    "tuple": "list",
    "json": "json",
    "dict": "dict",
    "str": "text",
    "path": "text",
    "url": "text",
    "bytes": "text",
    "log_level": "text",
    "decimal": "int",
    "enum": "text",
    "timedelta": "int",
    "Csv": "list",
}
"""What methods and casts make of a text."""

_CONFIG: Mapping[str, tuple[str, str]] = {
    "dj_database_url": ("database", "DATABASE_URL"),
    "dj_email_url": ("email", "EMAIL_URL"),
    "django_cache_url": ("cache", "CACHE_URL"),
}
"""Modules whose ``config()`` reads a variable."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_POSTGRES = re.compile(r"(django\.db\.backends\.)?(postgres|postgresql|pgsql|psql)")


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One variable of the environment."""

    name: str
    """Its name."""
    place: Place
    """Where it is read first."""
    required: bool
    """Whether settings cannot be imported without it."""
    default: object = None
    """What stands for it where it is not set, if that is a plain value."""
    kind: str = "text"
    """What it is made into: text, bool, int, list, json, dict, or the address of a database, cache, channels, email."""
    separator: str | None = None
    """What parts it into a list."""
    uses: frozenset[Use] = frozenset()
    """Where its value goes."""
    file_too: bool = False
    """Whether NAME_FILE may name a file with the value."""
    compared: tuple[str, ...] = ()
    """Texts that it is compared with."""

    def goes_to(self, *names: str) -> bool:
        """Whether its value goes to one of some settings."""
        return any(use[0] in names for use in self.uses if use)


@dataclass
class _Helper:
    """A function of the project that reads the variable which its first argument names."""

    kind: str = "text"
    separator: str | None = None
    required: bool = False
    file_too: bool = False


@dataclass
class _Reading:
    """What is known of one file while it is read."""

    tree: Tree
    file: str
    helpers: dict[str, _Helper]
    found: list[Variable] = field(default_factory=list)
    bound: dict[str, list[str]] = field(default_factory=dict)
    """Names of Python, and the variables whose values they hold."""
    loads: list[tuple[str, Use]] = field(default_factory=list)
    """Names of Python, and where their values go."""
    splits: dict[str, str] = field(default_factory=dict)
    """Names of Python whose values are parted, and by what."""
    splitters: dict[str, str] = field(default_factory=dict)
    """Functions that part their first argument, and by what."""
    readers: set[str] = field(default_factory=set)
    prefix: str = ""

    def bind(self, python: str, names: Sequence[str]) -> None:
        """Note the variables that a name holds from now on. What it held counts for what was done with it before."""
        done = [use for name, use in self.loads if name == python]
        if names and done and self.bound.get(python):
            for index, each in enumerate(self.found):
                if each.name in self.bound[python]:
                    known = replace(each, kind="list", separator=self.splits[python]) if python in self.splits else each
                    self.found[index] = replace(known, uses=each.uses | frozenset(done))
            self.splits.pop(python, None)
            self.loads = [load for load in self.loads if load[0] != python]
            self.bound[python] = []
        self.bound.setdefault(python, []).extend(names)


def closure(tree: Tree, files: Sequence[str], where: tuple[str, ...], depth: int | None = None) -> list[str]:
    """Give files with all that they import of the project itself, the settings' own first.

    Args:
        tree: the project.
        files: the files.
        where: folders that modules are imported from.
        depth: how far imports are followed; None for as far as they go.
    """
    found = dict.fromkeys(files)
    todo = [(file, 0) for file in files]
    while todo:
        file, far = todo.pop(0)
        if far == depth:
            continue
        for node in ast.walk(tree.parsed(file) or ast.Module([], [])):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for other in imported(tree, node, file, where):
                    if other not in found:
                        found[other] = None
                        todo.append((other, far + 1))
    return list(found)


def find(tree: Tree, files: Sequence[str]) -> list[Variable]:
    """Give the variables that some files read, each once, in order."""
    helpers: dict[str, _Helper] = {}
    for _ in range(2):  # a helper may use another one
        for file in files:
            _helpers(tree.parsed(file), helpers)
    readings = []
    everywhere = {name for file in files if (parsed := tree.parsed(file)) for name in _readers(parsed)}
    splitters = {name: text for file in files for name, text in _splitters(tree.parsed(file))}
    for file in files:
        parsed = tree.parsed(file)
        if parsed is None:
            continue
        reading = _Reading(tree, file, helpers, splitters=splitters)
        reading.readers = everywhere if _takes_all(parsed) else _readers(parsed)
        _Visitor(reading).visit(parsed)
        readings.append(reading)
    return _merged(readings)


def _bound(readings: Sequence[_Reading]) -> dict[str, list[str]]:
    """Give the variables that names of Python hold, also where one name is assigned to another."""
    bound: dict[str, list[str]] = {}
    for each in readings:
        for python, names in each.bound.items():
            bound.setdefault(python, []).extend(names)
    for _ in range(3):
        for python, use in (load for each in readings for load in each.loads):
            if len(use) == 1 and python in bound and use[0] != python:
                there = bound.setdefault(use[0], [])
                there += [name for name in bound[python] if name not in there]
    return bound


def _loads(readings: Sequence[_Reading]) -> list[tuple[str, Use]]:
    """Give where values go, also those that go into a dictionary which goes somewhere itself."""
    loads = dict.fromkeys(load for each in readings for load in each.loads)
    inside = [(python, use) for python, use in loads if len(use) > 1]
    for python, use in inside:
        for whole, further in [load for load in loads if load[0] == use[0] and load[1][0] != use[0]]:
            if whole != python and len(further) <= len(("DATABASES", "default")):
                loads[python, (*further, *use[1:])] = None
    return list(loads)


def _merged(readings: Sequence[_Reading]) -> list[Variable]:
    bound, loads = _bound(readings), _loads(readings)
    parted = {name: text for each in readings for python, text in each.splits.items() for name in bound.get(python, [])}
    uses: dict[str, set[Use]] = {}
    for python, use in loads:
        for name in bound.get(python, []):
            uses.setdefault(name, set()).add(use)
    merged: dict[str, Variable] = {}
    for variable in (each for reading in readings for each in reading.found):
        if variable.kind == "text" and variable.name in parted:
            variable = replace(variable, kind="list", separator=parted[variable.name])  # noqa: PLW2901  # the same, known better
        old = merged.get(variable.name)
        more = frozenset(uses.get(variable.name, set())) | variable.uses
        if old is None:
            merged[variable.name] = replace(variable, uses=more)
        else:
            merged[variable.name] = replace(
                old,
                required=old.required and variable.required,
                default=old.default if old.default is not None else variable.default,
                kind=old.kind if old.kind != "text" else variable.kind,
                separator=old.separator or variable.separator,
                uses=old.uses | more,
                file_too=old.file_too or variable.file_too,
                compared=(*old.compared, *variable.compared),
            )
    files = {name.removesuffix("_FILE") for name in merged if name.endswith("_FILE")}
    return [
        replace(each, file_too=each.file_too or (each.name in files and not merged[f"{each.name}_FILE"].required))
        for each in merged.values()
    ]


def _splitters(parsed: ast.Module | None) -> Iterator[tuple[str, str]]:
    """Give functions that part the text which they get, and by what."""
    for node in ast.walk(parsed or ast.Module([], [])):
        if isinstance(node, ast.FunctionDef) and node.args.args:
            for inner in ast.walk(node):
                match inner:
                    case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="split"), args=args) if (
                        name == node.args.args[0].arg
                    ):
                        yield node.name, _separator(args)
                    case _:
                        pass


def _separator(arguments: Sequence[ast.expr]) -> str:
    first = arguments[0] if arguments else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else " "


def _readers(parsed: ast.Module) -> set[str]:
    """Give the names of what reads the environment: ``env`` after ``env = environ.Env(...)``."""
    found = set()
    for node in ast.walk(parsed):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=function)):
                if _called(function) in {"Env", "FileAwareEnv", "AutoConfig", "Config"}:
                    found.add(name)
            case ast.ImportFrom(module="decouple" | "environs" | "environ" | "starlette.config", names=names):
                found |= {each.asname or each.name for each in names if each.name in {"config", "env"}}
            case ast.ImportFrom(names=names):
                found |= {each.asname or each.name for each in names if each.name == "env"}
            case _:
                pass
    return found


def _takes_all(parsed: ast.Module) -> bool:
    """Whether a file takes over all names of another one, what reads the environment too."""
    return any(isinstance(each, ast.ImportFrom) and each.names[0].name == "*" for each in parsed.body)


def _called(function: ast.expr) -> str:
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def _is_environ(node: ast.expr) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "environ") or (
        isinstance(node, ast.Name) and node.id == "environ"
    )


def _helpers(parsed: ast.Module | None, helpers: dict[str, _Helper]) -> None:  # noqa: C901, PLR0912 - one case for each shape
    """Find functions that read the variable which their first argument names."""
    for node in ast.walk(parsed or ast.Module([], [])):
        if not isinstance(node, ast.FunctionDef) or not node.args.args:
            continue
        first = node.args.args[0].arg
        if first in {"self", "cls"} and len(node.args.args) > 1:
            first = node.args.args[1].arg
        made: _Helper | None = None
        for inner in ast.walk(node):
            match inner:
                case ast.Subscript(value=source, slice=ast.Name(id=name)) if name == first and _is_environ(source):
                    made = made or _Helper(required=True)
                case ast.Call(func=ast.Attribute(value=source, attr="get"), args=[ast.Name(id=name), *_]) if (
                    name == first and _is_environ(source)
                ):
                    made = made or _Helper()
                    made.required = False
                case ast.Call(func=function, args=[ast.Name(id=name), *_]) if name == first and (
                    _called(function) == "getenv" or _called(function) in helpers
                ):
                    other = helpers.get(_called(function), _Helper())
                    made = made or _Helper(other.kind, other.separator, other.required, other.file_too)
                case _:
                    pass
        if made is None:
            continue
        for inner in ast.walk(node):
            match inner:
                case ast.JoinedStr(values=[ast.FormattedValue(), ast.Constant(value="_FILE")]):
                    made.file_too = True
                case ast.Call(func=ast.Attribute(attr="split"), args=[ast.Constant(value=str() as separator), *_]):
                    made.separator, made.kind = separator, "list"
                case ast.Call(func=ast.Name(id="int" | "float")):
                    made.kind = "int" if made.kind == "text" else made.kind
                case ast.Call(func=ast.Attribute(attr="lower")) | ast.Call(func=ast.Name(id="bool" | "strtobool")):
                    made.kind = "bool" if made.kind == "text" else made.kind
                case _:
                    pass
        if made.required and any(isinstance(each, ast.ExceptHandler) for each in ast.walk(node)):
            made.required = any(isinstance(each, ast.Raise) for each in ast.walk(node))
        if (
            len(node.args.defaults)
            and made.required
            and not any(isinstance(each, ast.Raise) for each in ast.walk(node))
        ):
            made.required = False
        helpers[node.name] = made


class _Visitor(ast.NodeVisitor):
    """Walks over one file and notes what is read and where it goes."""

    def __init__(self, reading: _Reading) -> None:
        self.reading = reading
        self.use: Use = ()
        self.wrap: list[tuple[str, str | None]] = []
        self.optional = 0
        self.loops: list[ast.expr] = []

    # Where a value goes -----------------------------------------------------------------------------------------

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._assign(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._assign(node.target, node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._assign(node.target, node.value)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if any("BaseSettings" in ast.unparse(base) for base in node.bases):
            self._pydantic(node)
        else:
            self.generic_visit(node)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        path = _target(target)
        before, self.use = self.use, path
        names = len(self.reading.found)
        self.visit(value)
        if len(path) == 1:
            here = [each.name for each in self.reading.found[names:]]
            self.reading.bind(path[0], here)
        self.use = before

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._assign(node.target, node.value)

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            name = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else "*"
            before = self.use
            self.use = (*before, name) if before and key is not None else before
            self.visit(value)
            self.use = before

    def visit_keyword(self, node: ast.keyword) -> None:
        before = self.use
        if node.arg is not None and self.use:
            self.use = (*before, node.arg)
        self.visit(node.value)
        self.use = before

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and self.use:
            self.reading.loads.append((node.id, self.use))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Load) and self.use:
            self.reading.loads.append((node.attr, self.use))
        self.generic_visit(node)

    # What may be missing ----------------------------------------------------------------------------------------

    def visit_Try(self, node: ast.Try) -> None:
        caught = bool(node.handlers) and not any(
            isinstance(each, ast.Raise) for handler in node.handlers for each in ast.walk(handler)
        )
        self.optional += caught
        for statement in node.body:
            self.visit(statement)
        self.optional -= caught
        for rest in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(rest)

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        test = ast.unparse(node.test).removeprefix("settings.")
        # DEBUG is off where the project is deployed.
        for statements, off in ((node.body, "not DEBUG"), (node.orelse, "DEBUG")):
            self.optional += test != off
            for each in statements:
                self.visit(each)
            self.optional -= test != off

    def visit_IfExp(self, node: ast.IfExp) -> None:
        # What decides between two values is neither of them.
        before, self.use = self.use, ()
        self.visit(node.test)
        self.use = before
        self.optional += 1
        self.visit(node.body)
        self.visit(node.orelse)
        self.optional -= 1

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.optional += 1
        self.generic_visit(node)
        self.optional -= 1

    def visit_With(self, node: ast.With) -> None:
        before = self.reading.prefix
        for item in node.items:
            match item.context_expr:
                case ast.Call(func=ast.Attribute(attr="prefixed"), args=[ast.Constant(value=str() as prefix)]):
                    self.reading.prefix += prefix
                case _:
                    pass
        self.generic_visit(node)
        self.reading.prefix = before

    # What is read -----------------------------------------------------------------------------------------------

    def visit_Compare(self, node: ast.Compare) -> None:
        texts = [
            each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)
        ]
        before = len(self.reading.found)
        self.wrap.append(("compare", None))
        self.generic_visit(node)
        self.wrap.pop()
        self._compared(before, node.left, texts)

    def _compared(self, before: int, what: ast.expr, texts: Sequence[str]) -> None:
        """Note the texts that variables are compared with: those that were read since, and what a name holds."""
        for index in range(before, len(self.reading.found)):
            variable = self.reading.found[index]
            others = tuple(text for text in texts if text not in {variable.name, variable.default})
            self.reading.found[index] = replace(variable, compared=(*variable.compared, *others))
        if isinstance(what, ast.Name):
            for name in self.reading.bound.get(what.id, []):
                for index, variable in enumerate(self.reading.found):
                    if variable.name == name:
                        self.reading.found[index] = replace(variable, compared=(*variable.compared, *texts))

    def visit_Subscript(self, node: ast.Subscript) -> None:
        match node:
            case ast.Subscript(value=source, slice=ast.Constant(value=str() as name), ctx=ast.Load()) if _is_environ(
                source
            ):
                self._read(node, name, required=True)
            case ast.Subscript(value=source, slice=ast.Name(), ctx=ast.Load()) if _is_environ(source):
                for each in self._looped():
                    self._read(node, each, required=True)
            case _:
                self.generic_visit(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node)

    def _comprehension(self, node: ast.DictComp | ast.ListComp) -> None:
        self.loops.append(node.generators[0].iter)
        before = self.use
        if before and isinstance(node, ast.DictComp):
            self.visit(node.key)
            self.use = (*before, "*")
            self.visit(node.value)
        else:
            self.generic_visit(node)
        self.use = before
        self.loops.pop()

    def _looped(self) -> Iterator[str]:
        """Give the names of variables that a loop goes through."""
        for each in ast.walk(self.loops[-1]) if self.loops else ():
            if (
                isinstance(each, ast.Constant)
                and isinstance(each.value, str)
                and re.fullmatch("[A-Z][A-Z0-9_]+", each.value)
            ):
                yield each.value

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        called = _called(function)
        owner = function.value if isinstance(function, ast.Attribute) else None
        first = node.args[0] if node.args else None
        name = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
        owner_name = _called(owner) if owner is not None else ""
        if called in {"Env", "FileAwareEnv"} and node.keywords:
            self._schema(node)
            return
        if called == "config" and owner_name in _CONFIG:
            kind, usual = _CONFIG[owner_name]
            given = _keyword(node, "env") or first
            chosen = given.value if isinstance(given, ast.Constant) and isinstance(given.value, str) else usual
            self._read(node, chosen, required=False, kind=kind)
        elif called == "setdefault" and owner is not None and _is_environ(owner):
            return  # what a program sets itself
        elif name is not None and _NAME.fullmatch(name) and self._reads(function, called, owner, owner_name):
            self._known(node, name, called, owner_name)
        elif owner_name in self.reading.readers and called in _URLS and name is None and _URLS[called][1]:
            self._read(node, _URLS[called][1], required=_default(node) is None, kind=_URLS[called][0])
        else:
            wrapper = self._wrapper(node, called)
            self.wrap.append(wrapper)
            found = len(self.reading.found)
            self.visit(function)
            if called == "startswith" and owner is not None and name is not None:
                self._compared(found, owner, [name])
            if called in {"parse", "DatabaseURL"} and owner_name in _CONFIG:
                before, self.use = self.use, (*(self.use or ("",)), f"<{_CONFIG[owner_name][0]}>")
            else:
                before = self.use
            for each in node.args:
                self.visit(each)
            self.use = before
            for keyword in node.keywords:
                self.visit(keyword)
            self.wrap.pop()

    def _reads(self, function: ast.expr, called: str, owner: ast.expr | None, owner_name: str) -> bool:
        """Whether a call reads the variable that its first argument names."""
        if owner is None:
            return called == "getenv" or called in self.reading.readers or called in self.reading.helpers
        if _is_environ(owner):
            return called in {"get", "pop"}
        if owner_name in self.reading.readers:
            return called in _KINDS or called in _URLS or called in {"get_value", "get"}
        return called == "getenv" or (called in self.reading.helpers and isinstance(function, ast.Attribute))

    def _known(self, node: ast.Call, name: str, called: str, owner_name: str) -> None:
        helper = self.reading.helpers.get(called)
        default = _default(node)
        if helper is not None and owner_name not in self.reading.readers:
            required = helper.required and default is None
            self._read(
                node,
                name,
                required=required,
                default=default,
                kind=helper.kind,
                separator=helper.separator,
                file_too=helper.file_too,
            )
            return
        reader = called in self.reading.readers or owner_name in self.reading.readers
        kind = _URLS[called][0] if called in _URLS else _KINDS.get(called, "text")
        cast = _keyword(node, "cast")
        if cast is not None:
            kind = _KINDS.get(_called(cast.func if isinstance(cast, ast.Call) else cast), "text")
            if isinstance(cast, ast.Lambda) and "split" in ast.unparse(cast):
                kind = "list"
        separator = "," if kind == "list" else None
        self._read(node, name, required=reader and default is None, default=default, kind=kind, separator=separator)
        if default is not None and not isinstance(default, ast.Constant):
            self.visit(default)

    def _schema(self, node: ast.Call) -> None:
        """Read what ``Env(DEBUG=(bool, False))`` says."""
        for each in node.keywords:
            if each.arg is None or each.arg in {"eager", "expand_vars"}:
                continue
            cast = each.value.elts[0] if isinstance(each.value, ast.Tuple) and each.value.elts else each.value
            default = each.value.elts[1] if isinstance(each.value, ast.Tuple) and len(each.value.elts) > 1 else None
            kind = _KINDS.get(_called(cast), "text")
            self._read(
                each.value,
                each.arg,
                required=False,
                default=default,
                kind=kind,
                separator="," if kind == "list" else None,
            )

    def _pydantic(self, node: ast.ClassDef) -> None:
        """Read the fields of a class of settings."""
        text = ast.unparse(node)
        found = re.search(r"env_prefix\s*=\s*['\"](\w*)['\"]|'env_prefix': ['\"](\w*)['\"]", text)
        prefix = (found[1] or found[2] or "") if found else ""
        for each in node.body:
            if not isinstance(each, ast.AnnAssign) or not isinstance(each.target, ast.Name):
                continue
            field_name = each.target.id
            if field_name in {"model_config", "Config"} or "ClassVar" in ast.unparse(each.annotation):
                continue
            name, default, required = f"{prefix}{field_name}".upper(), each.value, each.value is None
            if isinstance(each.value, ast.Call) and _called(each.value.func) == "Field":
                alias = (
                    _keyword(each.value, "validation_alias")
                    or _keyword(each.value, "alias")
                    or _keyword(each.value, "env")
                )
                if isinstance(alias, ast.Constant) and isinstance(alias.value, str):
                    name = alias.value
                default = _default(each.value) or (each.value.args[0] if each.value.args else None)
                factory = _keyword(each.value, "default_factory")
                required = (default is None and factory is None) or (
                    isinstance(default, ast.Constant) and default.value is Ellipsis
                )
            written = ast.unparse(each.annotation).lower()
            kind = next(
                (
                    kind
                    for word, kind in (
                        ("bool", "bool"),
                        ("int", "int"),
                        ("list", "json"),
                        ("dict", "json"),
                        ("set[", "json"),
                    )
                    if word in written
                ),
                "text",
            )
            self._read(each, name, required=required and "none" not in written, default=default, kind=kind)
            self.reading.bound.setdefault(field_name, []).append(name)

    def _wrapper(self, node: ast.Call, called: str) -> tuple[str, str | None]:
        if called in {"split", "rsplit"} and isinstance(node.func, ast.Attribute):
            if isinstance(node.func.value, ast.Name):
                self.reading.splits[node.func.value.id] = _separator(node.args)
            return "split", _separator(node.args)
        if called in self.reading.splitters:
            return "split", self.reading.splitters[called]
        kinds = {"loads": "json", "literal_eval": "json", "int": "int", "float": "int", "bool": "truth"}
        return kinds.get(called, "bool" if called in {"strtobool", "str_to_bool"} else ""), None

    def _read(  # noqa: PLR0913 - what is known about it
        self,
        node: ast.AST,
        name: str,
        *,
        required: bool,
        default: ast.expr | None = None,
        kind: str = "text",
        separator: str | None = None,
        file_too: bool = False,
    ) -> None:
        for wrapper, text in reversed(self.wrap):
            if kind == "text" and wrapper == "split":
                kind, separator = "list", text
            elif kind == "text" and wrapper in {"json", "int", "bool", "truth"}:
                kind = wrapper
        if default is None and isinstance(node, ast.Call):
            default = _default(node)
        known = default.value if isinstance(default, ast.Constant) else None
        if isinstance(default, ast.List | ast.Tuple):
            texts = [each.value for each in default.elts if isinstance(each, ast.Constant)]
            known = ",".join(map(str, texts)) if len(texts) == len(default.elts) else None
        if isinstance(default, ast.Call | ast.Name | ast.Attribute | ast.JoinedStr | ast.BinOp) and known is None:
            known = ast.unparse(default)
            known = f"({known})"
        uses = frozenset({self.use}) if self.use else frozenset()
        self.reading.found.append(
            Variable(
                name=self.reading.prefix + name,
                place=Place(self.reading.file, getattr(node, "lineno", None)),
                required=required and not self.optional,
                default=known,
                kind=kind,
                separator=separator,
                uses=uses,
                file_too=file_too,
            )
        )


def _keyword(node: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in node.keywords if each.arg == name), None)


def _default(node: ast.Call) -> ast.expr | None:
    named = _keyword(node, "default") or _keyword(node, "default_value")
    if named is not None:
        return named
    return node.args[1] if len(node.args) > 1 and not isinstance(node.args[1], ast.Starred) else None


def _target(node: ast.expr) -> Use:
    match node:
        case ast.Name(id=name):
            return (name,)
        case ast.Attribute(attr=name):
            return (name,)
        case ast.Subscript(value=inner, slice=ast.Constant(value=str() as key)):
            return (*_target(inner), key)
        case ast.Subscript(value=inner):
            return (*_target(inner), "*")
        case _:
            return ()


def is_postgres(text: str) -> bool:
    """Whether a text names PostgreSQL as the kind of a database."""
    return _POSTGRES.fullmatch(text) is not None


def names(variables: Sequence[Variable]) -> Iterator[str]:
    """Give the names of variables."""
    return (each.name for each in variables)
