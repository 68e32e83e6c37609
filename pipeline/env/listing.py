"""``env list``: what the backend knows of review environments, as a table or for programs. Pure."""

import json
from collections.abc import Sequence
from datetime import datetime

from pipeline.env import lifetime
from pipeline.env.record import Listed, Record

_NONE = "-"


def table(found: Sequence[tuple[Record, Listed]], now: datetime) -> list[str]:
    """Write a line for each, and one with the sums."""
    if not found:
        return ["There are no review environments."]
    rows = [("NAME", "AGE", "EXPIRES", "URL", "RELEASE", "SIZE")]
    rows += [
        (
            each.name,
            lifetime.words(now - each.created),
            lifetime.until(each.expires, now),
            each.url or "not served yet",
            each.release or _NONE,
            f"{each.memory_mb} MiB, {listed.resources} resources",
        )
        for each, listed in found
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    memory = sum(each.memory_mb for each, _ in found)
    due = sum(each.due(now) for each, _ in found)
    sums = f"{len(found)} with {memory} MiB of memory"
    return [*lines, f"{sums}; {due} due: python -m pipeline env expire" if due else f"{sums}; none is due"]


def as_json(found: Sequence[tuple[Record, Listed]], now: datetime) -> str:
    """Write a list for programs."""
    return json.dumps(
        [
            {
                "name": each.name,
                "stack": each.stack,
                "project": each.project,
                "url": each.url,
                "release": each.release,
                "created": lifetime.moment(each.created),
                "expires": lifetime.moment(each.expires),
                "age_seconds": int((now - each.created).total_seconds()),
                "due": each.due(now),
                "memory_mb": each.memory_mb,
                "resources": listed.resources,
            }
            for each, listed in found
        ],
        indent=2,
    )
