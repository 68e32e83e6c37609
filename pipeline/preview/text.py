"""The report as plain text, for a terminal or the log of a job. Pure."""

from collections.abc import Iterator

from pipeline.preview import cost, images
from pipeline.preview.danger import TITLES
from pipeline.preview.report import Report, headline, notes, part_line, unasked


def text(report: Report) -> str:
    """Write it."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield headline(report)
    yield from notes(report)
    for each in report.problems:
        first, *rest = each.lines()
        yield ""
        yield f"error: {first}"
        yield from rest
    if report.dangers:
        yield from _title("Dangers")
        for danger in report.dangers:
            yield f"  {TITLES[danger.kind]}, {danger.component}: {danger.text}"
    if report.parts:
        yield from _title("What changes")
        for part in report.parts:
            yield f"  {part.name}: {part_line(part)}"
    yield from _migrations(report)
    if report.images:
        yield from _title("Images")
        for image in report.images:
            names = " to ".join(filter(None, (image.before.partition("@")[0], image.after.partition("@")[0])))
            yield f"  {image.component}: {names} ({images.words(image)})"
    if report.costs:
        yield from _title("Cost")
        for what, *three in cost.rows(report.costs):
            told = zip(three, ("now", "then", "during the update"), strict=True)
            same = len({*three}) == 1
            yield f"  {what}: {three[0] if same else '; '.join(f'{text} {when}' for text, when in told)}"


def _migrations(report: Report) -> Iterator[str]:
    found = report.migrations
    if found is None:
        if report.unasked:
            yield from _title("Migrations")
            yield f"  not looked at: {unasked(report)}"
        return
    yield from _title("Migrations")
    if found.unknown:
        yield f"  not known: {found.unknown}"
    elif not found.pending:
        yield f"  none: {found.against} has all of them"
    else:
        yield f"  against {found.against}:"
    for each in found.pending:
        yield f"  {each.name}"
        yield from (f"      {line}" for line in each.sql.strip().splitlines())


def _title(name: str) -> Iterator[str]:
    yield ""
    yield name
