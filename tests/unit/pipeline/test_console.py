"""What the commands print."""

import io

import pytest

from pipeline.console import Console, PipelineError, Problem, problem, seconds


def test_a_problem_names_what_was_found_what_is_allowed_and_the_mend() -> None:
    """The three parts are on lines of their own, and a mend of two commands keeps its column."""
    lines = Problem("slipway:edge.port: found 0", "1 to 65535", "first\nsecond").lines()

    assert lines == [
        "slipway:edge.port: found 0",
        "  allowed: 1 to 65535",
        "  mend:    first",
        "           second",
    ]


def test_a_problem_leaves_out_what_it_does_not_know() -> None:
    """A problem without a mend is one line."""
    assert Problem("odd").lines() == ["odd"]


def test_every_problem_of_an_error_is_printed() -> None:
    """A user mends all in one go, so all are shown, on the error stream, without colours in a file."""
    console = Console(io.StringIO(), io.StringIO())

    console.fail(PipelineError(Problem("one", mend="do this"), Problem("two")))

    assert isinstance(console.err, io.StringIO)
    assert console.err.getvalue() == "error: one\n  mend:    do this\nerror: two\n"


def test_colours_are_for_terminals_alone() -> None:
    """A pipe gets plain text; a terminal gets colour unless NO_COLOR is set."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NO_COLOR", raising=False)
        patch.setenv("TERM", "xterm")
        assert Console(io.StringIO()).paint("x", "1") == "x"
        assert Console(Terminal()).paint("x", "1") == "\033[1mx\033[0m"
        patch.setenv("NO_COLOR", "1")
        assert Console(Terminal()).paint("x", "1") == "x"


@pytest.mark.parametrize(
    ("duration", "text"), [(0.04, "0.0 s"), (59.94, "59.9 s"), (60, "1 min 00 s"), (125.4, "2 min 05 s")]
)
def test_durations_are_for_people(duration: float, text: str) -> None:
    """Seconds with one digit, minutes once there are some."""
    assert seconds(duration) == text


def test_each_step_is_timed_also_when_it_fails() -> None:
    """The summary has every step in the order they began, and their sum."""
    console = Console(io.StringIO(), io.StringIO())
    with console.step("one", "Do one"):
        pass
    with pytest.raises(PipelineError), console.step("two", "Do two"):
        raise problem("no")

    assert isinstance(console.out, io.StringIO)
    assert console.out.getvalue() == "==> Do one\n==> Do two\n"
    assert console.summary() == "one 0.0 s, two 0.0 s, total 0.0 s"
