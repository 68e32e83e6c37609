"""The arguments that several commands share."""

import argparse

from pipeline.stack import DEV


def add_target(parser: argparse.ArgumentParser, *, app: bool = True) -> None:
    """Add the stack, by position or by name, and the project."""
    parser.add_argument("stack", nargs="?", default=argparse.SUPPRESS, help=f"name of the stack (default: {DEV})")
    parser.add_argument("--stack", dest="stack", default=DEV, metavar="STACK", help="the same by name")
    if app:
        parser.add_argument("--app", metavar="PATH", help="folder of the Django project, the one with manage.py")
