"""Which migrations a release runs, with their SQL. The model, and what of the SQL destroys data. Pure."""

import re
from dataclasses import dataclass

_DESTROYS = (
    (re.compile(r'\bDROP TABLE(?: IF EXISTS)? ("?[\w."]+"?)', re.IGNORECASE), "drops the table {}"),
    (
        re.compile(r'\bALTER TABLE ("?[\w."]+"?) DROP COLUMN(?: IF EXISTS)? ("?[\w."]+"?)', re.IGNORECASE),
        "drops the column {1} of {0}",
    ),
    (re.compile(r'\bTRUNCATE(?: TABLE)? ("?[\w."]+"?)', re.IGNORECASE), "empties the table {}"),
    (re.compile(r'\bDELETE FROM ("?[\w."]+"?)', re.IGNORECASE), "deletes rows of {}"),
)


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One migration that is not applied yet."""

    name: str
    """Its app and its name, such as ``shop.0002_price``."""
    sql: str
    """What it tells the database; a comment of Django's where it is Python."""

    @property
    def destroys(self) -> tuple[str, ...]:
        """Say which data it destroys."""
        said = "\n".join(line for line in self.sql.splitlines() if not line.lstrip().startswith("--"))
        found = []
        for pattern, words in _DESTROYS:
            found += [
                words.format(*(name.replace('"', "") for name in each.groups())) for each in pattern.finditer(said)
            ]
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, kw_only=True)
class Migrations:
    """The plan of a release's migrations."""

    pending: tuple[Migration, ...] = ()
    """Those that are not applied, in order."""
    against: str = ""
    """What they were compared with."""
    unknown: str = ""
    """Why nothing is known; empty where it is."""
