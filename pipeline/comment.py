"""``python -m pipeline comment``: post a report under a pull request, as one comment that is edited from then on.

Which request, and where, comes from what GitHub Actions, GitLab CI or Jenkins set; the token from GITHUB_TOKEN or
GITLAB_TOKEN. The comment is found again by its first line, ``<!-- NAME -->``, which nobody sees.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from pipeline.arguments import add_command
from pipeline.console import Console, problem
from pipeline.forge import comment, place
from pipeline.forge.github import GitHub
from pipeline.forge.gitlab import GitLab

EXAMPLES = """examples:
  python -m pipeline comment --file report.md                     a report of `python -m pipeline preview`
  python -m pipeline comment --file note.md --marker review       any other text
"""
OF: dict[place.Kind, Callable[[place.Place], comment.Request]] = {place.Kind.GITHUB: GitHub, place.Kind.GITLAB: GitLab}
SAYS = {"posted": "Posted:", "edited": "Edited:", "left": "Is there already:"}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "comment",
        run,
        summary="post a report under a pull request, or edit the one that is there",
        description=__doc__,
        examples=EXAMPLES,
    )
    parser.add_argument("--file", required=True, metavar="FILE", type=Path, help="what to post, in Markdown")
    parser.add_argument("--marker", metavar="NAME", help="what the comment is found by, for a file without a marker")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Post or edit, and say where."""
    try:
        text = arguments.file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise problem(f"--file: {arguments.file} cannot be read: {reason}", allowed="a file of Markdown") from None
    marker, body = comment.marked(text, arguments.marker, str(arguments.file))
    where = place.find(os.environ)
    with console.step("comment", f"Comment {where.name}"):
        made, did = comment.post(OF[where.kind](where), marker, body, console)
    console.say(f"{SAYS[did]} {made.address or f'comment {made.id} of {where.name}'}")
    return 0
