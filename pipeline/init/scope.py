"""What a settings module assigns, with what it takes over from others: values as far as they are known, and where.

No condition is decided that needs the environment: what it guards counts where nothing else is said, and its other branch wins.
"""

import ast
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pipeline.init.evaluate import UNKNOWN, evaluate
from pipeline.init.finding import Place
from pipeline.init.tree import Tree


@dataclass(frozen=True, kw_only=True)
class Assigned:
    """One name that settings assign."""

    value: object
    """What is known of its value; ``UNKNOWN`` if nothing is."""
    node: ast.expr
    """The expression."""
    place: Place
    """Where."""
    guarded: bool = False
    """Whether it only counts under a condition that the environment decides, such as the name of a bucket."""


@dataclass
class Scope:
    """Names of a settings module."""

    names: dict[str, Assigned] = field(default_factory=dict)
    """Every name, the last assignment."""
    files: dict[str, None] = field(default_factory=dict)
    """The files that were read for it, the module itself last."""
    weak: bool = False
    """Whether what is read now may not count: it replaces nothing then."""
    guarded: bool = False
    """Whether the environment decides about what is read now, by another variable than DEBUG."""
    tried: bool = False
    """Whether what is read now may fail: a module that it imports may be missing."""

    def value(self, name: str) -> object:
        """What is known of a value."""
        found = self.names.get(name)
        return UNKNOWN if found is None else found.value

    def texts(self, name: str) -> list[str]:
        """The texts in a list."""
        value = self.value(name)
        return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []

    def place(self, *names: str) -> Place | None:
        """Where the first of several names is assigned."""
        return next((self.names[name].place for name in names if name in self.names), None)


def read(tree: Tree, file: str, where: tuple[str, ...], configuration: str | None = None) -> Scope:
    """Read a settings module and all that it takes over.

    Args:
        tree: the project.
        file: the module.
        where: folders that modules are imported from.
        configuration: the class that holds the settings, if one does.
    """
    scope = Scope()
    _module(tree, file, where, scope)
    if configuration is not None:
        _class(tree, file, where, scope, configuration)
    return scope


def _module(tree: Tree, file: str, where: tuple[str, ...], scope: Scope) -> None:
    if file in scope.files:
        return
    scope.files[file] = None
    parsed = tree.parsed(file)
    if parsed is not None:
        _statements(tree, file, where, scope, parsed.body)
    scope.files[file] = scope.files.pop(file)


def _statements(tree: Tree, file: str, where: tuple[str, ...], scope: Scope, body: Sequence[ast.stmt]) -> None:  # noqa: C901, PLR0912 - one case for each kind of statement
    for statement in body:
        match statement:
            case ast.ImportFrom():
                others = [*imported(tree, statement, file, where)]
                missing = None if others or scope.weak or scope.tried else absent(statement, file)
                example = tree.example(missing) if missing is not None else None
                for other in [*others, *([example] if example is not None else [])]:
                    _module(tree, other, where, scope)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    _assign(scope, target, value, file)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                _assign(scope, target, value, file)
            case ast.AugAssign(target=ast.Name(id=name), value=value) if name in scope.names:
                old = scope.names[name]
                whole = ast.BinOp(left=old.node, op=ast.Add(), right=value)
                added = evaluate(value, _values(scope), file)
                known = [*old.value, *added] if isinstance(old.value, list) and isinstance(added, list) else old.value
                scope.names[name] = Assigned(value=known, node=whole, place=old.place)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=how), args=args)) if (
                how in {"append", "insert", "extend"} and name in scope.names and args
            ):
                old = scope.names[name]
                added = evaluate(args[-1], _values(scope), file)
                if isinstance(old.value, list):
                    more = added if isinstance(added, list) else [added]
                    scope.names[name] = Assigned(value=[*old.value, *more], node=old.node, place=old.place)
            case ast.If(test=test, body=inner, orelse=orelse):
                _branch(tree, file, where, scope, test, inner, orelse)
            case ast.Try(body=inner):
                before, scope.tried = scope.tried, True
                _statements(tree, file, where, scope, inner)
                scope.tried = before
            case ast.With(body=inner):
                _statements(tree, file, where, scope, inner)
            case _:
                pass


