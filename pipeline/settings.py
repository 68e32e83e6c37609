"""``python -m pipeline settings STACK``: every setting of a stack in full, and where each value comes from.

It reads the stack's file itself, so it needs neither Pulumi nor a passphrase, but for the password of a private
repository. What is right is decided by the settings.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import yaml

from components.keys import KEYS, NAME, key_at
from components.model import Settings
from components.problems import NAMESPACE, SettingsError, full_key
from components.resolved import Resolved
from components.rules.target import applies
from components.settings import ROOT, file_problems, resolve
from pipeline.arguments import add_command, add_stack
from pipeline.console import Console, PipelineError, problem


class _Loader(yaml.SafeLoader):
    """Reads YAML as Pulumi does: only ``true`` and ``false`` are truth values, and there are no dates."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if not tag.endswith(":timestamp") and not (tag.endswith(":bool") and first not in "tTfF")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def stack_file(stack: str, root: Path = ROOT) -> Path:
    """Find the file of a stack; where it has none yet, the template that it will be made from."""
    path = root / "stacks" / f"Pulumi.{stack}.yaml"
    template = path.with_name(f"{stack}.template.yaml")
    if path.exists() or template.exists():
        return path if path.exists() else template
    raise no_stack(stack, path)


def no_stack(stack: str, path: Path) -> PipelineError:
    """Make the error for a stack without a file."""
    known = sorted(
        each.name.removeprefix("Pulumi.").removesuffix(".yaml") for each in path.parent.glob("Pulumi.*.yaml")
    )
    return problem(
        f"there is no stack {stack}: stacks/{path.name} does not exist",
        allowed=", ".join(dict.fromkeys(["dev", *known])),
        mend=f"cp stacks/dev.template.yaml stacks/{path.name}   # and edit it",
    )


def read(path: Path) -> dict[str, Any]:
    """Read what is under ``config:`` in a stack's file."""
    try:
        content = yaml.load(path.read_bytes(), _Loader)  # noqa: S506  # a safe loader
    except yaml.YAMLError as error:
        raise problem(
            f"stacks/{path.name} is not valid YAML: {' '.join(str(error).split())}", mend=f"edit stacks/{path.name}"
        ) from None
    config = (content or {}).get("config") if isinstance(content, dict | None) else None
    return config if isinstance(config, dict) else {}


def said(stack: str, root: Path = ROOT) -> dict[str, Any]:
    """Give what a stack's file says under ``slipway:``."""
    prefix = f"{NAMESPACE}:"
    config = read(stack_file(stack, root))
    return {str(key).removeprefix(prefix): value for key, value in config.items() if str(key).startswith(prefix)}


def explain(stack: str, root: Path = ROOT) -> Resolved:
    """Complete the settings of a stack and note where each value comes from.

    Raises:
        SettingsError: with every problem, including those of the Django project.
    """
    resolved = resolve(said(stack, root), stack, root)
    problems = [*resolved.problems, *file_problems(resolved, stack, root, lambda: _netrc(stack, root))]
    if problems:
        raise SettingsError(stack, problems)
    return resolved


def _netrc(stack: str, root: Path) -> str | None:
    """Give the stack's secret ``netrc``: a private repository of the project wants it, and then Pulumi and the passphrase."""
    from pipeline.engine import Engine  # noqa: PLC0415  # seldom needed

    if not isinstance(read(stack_file(stack, root)).get("secrets:netrc"), dict):
        return None
    return Engine(stack, Console(), root).must("config", "get", "secrets:netrc", "--stack", stack, "--non-interactive")


def load(stack: str, root: Path = ROOT) -> Settings:
    """Read the settings of a stack from its file, as ``pulumi up`` will read them.

    Raises:
        SettingsError: with every problem, including those of the Django project.
    """
    return Settings(**explain(stack, root).parts)


def rows(resolved: Resolved) -> list[tuple[str, object, str]]:
    """Give each single value that the target has, with its key and where it comes from."""
    loaded = Settings(**resolved.parts)
    complete = loaded.model_dump(mode="json")
    found = []
    for path in (each for key in KEYS for each in _paths(key, complete)):
        key = key_at(path)
        if key is not None and applies(path, loaded.target) and (key.single or not _at(complete, path)):
            found.append((full_key(path), _at(complete, path), resolved.sources[path]))
    return found


def _paths(key: tuple[str, ...], complete: dict[str, Any]) -> list[tuple[str, ...]]:
    """Give a key with each of the names that a stack's file chose; without any, where it would stand."""
    if NAME not in key:
        return [key]
    at = key.index(NAME)
    return [(*key[:at], name, *key[at + 1 :]) for name in _at(complete, key[:at])]


def _at(values: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - any value of the settings
    for part in path:
        values = values[part]
    return values


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the settings of a stack."""
    table = rows(explain(arguments.stack))
    if arguments.json:
        console.say(json.dumps({key: {"value": value, "from": source} for key, value, source in table}, indent=2))
        return 0
    texts = [(key, json.dumps(value, ensure_ascii=False), source) for key, value, source in table]
    widths = [max(len(row[column]) for row in texts) for column in (0, 1)]
    for key, value, source in texts:
        console.say(f"{key:<{widths[0]}}  {value:<{widths[1]}}  {source}")
    return 0


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = add_command(
        subparsers, "settings", run, summary="every setting of a stack, and where each value comes from"
    )
    add_stack(parser)
    parser.add_argument("--json", action="store_true", help="for programs")
