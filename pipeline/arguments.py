"""The arguments that several commands share."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.console import Console

DEV = "dev"
"""The stack that is meant where none is named."""
_STACK_HELP = f"name of the stack (default: {DEV})"


def add_command(  # noqa: PLR0913 - what a command has
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: "Callable[[argparse.Namespace, Console], int]",
    *,
    summary: str,
    description: str | None = None,
    examples: str | None = None,
) -> argparse.ArgumentParser:
    """Add a command, to the command line or below another command."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def add_group(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, *, summary: str
) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    """Add a command that only has others below it, and give what takes those."""
    return commands.add_parser(name, help=summary).add_subparsers(metavar="ACTION", required=True)


def add_target(parser: argparse.ArgumentParser, *, app: bool = True) -> None:
    """Add the stack, by position or by name, and the project."""
    parser.add_argument("stack", nargs="?", default=argparse.SUPPRESS, help=_STACK_HELP)
    parser.add_argument("--stack", dest="stack", default=DEV, metavar="STACK", help="the same by name")
    if app:
        parser.add_argument("--app", metavar="PATH", help="folder of the Django project, the one with manage.py")


def add_stack(parser: argparse.ArgumentParser) -> None:
    """Add the stack, by position alone."""
    parser.add_argument("stack", metavar="STACK", nargs="?", default=DEV, help=_STACK_HELP)
