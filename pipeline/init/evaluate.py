"""What expressions in settings come to, as far as that can be known without running anything.

Constants, lists, paths (``BASE_DIR / "media"``, ``os.path.join``), and the defaults of what is read from the environment.
The project is thought to lie in ``/app``, as it does in the image. What is not known is ``UNKNOWN``.
"""

import ast
import posixpath
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Final

IMAGE_ROOT = "/app"
"""Where the project lies in the image."""


_Evaluate = Callable[[ast.AST | None], object]


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        return False


UNKNOWN: Final = _Unknown()
"""Stands for every value that cannot be known."""

_READERS = frozenset({"get", "getenv", "config", "env", "str", "bool", "list", "path", "int", "url", "tuple"})
"""Names of functions whose default is the value, where nothing is set."""


def evaluate(node: ast.AST | None, scope: Mapping[str, object], file: str) -> object:  # noqa: C901, PLR0911, PLR0912 - one case for each kind of expression
    """Give the value of an expression.

    Args:
        node: the expression.
        scope: values of names.
        file: the file that it stands in, inside the project's root.
    """

    def value(inner: ast.AST | None) -> object:
        return evaluate(inner, scope, file)

    match node:
        case ast.Constant(value=constant):
            return constant
        case ast.Name(id="__file__"):
            return PurePosixPath(IMAGE_ROOT, file)
        case ast.Name(id=name):
            return scope.get(name, UNKNOWN)
        case ast.JoinedStr(values=parts):
            known = [value(part.value) if isinstance(part, ast.FormattedValue) else value(part) for part in parts]
            return "".join(map(str, known)) if all(each is not UNKNOWN for each in known) else UNKNOWN
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return [each for element in elements for each in _spread(element, value)]
        case ast.Dict(keys=keys, values=values):
            found: dict[object, object] = {}
            for key, inner in zip(keys, values, strict=True):
                whole = value(inner)
                if key is None:
                    found |= whole if isinstance(whole, dict) else {}
                elif isinstance(key, ast.Constant):
                    found[key.value] = whole
            return found
        case ast.BinOp(left=left, op=operator, right=right):
            return _combined(value(left), operator, value(right))
        case ast.BoolOp(op=ast.Or(), values=values):
            return next((each for each in map(value, values) if each), UNKNOWN)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            known_ = value(operand)
            return UNKNOWN if known_ is UNKNOWN else not known_
        case ast.IfExp(test=test, body=body, orelse=orelse):
            # DEBUG is off where the project is deployed.
            off = {"DEBUG": False, "not DEBUG": True}
            condition = off.get(ast.unparse(test).removeprefix("settings."), value(test))
            return UNKNOWN if condition is UNKNOWN else value(body if condition else orelse)
        case ast.Subscript(value=inner, slice=index):
            return _item(value(inner), value(index))
        case ast.Attribute(value=inner, attr=attribute):
            return _attribute(value(inner), attribute)
        case ast.Call():
            return _call(node, value)
        case _:
            return UNKNOWN


def _spread(element: ast.expr, value: _Evaluate) -> list[object]:
    if isinstance(element, ast.Starred):
        inner = value(element.value)
        return list(inner) if isinstance(inner, list) else []
    return [value(element)]


def _combined(left: object, operator: ast.operator, right: object) -> object:
    if isinstance(operator, ast.Add):
        if isinstance(left, list) or isinstance(right, list):  # what is known of a list is better than nothing
            return [each for part in (left, right) if isinstance(part, list) for each in part]
        if isinstance(left, str) and isinstance(right, str):
            return left + right
    if isinstance(operator, ast.Div) and isinstance(left, PurePosixPath) and isinstance(right, str | PurePosixPath):
        return left / right
    if isinstance(operator, ast.Sub) and isinstance(left, PurePosixPath) and isinstance(right, int):
        return _above(left, right)  # environ.Path
    if isinstance(operator, ast.Mult) and isinstance(left, int) and isinstance(right, int):
        return left * right
    return UNKNOWN


def _above(path: PurePosixPath, levels: int) -> PurePosixPath:
    for _ in range(levels):
        path = path.parent
    return path


def _item(inner: object, index: object) -> object:
    if isinstance(inner, dict):
        return inner.get(index, UNKNOWN)
    if isinstance(inner, list | tuple) and isinstance(index, int) and -len(inner) <= index < len(inner):
        return inner[index]
    return UNKNOWN


def _attribute(inner: object, name: str) -> object:
    if isinstance(inner, PurePosixPath):
        return {"parent": inner.parent, "parents": list(inner.parents), "name": inner.name, "root": inner}.get(
            name, UNKNOWN
        )
    return UNKNOWN


def _call(node: ast.Call, value: _Evaluate) -> object:  # noqa: C901, PLR0911, PLR0912 - one case for each function
    function = node.func
    name = (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
    own = value(function.value) if isinstance(function, ast.Attribute) else UNKNOWN
    given = [value(each) for each in node.args]
    if isinstance(function, ast.Name) and isinstance(value(function), PurePosixPath):  # environ.Path, called
        base = value(function)
        return PurePosixPath(str(base), *map(str, given)) if UNKNOWN not in given else UNKNOWN
    if isinstance(own, PurePosixPath):
        if name in {"resolve", "absolute", "expanduser", "as_posix"}:
            return own
        if name in {"joinpath", "path"}:
            return own.joinpath(*map(str, given)) if UNKNOWN not in given else UNKNOWN
    if name in {"rstrip", "strip"} and isinstance(own, str | PurePosixPath):
        return own
    if name == "getattr" and len(node.args) == len(("object", "name", "default")):
        return given[-1]
    if name in {"Path", "PurePath", "abspath", "realpath", "normpath", "root", "fspath", "str"} and len(given) == 1:
        return _as_path(given[0], name)
    if name == "dirname" and len(given) == 1 and given[0] is not UNKNOWN:
        return PurePosixPath(str(given[0])).parent
    if name == "join" and given and UNKNOWN not in given and (isinstance(given[0], PurePosixPath) or len(given) > 1):
        return PurePosixPath(posixpath.normpath(posixpath.join(*map(str, given))))
    if name in {"bool", "int"} and len(given) == 1 and given[0] is not UNKNOWN and not isinstance(given[0], str):
        return given[0]
    if name == "dict":
        return {each.arg: value(each.value) for each in node.keywords if each.arg}
    if name in {"list", "tuple", "set"} and len(given) == 1 and isinstance(given[0], list):
        return given[0]
    if name in _READERS and len(node.args) > 0:
        default = next((each.value for each in node.keywords if each.arg == "default"), None)
        if default is None and len(node.args) > 1 and name in {"get", "getenv", "config", "env"}:
            default = node.args[1]
        return value(default) if default is not None else UNKNOWN
    return UNKNOWN


def _as_path(inner: object, name: str) -> object:
    if isinstance(inner, PurePosixPath):
        return PurePosixPath(posixpath.normpath(inner)) if name == "normpath" else inner
    if isinstance(inner, str):
        return inner if name == "str" else PurePosixPath(inner)
    return UNKNOWN