def _branch(  # noqa: PLR0913, PLR0917 - a statement in its surroundings
    tree: Tree,
    file: str,
    where: tuple[str, ...],
    scope: Scope,
    test: ast.expr,
    body: Sequence[ast.stmt],
    orelse: Sequence[ast.stmt],
) -> None:
    known = evaluate(test, _values(scope), file)
    sure = isinstance(known, bool) and not _asks(test)
    if not sure or known:
        before, scope.weak = scope.weak, scope.weak or not sure
        guarded, scope.guarded = scope.guarded, scope.guarded or not (sure or known or "DEBUG" in ast.unparse(test))
        _statements(tree, file, where, scope, body)
        scope.weak, scope.guarded = before, guarded
    if not sure or not known:
        _statements(tree, file, where, scope, orelse)


def _asks(test: ast.expr) -> bool:
    """Whether a condition may be another one where the project runs."""
    return any(isinstance(each, ast.Call | ast.Name | ast.Attribute) for each in ast.walk(test))


def _class(tree: Tree, file: str, where: tuple[str, ...], scope: Scope, name: str) -> None:
    """Read the settings in a class, after those in the classes that it is made of."""
    for each in reversed(list(scope.files)):
        parsed = tree.parsed(each)
        for node in parsed.body if parsed else []:
            if isinstance(node, ast.ClassDef) and node.name == name:
                for base in reversed(node.bases):
                    if isinstance(base, ast.Name) and base.id != name:
                        _class(tree, file, where, scope, base.id)
                _statements(tree, each, where, scope, node.body)
                return


def _assign(scope: Scope, target: ast.expr, value: ast.expr, file: str) -> None:
    match target:
        case ast.Name(id=name) if not (scope.weak and name in scope.names):
            known = evaluate(value, _values(scope), file)
            scope.names[name] = Assigned(
                value=known, node=value, place=Place(file, target.lineno), guarded=scope.guarded
            )
        case ast.Tuple(elts=targets):
            for each in targets:
                if isinstance(each, ast.Name):
                    scope.names[each.id] = Assigned(value=UNKNOWN, node=value, place=Place(file, target.lineno))
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=key)) if (
            name in scope.names and not scope.weak
        ):
            old = scope.names[name]
            if isinstance(old.value, dict):
                whole = {**old.value, key: evaluate(value, _values(scope), file)}
                scope.names[name] = Assigned(value=whole, node=old.node, place=old.place)
        case _:
            pass


def _values(scope: Scope) -> dict[str, object]:
    return {name: each.value for name, each in scope.names.items()}


def absent(statement: ast.ImportFrom, file: str) -> str | None:
    """Give the file that a relative import wants, where it is not in the project."""
    if not statement.level or not statement.module:
        return None
    folder = posixpath.join(posixpath.dirname(file), "../" * (statement.level - 1))
    return posixpath.normpath(posixpath.join(folder, *statement.module.split("."))) + ".py"


def imported(tree: Tree, statement: ast.ImportFrom | ast.Import, file: str, where: tuple[str, ...]) -> Iterator[str]:
    """Give the files of the project that a statement imports."""
    if isinstance(statement, ast.Import):
        names = [each.name for each in statement.names]
        places = where
    elif statement.level:
        folder = posixpath.dirname(file)
        for _ in range(statement.level - 1):
            folder = posixpath.dirname(folder)
        places = (folder,)
        names = [statement.module] if statement.module else [each.name for each in statement.names]
    else:
        names, places = [statement.module or ""], where
        # a module of a package may be what is imported
        names += [f"{statement.module}.{each.name}" for each in statement.names]
    for name in names:
        found = tree.module(name, places) if name else None
        if found is not None:
            yield found
