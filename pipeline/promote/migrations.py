"""The migrations of an image and of a database, and what of them does not go together."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components import environment
from components.model import Settings
from pipeline.console import Problem, problem
from pipeline.data.process import Processes
from pipeline.promote import inside

SOURCE = Path(inside.__file__)
_SHOWN = 10
_ERROR = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception|Configured|Ready))(?::|$)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Migrations:
    """What a process of the app tells."""

    plan: Sequence[str]
    """``app.name`` of each that the image would have in an empty database, in order."""
    known: frozenset[str]
    """All that the image has."""
    replaces: Mapping[str, Sequence[str]]
    """What each squashed one stands for."""
    applied: frozenset[str]
    """All that the database has."""

    def pending(self, applied: Collection[str]) -> list[str]:
        """List what the image would do to a database, in order."""
        return [
            each
            for each in self.plan
            if each not in applied and not (each in self.replaces and set(self.replaces[each]) <= set(applied))
        ]

    def lacking(self, applied: Collection[str]) -> list[str]:
        """List what a database has of the image's apps and the image has not. What is left of apps that went is nothing."""
        known = self.known.union(*self.replaces.values())
        apps = {each.partition(".")[0] for each in known}
        return sorted(each for each in set(applied) - known if each.partition(".")[0] in apps)


def has(settings: Settings) -> bool:
    """Whether a stack migrates a database."""
    return settings.release.migrate and environment.has_database(settings)


def ask(processes: Processes, settings: Settings, stack: str) -> Migrations:
    """Ask a web process of a stack.

    Raises:
        PipelineError: if it does not tell.
    """
    command = environment.exporting(settings.app, ["python", "-c", SOURCE.read_text(encoding="utf-8")])
    done = processes.run("web", command)
    for line in done.out.decode(errors="replace").splitlines():
        if line.startswith(inside.MARK):
            told = json.loads(line.removeprefix(inside.MARK))
            return Migrations(
                plan=told["plan"],
                known=frozenset(told["known"]),
                replaces=told["replaces"],
                applied=frozenset(told["applied"]),
            )
    # The kind of an error tells much and no secret.
    kinds = _ERROR.findall(done.err)
    raise problem(
        f"the web process of stack {stack} does not tell its migrations "
        f"({kinds[-1] if kinds else f'exit code {done.code}'})",
        allowed="a Django project whose database answers; its last words may hold a secret and are not shown",
        mend=f"python -m pipeline doctor {stack}",
    )


def of_the_source(found: Migrations, stack: str) -> list[Problem]:
    """Find where the database of a stack is not at its image."""
    problems = []
    pending, lacking = found.pending(found.applied), found.lacking(found.applied)
    if pending:
        problems.append(
            Problem(
                f"stack {stack}: its image has migrations that its database has not: {listed(pending)}",
                allowed="a release whose migrations have run",
                mend=f"make up STACK={stack}",
            )
        )
    if lacking:
        problems.append(_lacking(f"stack {stack}: its database has", lacking))
    return problems


def of_the_target(found: Migrations, applied: Collection[str], source: str, stack: str) -> list[Problem]:
    """Find what the database of the other stack has beyond the image."""
    lacking = found.lacking(applied)
    return (
        [_lacking(f"stack {stack}: its database has, unlike the image of stack {source},", lacking)] if lacking else []
    )


def _lacking(what: str, names: Sequence[str]) -> Problem:
    app = names[0].partition(".")[0]
    return Problem(
        f"{what} migrations that the image lacks: {listed(names)}",
        allowed="an image with every migration of the database: older code does not know what a newer one has changed",
        mend=f"promote a newer release; or, for squashed migrations whose files are gone: python manage.py migrate {app} --prune",
    )


def listed(names: Sequence[str]) -> str:
    """Name the first of them."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
