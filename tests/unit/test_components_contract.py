"""What every component of every target keeps to, found in the source: tokens, signatures, outputs, one row for a target."""

import ast
import dataclasses
import inspect
import re
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest

from components import args, target
from components.deployment import TARGETS
from components.model import Target as Name
from components.settings import ROOT

FUNCTIONS = {"attempts", "check", "service_host"}
"""What a row has beside components."""

CLASSES = [
    (name, field, getattr(row, field))
    for name, row in ((name, load()) for name, load in TARGETS.items())
    for field in (each.name for each in dataclasses.fields(row))
    if field not in FUNCTIONS and getattr(row, field) is not None
]
"""Each component of each target."""


def args_of(field: str) -> object:
    """Give the Args that every target has for a component."""
    hint = typing.get_type_hints(target.Target)[field]
    return next(
        typing.get_args(each)[0]
        for each in (hint, *typing.get_args(hint))
        if len(typing.get_args(each)) == 2 and typing.get_origin(each) is target.Component
    )


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """Give the source of every module of components."""
    for path in sorted((ROOT / "components").rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def constructors() -> Iterator[tuple[str, str, ast.FunctionDef]]:
    """Give the constructor of every class that names a type token."""
    for path, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                for item in node.body:
                    if isinstance(item, ast.FunctionDef) and item.name == "__init__" and _super_call(item):
                        yield path.name, node.name, item


def _super_call(constructor: ast.FunctionDef) -> ast.Call | None:
    """Give the call of a component's base class: the one with four arguments."""
    calls = [
        node
        for node in ast.walk(constructor)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__" and len(node.args) == 4
    ]
    return calls[0] if calls else None


CONSTRUCTORS = list(constructors())

BESIDE = {"Gateway"}
"""Components that no stack of an app has: other programs make them."""


def test_all_components_are_found() -> None:
    """What is looked at here is what the targets have."""
    assert {name for _, name, _ in CONSTRUCTORS} == {component.__name__ for _, _, component in CLASSES} | BESIDE


@pytest.mark.parametrize(("file", "name", "constructor"), CONSTRUCTORS, ids=[name for _, name, _ in CONSTRUCTORS])
def test_constructor(file: str, name: str, constructor: ast.FunctionDef) -> None:
    """The token is constant and made of target and name; it is given first, and the outputs are registered last."""
    call = _super_call(constructor)
    body = [node for node in constructor.body if not isinstance(node, ast.Expr) or isinstance(node.value, ast.Call)]

    assert call is not None
    token = call.args[0]
    assert isinstance(token, ast.Constant), f"{file}: the type token of {name} is computed"
    assert re.fullmatch(rf"slipway:[a-z]+:{name}", str(token.value))
    assert ast.unparse(body[0]).startswith("super().__init__(")
    assert ast.unparse(body[-1]).startswith("self.register_outputs(")


@pytest.mark.parametrize(("row", "field", "component"), CLASSES, ids=[f"{row}-{field}" for row, field, _ in CLASSES])
def test_signature(row: Name, field: str, component: type[pulumi.ComponentResource]) -> None:
    """A component takes a name, the Args that every target has for it, and options that may be left out."""
    parameters = list(inspect.signature(component).parameters.values())

    assert [each.name for each in parameters] == ["name", "args", "opts"]
    assert parameters[1].annotation is args_of(field), f"{row}: {field}"
    assert parameters[2].default is None


@pytest.mark.parametrize(("row", "field", "component"), CLASSES, ids=[f"{row}-{field}" for row, field, _ in CLASSES])
def test_outputs(row: Name, field: str, component: type[pulumi.ComponentResource]) -> None:
    """A component has the outputs that every target's has, and so is one of the classes of ``target.py``."""
    assert component.__mro__[1].__module__ == target.__name__, f"{row}: {field}"


ARGS = [each for _, each in inspect.getmembers(args, dataclasses.is_dataclass) if each.__module__ == args.__name__]


@pytest.mark.parametrize("arguments", ARGS, ids=lambda each: each.__name__)
def test_args(arguments: type) -> None:
    """Args are frozen and keyword-only, and each field says what it is."""
    tree = ast.parse(inspect.getsource(arguments))
    (node,) = tree.body
    assert isinstance(node, ast.ClassDef)
    documented = {
        before.target.id
        for before, after in zip(node.body, node.body[1:], strict=False)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
    }

    assert ast.unparse(node.decorator_list[0]) == "dataclass(frozen=True, kw_only=True)"
    assert documented == {each.name for each in dataclasses.fields(arguments)}


def test_no_word_of_a_target_in_what_all_targets_share() -> None:
    """Args and outputs say nothing that only Docker or only Kubernetes knows."""
    for module in (args, target):
        text = inspect.getsource(module)
        assert re.findall(r"(?i)docker(?!file)|kubernetes|container|\bpod\b", text) == []


def test_components_do_not_merge_options_of_others() -> None:
    """Children take their component as the parent, whatever options the component itself was given."""
    for path, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("ResourceOptions.merge"):
                assert path.name in {"container.py", "job.py", "namespace.py", "workload.py"}, path


def test_no_component_reads_the_configuration() -> None:
    """Only settings and secrets read what a stack says."""
    readers = {path.name for path, tree in modules() for node in ast.walk(tree) if _reads_config(node)}

    assert readers == {"settings.py", "secrets.py"}


def _reads_config(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "pulumi.Config"


def test_what_does_not_register_imports_no_provider() -> None:
    """Modules that compute do not import what registers."""
    users = {
        path.relative_to(ROOT / "components").as_posix()
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and any(name.startswith("pulumi_") for name in [*(alias.name for alias in node.names), _module(node)])
    }

    assert {user for user in users if not user.startswith(("docker/", "kubernetes/"))} == {"image.py"}


def _module(node: ast.Import | ast.ImportFrom) -> str:
    return (node.module or "") if isinstance(node, ast.ImportFrom) else ""


@pytest.mark.parametrize(("row", "other"), [("docker", "pulumi_kubernetes"), ("kubernetes", "pulumi_docker")])
def test_a_stack_imports_the_plugins_of_its_own_target_alone(row: str, other: str) -> None:
    """What a target needs to be imported, which is up to half a second, no stack of another target pays for."""
    script = f"import sys, components.deployment, components.{row}.row; print({other!r} in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == "False"
