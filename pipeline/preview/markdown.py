"""The report as a comment on GitHub or GitLab: dangers first, details folded, cut to what a comment may hold. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.preview import cost, images
from pipeline.preview.danger import TITLES
from pipeline.preview.picture import LEGEND
from pipeline.preview.report import Report, headline, notes, part_line, unasked

GITHUB_LIMIT = 65_536
"""Characters that a comment on GitHub may have. GitLab takes 1,000,000."""

_SQL_LINES = 400


def marker(stack: str) -> str:
    """Give the line that the comment of a stack is found by, to be edited instead of repeated."""
    return f"<!-- slipway-preview: {stack} -->"


@dataclass(frozen=True, kw_only=True)
class _Section:
    """A part of the comment."""

    name: str
    """What is said of it where it is cut."""
    text: str
    """The text."""
    weight: int
    """How soon it is cut: the smallest first; 0 for never."""


def text(report: Report, limit: int = GITHUB_LIMIT) -> str:
    """Write the comment.

    Args:
        report: what is told.
        limit: how many characters it may have; 0 for as many as it takes.
    """
    sections = [each for each in _sections(report) if each.text]
    whole = _joined(sections, [], report)
    cut: list[str] = []
    while limit and len(whole) > limit:
        going = min((each for each in sections if each.weight), key=lambda each: each.weight, default=None)
        if going is None:
            return _shortened(whole, limit)
        sections.remove(going)
        cut.append(going.name)
        whole = _joined(sections, cut, report)
    return whole


def _joined(sections: list[_Section], cut: list[str], report: Report) -> str:
    said = [each.text for each in sections]
    if cut:
        said.append(
            f"*Left out, since a comment holds no more: {', '.join(cut)}. All of it:* "
            f"`python -m pipeline preview {report.stack} --format markdown --limit 0`"
        )
    return "\n\n".join(said) + "\n"


def _shortened(whole: str, limit: int) -> str:
    """Keep whole lines, and say that there were more."""
    end = "\n\n*The rest is left out, since a comment holds no more.*\n"
    return whole[: max(0, limit - len(end))].rpartition("\n")[0] + end if limit > len(end) else whole[:limit]


def _sections(report: Report) -> Iterator[_Section]:
    head = [marker(report.stack), f"## Preview of {report.stack}", "", f"**{_plain(headline(report))}**"]
    for note in notes(report):
        head += ["", f"> {_plain(note)}"]
    yield _Section(name="the summary", text="\n".join(head), weight=0)
    yield _Section(name="the reason", text=_problems(report), weight=0)
    yield _Section(name="dangers", text=_dangers(report), weight=0)
    yield _Section(name="what changes", text=_parts(report), weight=0)
    yield _Section(name="the migrations", text=_migrations(report, sql=False), weight=6)
    yield _Section(name="the SQL of the migrations", text=_migrations(report, sql=True), weight=2)
    yield _Section(name="the images", text=_images(report), weight=5)
    yield _Section(name="the cost", text=_cost(report), weight=4)
    yield _Section(name="the picture", text=_picture(report), weight=3)
    yield _Section(name="the details", text=_details(report), weight=1)


def _problems(report: Report) -> str:
    if not report.problems:
        return ""
    lines = "\n".join(line for each in report.problems for line in each.lines())
    return f"### Why\n\n{fenced(lines)}"


def _dangers(report: Report) -> str:
    if not report.dangers:
        return ""
    rows = [f"- **{TITLES[each.kind]}**, {code(each.component)}: {_plain(each.text)}" for each in report.dangers]
    return "\n".join(["### Dangers", "", *rows])


def _parts(report: Report) -> str:
    if not report.parts:
        return ""
    rows = [f"- **{_plain(each.name)}**: {_plain(part_line(each))}" for each in report.parts]
    return "\n".join(["### What changes", "", *rows])


def _migrations(report: Report, *, sql: bool) -> str:
    found = report.migrations
    if found is None:
        asks = f"`{unasked(report)}` shows them with their SQL, and which of them destroy data."
        return f"### Migrations\n\nNot looked at: {asks}" if report.unasked and not sql else ""
    if sql:
        if not any(each.sql for each in found.pending):
            return ""
        lines = "\n\n".join(f"-- {each.name}\n{each.sql.strip()}" for each in found.pending).splitlines()
        left = len(lines) - _SQL_LINES
        more = [f"-- and {left} lines more"] if left > 0 else []
        return folded("SQL of the migrations", fenced("\n".join([*lines[:_SQL_LINES], *more]), "sql"))
    if found.unknown:
        return f"### Migrations\n\nNot known: {_plain(found.unknown)}"
    if not found.pending:
        return f"### Migrations\n\nNone: {_plain(found.against)} has all of them."
    rows = [f"{index}. {code(each.name)}" for index, each in enumerate(found.pending, 1)]
    return "\n".join(["### Migrations", "", f"Against {_plain(found.against)}:", "", *rows])


def _images(report: Report) -> str:
    if not report.images:
        return ""
    rows = [
        f"| {_cell(each.component)} | {_cell(code(_short(each.before)) if each.before else '')} "
        f"| {_cell(code(_short(each.after)) if each.after else '')} | {images.words(each)} |"
        for each in report.images
    ]
    return "\n".join(["### Images", "", "| | Now | Then | Size |", "|---|---|---|---|", *rows])


def _short(name: str) -> str:
    return name.partition("@")[0]


def _cost(report: Report) -> str:
    if report.costs is None:
        return ""
    rows = [f"| {what} | {before} | {after} | {during} |" for what, before, after, during in cost.rows(report.costs)]
    return "\n".join(["### Cost", "", "| | Now | Then | During the update |", "|---|---|---|---|", *rows])


def _picture(report: Report) -> str:
    return f"### Picture\n\n{fenced(report.picture, 'mermaid')}\n\n{LEGEND}" if report.picture else ""


def _details(report: Report) -> str:
    return folded("Every change of every resource", fenced("\n".join(report.details))) if report.details else ""


def folded(title: str, text_: str) -> str:
    """Fold a text under a title."""
    return f"<details>\n<summary>{title}</summary>\n\n{text_}\n\n</details>"


def fenced(text_: str, language: str = "text") -> str:
    """Show a text as it is, whatever is in it."""
    longest = max((len(found) for found in re.findall(r"`+", text_)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text_}\n{fence}"


def code(text_: str) -> str:
    """Show a name as it is, in a line."""
    return f"`{' '.join(text_.split()).replace('`', chr(39))}`"


def _plain(text_: str) -> str:
    """Keep a text from being markup, a mention of somebody, or a link."""
    return " ".join(_linked(word) if "://" in word else _escaped(word) for word in text_.split())


def _linked(word: str) -> str:
    address = word.rstrip(",;")
    return code(address) + word[len(address) :]


def _escaped(word: str) -> str:
    escaped = re.sub(r"([\\`*{}\[\]<>|~#&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))", r"\\\1", word)
    return escaped.replace("@", "@&#8203;")


def _cell(text_: str) -> str:
    return text_.replace("|", "\\|")
