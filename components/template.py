"""What the stack knows, in the project's own words: texts in which ``${NAME}`` stands for a value.

This module owns which names there are and how a text is read and filled. A name is plain, or it belongs to the
database, the cache or a secret: what mentions one of those reaches a process in a file alone, never in a variable that
``docker inspect`` shows. Where the values come from is in ``environment.py``.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

PLAIN = ("domain", "scheme", "url", "allowed_hosts", "trusted_origins", "release")
"""Names of what everybody may see."""

DATABASE = ("url", "host", "port", "name", "user", "password", "json")
"""What there is of the database, after ``database.``."""

REDIS = ("url", "host", "port", "password")
"""What there is of the cache, after ``redis.``."""

SERVICE = ("host", "port", "url")
"""What there is of each service beside the app, after ``services.NAME.``; and ``ports.NAME``, where it has such ports."""

REDIS_DATABASES = 16
"""How many databases a Redis has unless it is told otherwise: ``redis.url/0`` to ``redis.url/15``."""

PATH = ".file"
"""After another name: the path of a file that holds the value."""

QUOTED = ".json"
"""After another name: the value as a quoted text, as JSON, YAML and Python read it."""

_REFERENCE = re.compile(r"\$(?:\$\{|\{([^{}\n]*)(\}?))")
_OWN = re.compile(r"secrets\.([a-z][a-z0-9_]{0,62})")
_SERVICE = re.compile(r"services\.([a-z][a-z0-9-]{0,30})\.(?:(host|port|url)|ports\.([a-z][a-z0-9-]{0,19}))")
_OF_SERVICE = re.compile(r"host|port|ports\.[a-z][a-z0-9-]{0,19}")
_NUMBERED = re.compile(r"redis\.url/(0|[1-9][0-9]?)")


def references(text: str) -> list[str]:
    """Give the names that a text mentions, each once; one that is not closed keeps its ``${``."""
    found = (match for match in _REFERENCE.finditer(text) if match[1] is not None)
    return list(dict.fromkeys(match[1] if match[2] else f"${{{match[1]}" for match in found))


def fill(text: str, value: Callable[[str], str]) -> str:
    """Put values in place of names. ``$${`` becomes ``${``; any other ``$`` stays."""
    return _REFERENCE.sub(lambda match: "${" if match[1] is None else value(match[1]), text)


def is_known(name: str) -> bool:
    """Whether a name means something."""
    if name in PLAIN:
        return True
    whole = unquoted(name.removesuffix(PATH))
    first, _, part = whole.partition(".")
    numbered = _NUMBERED.fullmatch(whole)
    return (
        (first == "database" and part in DATABASE)
        or (first == "redis" and part in REDIS)
        or (numbered is not None and int(numbered[1]) < REDIS_DATABASES)
        or _OWN.fullmatch(whole) is not None
        or _SERVICE.fullmatch(whole) is not None
    )


def is_known_in_url(name: str) -> bool:
    """Whether a name means something in the address of a service, which has names of its own."""
    return name in PLAIN or _OF_SERVICE.fullmatch(name) is not None or _OWN.fullmatch(name) is not None


@dataclass(frozen=True, kw_only=True)
class OfService:
    """What a name says of a service."""

    service: str
    """The name of the service."""
    part: str
    """Which of ``SERVICE``; ``ports`` for one of the further ports."""
    port: str | None = None
    """The name of that port."""


def service(name: str) -> OfService | None:
    """Give the service that a name is about, and what of it; None where it is about something else."""
    found = _SERVICE.fullmatch(unquoted(name.removesuffix(PATH)))
    return OfService(service=found[1], part=found[2] or "ports", port=found[3]) if found else None


def group(name: str) -> str:
    """Give the first part of a name: ``database``, ``redis``, ``secrets``, ``services``, or a plain name."""
    return name.partition(".")[0]


def unquoted(name: str) -> str:
    """Give the name whose value another one quotes. What there is of the database as JSON is a name of its own."""
    return name if name == f"database{QUOTED}" else name.removesuffix(QUOTED)


def is_secret(name: str) -> bool:
    """Whether nobody may see what a name stands for. The path of a file may be seen."""
    if name in PLAIN or name.endswith(PATH):
        return False
    about = service(name)
    return about is None or about.part == "url"


def is_plain(text: str) -> bool:
    """Whether everybody may see what a text becomes."""
    return not any(is_secret(name) for name in references(text))


def secret(name: str) -> str | None:
    """Give the name of the secret of the stack's file that a name stands for; None where it stands for something else."""
    found = _OWN.fullmatch(unquoted(name.removesuffix(PATH)))
    return found[1] if found else None


def meant(name: str) -> str | None:
    """Guess which name was meant."""
    known = [*PLAIN, *(f"database.{each}" for each in DATABASE), *(f"redis.{each}" for each in REDIS), "redis.url/1"]
    written = name.removeprefix("${")
    if group(written) == "services" and written.count(".") > 1:
        whole, _, part = written.rpartition(".")
        close = get_close_matches(part, SERVICE, 1)
        return f"{whole}.{close[0]}" if close else None
    near = get_close_matches(written, [*known, *(f"{each}{PATH}" for each in known[len(PLAIN) :])], 1)
    return near[0] if near else None


def names() -> Iterator[str]:
    """List the names there are, for people."""
    yield from PLAIN
    yield from (f"database.{each}" for each in DATABASE)
    yield from (f"redis.{each}" for each in REDIS)
    yield from ("redis.url/NUMBER", "secrets.NAME")
    yield from (f"services.NAME.{each}" for each in SERVICE)
