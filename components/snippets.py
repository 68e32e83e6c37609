"""Texts that a stack's file gives to nginx as they are: whether they stay where they are put. Pure.

nginx itself says whether it understands them. What is looked at here is that a text ends nothing but what it began: a
brace too many would close what is around it.
"""

import re

_TOKEN = re.compile(
    r"""
    \s+ | \#[^\n]*                                          # nothing
    | (?P<end> [{};] )
    | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*'                 # a quoted word
    | (?:\\.|\$\{|[^\s{};"'\#\\]) (?:\\.|\$\{|[^\s{;\\])*   # a word
    """,
    re.VERBOSE | re.DOTALL,
)
"""What nginx reads as one thing."""


def stands_alone(text: str) -> bool:
    """Whether a text can stand between braces: its own braces and quotes are closed, and its last word is ended."""
    depth, at, last = 0, 0, ""
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return False
        at = token.end()
        if not token[0].isspace() and not token[0].startswith("#"):
            last = token["end"] or "a word"
        depth += {"{": 1, "}": -1}.get(token["end"] or "", 0)
        if depth < 0:
            return False
    return not depth and last in {";", "}"}
