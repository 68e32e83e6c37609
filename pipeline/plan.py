"""A plan: what a preview has shown, kept in a file, so that an update does that and nothing else.

Pulumi writes and holds it; its secrets are encrypted as those of the stack are. It is read by the command that applies it,
once, soon: whatever else changes the stack in between makes it useless.
"""

import argparse
import json
from pathlib import Path

from pipeline.console import problem


def add_save(parser: argparse.ArgumentParser) -> None:
    """Let a preview keep a plan."""
    parser.add_argument("--save-plan", metavar="FILE", type=Path, help="keep what is shown, for `up --plan FILE`")


def add_use(parser: argparse.ArgumentParser) -> None:
    """Let an update follow a plan."""
    parser.add_argument(
        "--plan", metavar="FILE", type=Path, help="do what `preview --save-plan FILE` has shown, and nothing else"
    )


def save(arguments: argparse.Namespace) -> list[str]:
    """Give what ``pulumi preview`` is told. It runs in another folder, so that the path has to be whole."""
    path: Path | None = arguments.save_plan
    if path is None:
        return []
    if not path.resolve().parent.is_dir():
        raise problem(f"--save-plan: there is no folder {path.parent}", mend=f"mkdir -p {path.parent}")
    return ["--save-plan", str(path.resolve())]


def use(arguments: argparse.Namespace) -> list[str]:
    """Give what ``pulumi up`` is told."""
    path: Path | None = arguments.plan
    if path is None:
        return []
    again = f"python -m pipeline preview {arguments.stack} --save-plan {path}"
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise problem(f"--plan: {path} cannot be read: {error.strerror}", mend=again) from None
    except ValueError:
        content = None
    if not isinstance(content, dict) or "resourcePlans" not in content:
        raise problem(f"--plan: {path} is no plan of Pulumi", mend=again)
    return ["--plan", str(path.resolve())]
