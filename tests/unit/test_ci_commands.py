"""What the script of CI calls is what the command line knows."""

import re
import shlex

import pytest

from pipeline.__main__ import parser
from tests.ci_steps import ROOT

TEXT = (ROOT / ".ci" / "job").read_text(encoding="utf-8")
CALLS = [
    re.split(r" [|&]|\|\||2>", call)[0]
    for call in re.findall(r"^[^#\n]*\bpython -m pipeline ([^\n)]+)", TEXT, re.MULTILINE)
]
OPTIONS = {
    '"${@:2}"': "--without-secrets",
    '"${build[@]}"': "--build",
    '"${ref[@]}"': "--ref main",
    "${SLIPWAY_REVIEW_TTL:-48h}": "48h",
    "$1": "pr-5",
    "$2": "prod",
    "$out": "out",
}


def test_the_calls_are_found() -> None:
    """One for each command of the script, and the comments."""
    assert sorted({call.split()[0] for call in CALLS}) == ["comment", "drift", "env", "preview", "promote", "up"]
    assert len(CALLS) == 11


@pytest.mark.parametrize("call", CALLS)
def test_a_call_is_understood(call: str) -> None:
    """Every command, option and number of names."""
    for name, value in OPTIONS.items():
        call = call.replace(name, value)
    assert "$" not in call
    assert callable(parser().parse_args(shlex.split(call)).run)
