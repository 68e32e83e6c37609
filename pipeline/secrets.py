"""``python -m pipeline secrets init STACK``: makes the secrets that a stack does not have yet, and says what to give it.

Values come from the ``secrets`` module, go to Pulumi on its standard input and nowhere else, and are never overwritten.
Pulumi encrypts them with whatever secrets provider the stack has; this module knows none of them.
"""

import argparse
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from components.model import Settings
from components.problems import SettingsError
from components.secrets import NAMES, NAMESPACE, USUAL, give, in_clear, is_made, needed
from components.settings import ROOT, parse
from pipeline import settings
from pipeline.arguments import add_command, add_group, add_stack
from pipeline.console import Console, PipelineError, problem
from pipeline.engine import Engine

_MAKERS: dict[str, Callable[[], str]] = {
    "django_key": lambda: secrets.token_urlsafe(48),  # Django wants 50 characters; these are 64
}


def _password() -> str:
    """Make a password that needs no quoting anywhere: not in a URL, and not on a command line either."""
    return secrets.token_hex(32)


def _stored(stack: str, root: Path) -> dict[str, Any]:
    path = root / "stacks" / f"Pulumi.{stack}.yaml"
    config = settings.read(path) if path.exists() else {}
    prefix = f"{NAMESPACE}:"
    return {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}


def _loaded(stack: str, root: Path) -> Settings | None:
    try:
        return parse(settings.said(stack, root), stack, root)
    except (SettingsError, PipelineError):
        return None


def wanted(stack: str, root: Path = ROOT) -> list[str]:
    """Name the secrets that the settings of a stack ask for; while they have problems, the usual ones."""
    loaded = _loaded(stack, root)
    return needed(loaded) if loaded is not None else [*USUAL]


def makeable(names: list[str], stack: str, root: Path = ROOT) -> list[str]:
    """Keep those secrets that can be made up; the settings of the stack say which passwords of services are."""
    loaded = _loaded(stack, root)
    return [name for name in names if is_made(name, loaded)]


def missing(stack: str, root: Path = ROOT) -> list[str]:
    """Name the secrets that a stack needs and does not have. Nothing is decrypted for that.

    Raises:
        SettingsError: if one stands in clear in the stack's file.
    """
    stored = _stored(stack, root)
    clear = [in_clear(name, stack) for name, value in stored.items() if not _encrypted(value)]
    if clear:
        raise SettingsError(stack, clear)
    return [name for name in wanted(stack, root) if name not in stored]


def _encrypted(value: object) -> bool:
    return isinstance(value, dict) and list(value) == ["secure"]


def init(stack: str, engine: Engine | None = None) -> list[str]:
    """Make the missing secrets of a stack that is known to Pulumi and that can be made, and give their names.

    Each is stored by itself: what an interruption leaves out, the next run makes.
    """
    engine = engine or Engine(stack, Console())
    made = makeable(missing(stack, engine.root), stack, engine.root)
    for name in made:
        value = _MAKERS.get(name, _password)()
        engine.must(
            "config", "set", "--secret", f"{NAMESPACE}:{name}", "--stack", stack, "--non-interactive", stdin=value
        )
    return made


def verify(engine: Engine) -> None:
    """Let Pulumi decrypt one secret, so that a wrong passphrase shows here and not in the middle of an update."""
    engine.must("config", "get", f"{NAMESPACE}:{NAMES[0]}", "--stack", engine.stack, "--non-interactive")


def make_passphrase(path: Path) -> None:
    """Make a file with a new passphrase that only its owner can read. A file that is there stays as it is."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.") as draft:  # mode 0600
            draft.write(_password() + "\n")
            draft.flush()
            os.fsync(draft.fileno())
            path.hardlink_to(draft.name)
    except FileExistsError:
        if not path.is_file():
            raise problem(f"cannot write {path}: a folder above it is a file", mend=f"rm {path.parent}") from None
    except OSError as error:
        raise problem(
            f"cannot write {path}: {error.strerror}", mend=f"ls -ld {path.parent}; df {path.parent}"
        ) from None


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Make the missing secrets of a stack, and the stack where it is new."""
    from pipeline import stack  # noqa: PLC0415  # it needs this module as well

    engine = Engine(arguments.stack, console)
    stack.backend(engine)
    stack.stack_file(engine)
    absent = missing(engine.stack, engine.root)
    stack.passphrase(engine)
    if engine.exported() is None:
        provider = ["--secrets-provider", arguments.secrets_provider] if arguments.secrets_provider else []
        engine.must("stack", "init", engine.stack, "--no-select", *provider)
    init(engine.stack, engine)
    if not absent:
        verify(engine)
    made = makeable(absent, engine.stack, engine.root)
    for name in wanted(engine.stack, engine.root):
        console.say(f"{NAMESPACE}:{name:<20} {_became(name, absent, made)}")
    for name in absent:
        if name not in made:
            console.say(f"{NAMESPACE}:{name} is not made, since somebody else knows it:\n  {give(name, engine.stack)}")
    if made and engine.stack != stack.DEV:
        console.say(f"They are encrypted in stacks/{engine.stack_file.name}: commit it.")
        if "encryptionsalt" in stack.content(engine):
            console.say("Keep a copy of the passphrase in a safe place: without it nobody can read them again.")
    return 0


def _became(name: str, absent: list[str], made: list[str]) -> str:
    if name not in absent:
        return "there already"
    return "made" if name in made else "still to be given"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    actions = add_group(subparsers, "secrets", summary="the secrets of a stack")
    start = add_command(
        actions, "init", run, summary="make the secrets that a stack does not have yet; existing ones stay"
    )
    add_stack(start)
    start.add_argument(
        "--secrets-provider",
        metavar="PROVIDER",
        help="for a new stack: what encrypts its secrets, as in `pulumi stack init` (default: a passphrase)",
    )
