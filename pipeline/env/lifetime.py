"""How long a review environment lives: read from the command line, and written for people. Pure."""

import re
from argparse import ArgumentTypeError
from datetime import datetime, timedelta

LONGEST = timedelta(days=90)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_TTL = re.compile(r"([1-9][0-9]{0,5})([mhd])")
_ALLOWED = "allowed: a whole number with m, h or d behind it, such as 48h, up to 90d"


def read(text: str) -> timedelta:
    """Take a time to live from the command line.

    Raises:
        ArgumentTypeError: if it is none.
    """
    found = _TTL.fullmatch(text)
    if found is None:
        raise ArgumentTypeError(f"found {text!r}; {_ALLOWED}")
    ttl = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if ttl > LONGEST:
        raise ArgumentTypeError(f"found {text!r}; {_ALLOWED}")
    return ttl


def later(expires: datetime, now: datetime, ttl: timedelta | None) -> datetime:
    """Give when something expires that is to live so long from now: never earlier than it would have."""
    return expires if ttl is None else max(expires, now + ttl)


def longer(expires: datetime, now: datetime) -> str:
    """Give a time to live that lets something live about twice as long as it has left, as the command line has it."""
    hours = 2 * max(1, round((expires - now) / timedelta(hours=1)))
    return f"{min(hours, LONGEST // timedelta(hours=1))}h"


def words(duration: timedelta) -> str:
    """Write a duration for people, in its two largest units: ``2 d 3 h``, ``5 min``."""
    minutes = max(0, int(duration.total_seconds() // 60))
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    while len(parts) > 1 and parts[0][0] == 0:
        parts.pop(0)
    return " ".join(f"{count} {unit}" for count, unit in parts[:2] if count) or "0 min"


def until(expires: datetime, now: datetime) -> str:
    """Say when something is due."""
    return f"in {words(expires - now)}" if expires > now else f"due for {words(now - expires)}"


def moment(at: datetime) -> str:
    """Write a moment for people and programs alike, in UTC, to the second."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
