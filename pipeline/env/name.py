"""The name of a review environment, and of the stack behind it. Pure.

Every stack of a review environment begins with the same word, so that no name of one means another kind of stack.
"""

import re
from argparse import ArgumentTypeError

PREFIX = "review-"
LONGEST = 30
"""The longest name: what Docker and Kubernetes call the parts of a stack has 63 characters."""

_NAME = re.compile(rf"[a-z0-9]([a-z0-9-]{{0,{LONGEST - 2}}}[a-z0-9])?")
_LABEL = 63
_LONGEST_ROLE = "-postgres"


def read(text: str) -> str:
    """Take a name from the command line.

    Raises:
        ArgumentTypeError: if it is none.
    """
    if _NAME.fullmatch(text):
        return text
    likely = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:LONGEST].rstrip("-")
    raise ArgumentTypeError(
        f"found {text!r}; allowed: 1 to {LONGEST} small letters, digits and hyphens, with no hyphen at either end, "
        f"such as {likely or 'pr-123'}"
    )


def stack(name: str) -> str:
    """Name the stack of an environment."""
    return f"{PREFIX}{name}"


def room(project: str) -> int:
    """Give how long names may be beside the name of a project, so that every part has a name on the network."""
    return min(LONGEST, _LABEL - len(f"{project}-{PREFIX}{_LONGEST_ROLE}"))
