"""When something runs by the clock, and the program that waits for it, run for real."""

import datetime as dt
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from components import cron, schedule
from components.cron import Schedule

SUNDAY = dt.datetime(2026, 11, 29, 7, 30, 20)  # noqa: DTZ001 - UTC throughout


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", "2026-11-29 07:31"),
        ("30 7 * * *", "2026-11-30 07:30"),
        ("0 3 * * *", "2026-11-30 03:00"),
        ("*/15 * * * *", "2026-11-29 07:45"),
        ("5/20 8 * * *", "2026-11-29 08:05"),
        ("5-10/2,58 7 * * *", "2026-11-29 07:58"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
        ("0 12 * * 7", "2026-11-29 12:00"),
        ("0 12 * * 1-5", "2026-11-30 12:00"),
        ("0 0 13 * 5", "2026-12-04 00:00"),  # a day of the month or one of the week
        ("0 0 */2 * 1", "2026-12-07 00:00"),  # where one begins with *, both
    ],
)
def test_the_next_time(text: str, expected: str) -> None:
    """The next time is the first later one whose fields all hold, as cron reads them."""
    assert f"{Schedule(text).after(SUNDAY):%Y-%m-%d %H:%M}" == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8"),
        *("5-1 * * * *", "*/0 * * * *", "a * * * *", "* * * jan *", "1-2-3 * * * *", ", * * * *", "0 0 31 2 *"),
    ],
)
def test_what_is_no_schedule(text: str) -> None:
    """Other numbers of fields, numbers beyond a field's, names, and days that never come are refused."""
    with pytest.raises(ValueError, match=r"field|day|zero"):
        Schedule(text)


def test_the_command_is_the_file_itself() -> None:
    """A container needs nothing but Python, and gets the schedule and the command as they are."""
    command = schedule.waiting("0 3 * * *", ["celery", "--quiet"])

    assert command[:4] == ["python3", "-I", "-S", "-c"]
    assert command[4] == Path(cron.__file__).read_text()
    assert command[5:] == ["0 3 * * *", "celery", "--quiet"]


def started(*command: str) -> "subprocess.Popen[str]":
    """Start the program with a clock that is half a second before each minute."""
    text = schedule.waiting("* * * * *", [])[4]
    ahead = text.replace(
        "return now.replace(tzinfo=None)", "return now.replace(tzinfo=None, second=59, microsecond=500000)"
    )
    assert ahead != text
    waited = ahead.replace("stopped.wait(min(left, 30))", "stopped.wait(min(left, 0.1)) and next(rounds)").replace(
        "    schedule, stopped", "    rounds = iter([True] * 3 + [False] * 99)\n    schedule, stopped"
    )
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", waited, "* * * * *", *command], stdout=subprocess.PIPE, text=True
    )


def test_it_runs_and_says_how_it_ended() -> None:
    """At the time the command runs, and its exit code is in the log; the program goes on with the next time."""
    with started(sys.executable, "-c", "print('did it', flush=True); raise SystemExit(3)") as process:
        assert process.stdout is not None
        limit = threading.Timer(20, process.kill)
        limit.start()
        said = [process.stdout.readline() for _ in range(4)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        limit.cancel()

    assert said[0].startswith("schedule: next at ")
    assert said[0].endswith(" UTC\n")
    assert said[1] == "did it\n"
    assert said[2] == "schedule: ended with exit code 3 after 0 s\n"
    assert said[3].startswith("schedule: next at ")


def test_what_runs_is_asked_to_stop_and_waited_for() -> None:
    """A signal reaches the command, and the program ends once that has."""
    slow = "import signal, sys; signal.signal(15, lambda *_: (print('bye'), sys.exit(0))); print('on', flush=True); signal.pause()"
    with started(sys.executable, "-c", slow) as process:
        assert process.stdout is not None
        limit = threading.Timer(20, process.kill)
        limit.start()
        assert process.stdout.readline().startswith("schedule: next")
        assert process.stdout.readline() == "on\n"
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert process.wait(10) == 0
        limit.cancel()

    assert rest == "bye\nschedule: ended with exit code 0 after 0 s\n"


def test_what_cannot_be_run_is_said() -> None:
    """A program that does not exist ends nothing."""
    with started("/no/such/program") as process:
        assert process.stdout is not None
        limit = threading.Timer(20, process.kill)
        limit.start()
        said = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        limit.cancel()

    assert said[1] == "schedule: cannot run /no/such/program: No such file or directory\n"
    assert said[2].startswith("schedule: next at ")
