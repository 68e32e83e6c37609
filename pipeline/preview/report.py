"""The report: everything that is told of a preview, before it is written in one of the formats. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components import environment
from components.model import Settings
from components.tokens import IMAGE
from pipeline.console import Problem, counted
from pipeline.preview import cost, danger, details, picture, value, words
from pipeline.preview.cost import Costs
from pipeline.preview.danger import Danger, Kind
from pipeline.preview.images import Image
from pipeline.preview.keyless import Compared
from pipeline.preview.migration import Migrations
from pipeline.preview.plan import Operation, Plan
from pipeline.preview.words import Part, tag


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many resources something becomes of."""

    create: int = 0
    update: int = 0
    replace: int = 0
    delete: int = 0
    same: int = 0

    @property
    def changed(self) -> int:
        """How many are not as they were."""
        return self.create + self.update + self.replace + self.delete

    @property
    def total(self) -> int:
        """How many there are, gone ones included."""
        return self.changed + self.same


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a reviewer reads."""

    stack: str
    """Name of the stack."""
    target: str = ""
    """Where it runs: docker or kubernetes; empty where that is not known."""
    compared: Compared = Compared.STATE
    """What the preview was compared with."""
    reason: str = ""
    """Why it was compared with nothing."""
    problems: tuple[Problem, ...] = ()
    """Why there is no whole preview. Empty for a good one."""
    warnings: tuple[str, ...] = ()
    """What else an update would stumble over."""
    release_before: str = ""
    """The release that runs; empty where none does."""
    release_after: str = ""
    """The release that would run."""
    counts: Counts = Counts()
    """How many resources change."""
    dangers: tuple[Danger, ...] = ()
    """What must not be overlooked, the worst first."""
    parts: tuple[Part, ...] = ()
    """Every component that changes."""
    migrations: Migrations | None = None
    """What the database is told; None where nobody asked."""
    images: tuple[Image, ...] = ()
    """Images that move."""
    costs: Costs | None = None
    """What the stack takes; None where nothing is known."""
    picture: str = ""
    """The environment as a Mermaid flowchart; empty where nothing runs."""
    details: tuple[str, ...] = ()
    """Every change of every resource."""

    @property
    def failed(self) -> bool:
        """Whether there is no whole preview."""
        return bool(self.problems)

    @property
    def unasked(self) -> bool:
        """Whether another release may bring migrations that nobody asked for."""
        runs = bool(self.release_before) and bool(self.release_after) and not self.failed
        return runs and self.release_after != self.release_before and self.migrations is None

    @property
    def unchanged(self) -> bool:
        """Whether an update would change nothing."""
        protected = any(each.kind is Kind.PROTECTED for each in self.dangers)
        return not self.failed and not self.counts.changed and not protected


def of(  # noqa: PLR0913 - what a report is made of
    plan: Plan,
    *,
    secret_files: Mapping[str, Sequence[str]],
    images: tuple[Image, ...] = (),
    migrations: Migrations | None = None,
    problems: tuple[Problem, ...] = (),
    compared: Compared = Compared.STATE,
    reason: str = "",
) -> Report:
    """Make the report of a plan."""
    built = [each for each in plan.changes if each.type == IMAGE]
    after = tag(built[0].after) if built else ""
    known = any(each.component for each in plan.changes)
    return Report(
        stack=plan.stack,
        target=plan.target,
        compared=compared,
        reason=reason,
        problems=problems,
        release_before=value.text(plan.before.get("release")),
        release_after=after.rpartition(":")[2],
        counts=Counts(
            create=plan.count(Operation.CREATE),
            update=plan.count(Operation.UPDATE),
            replace=plan.count(Operation.REPLACE),
            delete=plan.count(Operation.DELETE),
            same=plan.count(Operation.SAME),
        ),
        dangers=danger.dangers(plan, migrations.pending if migrations else ()),
        parts=words.parts(plan, secret_files),
        migrations=migrations,
        images=images,
        costs=cost.costs(plan) if known and plan.finished else None,
        picture=picture.mermaid(plan),
        details=details.details(plan),
    )


def secret_files(settings: Settings) -> dict[str, list[str]]:
    """Name the secret files of each set of secrets, in the order of the plugin's list."""
    app = {
        environment.SECRET_KEY,
        *([environment.DATABASE_URL] if environment.has_database(settings) else []),
        *([environment.REDIS_URL] if environment.has_redis(settings) else []),
        *environment.files(settings.app),
    }
    return {"app-secrets": sorted(app), "postgres-secrets": ["postgres_password"], "redis-secrets": ["redis.conf"]}


def headline(report: Report) -> str:
    """Say in one line what would happen."""
    if report.failed:
        return f"The preview of stack {report.stack} failed."
    if report.unchanged:
        return f"Stack {report.stack} would not change: {report.counts.total} resources are as they should be."
    if report.compared is Compared.NOTHING:
        release = f", of release {report.release_after}" if report.release_after else ""
        return f"Not a comparison: as a whole new stack, {report.stack} would have {report.counts.total} resources{release}."
    said = []
    if report.dangers:
        said.append(counted(len(report.dangers), "danger"))
    counts = report.counts
    numbers = (
        (counts.create, "created"),
        (counts.update, "updated"),
        (counts.replace, "replaced"),
        (counts.delete, "deleted"),
    )
    done = ", ".join(f"{number} {word}" for number, word in numbers if number)
    changed = f"{counts.changed} of {counts.total} resources change ({done})"
    said.append(
        changed if counts.changed else f"{counts.total} resources are as they should be, but for their protection"
    )
    if report.release_after and report.release_after != report.release_before:
        before = f"{report.release_before} to " if report.release_before else ""
        said.append(f"release {before}{report.release_after}")
    return f"Stack {report.stack}: {'; '.join(said)}."


def notes(report: Report) -> list[str]:
    """Say what a reader has to know about how this was found out."""
    said = []
    if report.compared is Compared.BLIND and (report.counts.total or not report.failed):
        said.append(
            "Made without the keys of the stack: its secrets are placeholders here. Whether one of them changes, and which "
            "files of secrets come or go, cannot be seen; everything else is what an update would do."
        )
    if report.compared is Compared.NOTHING:
        said.append(
            f"Compared with nothing, since {report.reason}. This is what a whole new stack would be, not what would "
            "change: nothing here tells whether an update would delete data, replace something or be away. Its secrets are "
            "placeholders."
        )
    if report.failed and report.counts.total:
        said.append("What follows is what Pulumi had planned before it failed.")
    return [*said, *report.warnings]


def unasked(report: Report) -> str:
    """Say how to know the migrations."""
    return f"python -m pipeline preview {report.stack} --build"


def part_line(part: Part) -> str:
    """Write what becomes of a component, without its name."""
    if not part.facts:
        return {Operation.CREATE: "created", Operation.DELETE: "deleted"}.get(part.operation, "changes")
    return ", ".join(part.facts)
