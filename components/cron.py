"""When something runs by the clock, and what waits for that in a container of its own.

The text of this file is also the program of such a container (``schedule.py``), so it needs the standard library alone.
A schedule is five fields, as cron has them: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday),
each of numbers, ``*``, ``-``, ``,`` and ``/``. Times are UTC.
"""

import datetime as dt
import re
import signal
import subprocess
import sys
import threading

FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
"""Each field with its least and its largest number."""

_YEARS = 8
"""How far a day is looked for: the 29th of February comes within so many years."""


class Schedule:
    """The times at which something runs."""

    def __init__(self, text: str) -> None:
        """Read five fields.

        Raises:
            ValueError: if that is no schedule, or there is no such day.
        """
        words = text.split()
        if len(words) != len(FIELDS):
            raise ValueError("five fields")
        minutes, hours, self._days, self._months, weekdays = (
            _numbers(word, least, most) for word, (_, least, most) in zip(words, FIELDS, strict=True)
        )
        self._times = [dt.time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes)]
        self._weekdays = {number % 7 for number in weekdays}
        # As everywhere with cron: where both say something, one of them is enough.
        self._either = not words[2].startswith("*") and not words[4].startswith("*")
        self.after(_now())

    def after(self, moment: dt.datetime) -> dt.datetime:
        """Give the next time after a moment."""
        for number in range(_YEARS * 366):
            day = moment.date() + dt.timedelta(days=number)
            if self._has(day):
                for time in self._times:
                    found = dt.datetime.combine(day, time)
                    if found > moment:
                        return found
        raise ValueError("a day that comes")

    def _has(self, day: dt.date) -> bool:
        dates = (day.day in self._days, day.isoweekday() % 7 in self._weekdays)
        return day.month in self._months and (any(dates) if self._either else all(dates))


def _numbers(word: str, least: int, most: int) -> set[int]:
    """Read one field."""
    found: set[int] = set()
    for part in word.split(","):
        match = re.fullmatch(r"(?:\*|([0-9]{1,2})(?:-([0-9]{1,2}))?)(?:/([0-9]{1,2}))?", part, re.ASCII)
        if match is None:
            raise ValueError("a field of numbers")
        first, last, step = (int(each) if each else None for each in match.groups())
        if first is None:
            first, last = least, most
        elif last is None:
            last = first if step is None else most
        numbers = set(range(first, last + 1, step if step is not None else 1))
        if not numbers or not numbers <= set(range(least, most + 1)):
            raise ValueError("numbers of the field")
        found |= numbers
    return found


def main(text: str, command: list[str]) -> int:
    """Run a command at each of its times until somebody asks to stop; never twice at once, and never late ones.

    What runs then is asked to stop too, and waited for.
    """
    schedule, stopped = Schedule(text), threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def stop(number: int, _frame: object) -> None:
        stopped.set()
        for process in running:
            process.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    while not stopped.is_set():
        due = schedule.after(_now())
        print(f"schedule: next at {due:%Y-%m-%d %H:%M} UTC", flush=True)
        # A clock that is set while this sleeps is noticed.
        while (left := (due - _now()).total_seconds()) > 0 and not stopped.wait(min(left, 30)):
            pass
        if stopped.is_set():
            break
        began = _now()
        try:
            running.append(subprocess.Popen(command))
        except OSError as error:
            print(f"schedule: cannot run {command[0]}: {error.strerror}", flush=True)
            continue
        if stopped.is_set():  # it came while the process was made
            running[0].terminate()
        code = running[0].wait()
        running.clear()
        print(f"schedule: ended with exit code {code} after {(_now() - began).total_seconds():.0f} s", flush=True)
    return 0


def _now() -> dt.datetime:
    now = dt.datetime.now(dt.timezone.utc)  # noqa: UP017 - an image of a project's own may have an older Python
    return now.replace(tzinfo=None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
