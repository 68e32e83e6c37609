"""The text of a stack's file, from what was found: each value with its reason and the place it was found at. Pure."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from components.defaults import BY_KIND
from components.model import Settings
from pipeline.init.finding import Missing, Place, Setting, Value
from pipeline.init.look import Report

WIDTH = 120
NEEDS_DOMAIN = tuple(kind for kind, values in BY_KIND.items() if "domain" not in values)
"""Kinds of environments that have no domain unless it is said."""


@dataclass
class _Node:
    """A key of the file: a value, or the keys below it."""

    value: Value | None = None
    comments: list[str] = field(default_factory=list)
    below: dict[str, "_Node"] = field(default_factory=dict)
    asked: bool = True


def text(report: Report, *, name: str, near_schema: bool, kept: Mapping[str, Any] | None = None) -> str:
    """Write the file.

    Args:
        report: what was found.
        name: the name of the app, which the volumes with the data are named after.
        near_schema: whether the file is beside the schema that editors check it with.
        kept: what an older file has beside settings: secrets and how they are encrypted.
    """
    project = report.project
    kind = project.kind
    lines = ["# yaml-language-server: $schema=schema.json"] if near_schema else []
    lines += [
        *_wrapped(
            f"Written by `python -m pipeline init` for {project.source}; from now on it is yours. What it does not say comes "
            f"from the defaults of {kind}: `python -m pipeline settings {project.stack}` shows every value.",
            "",
        ),
        *_wrapped(
            f"Next: python -m pipeline secrets init {project.stack} && python -m pipeline check {project.stack}", ""
        ),
    ]
    todo = list(report.missing)
    if todo:
        lines += ["#", "# To do:"]
        for each in todo:
            lines += _todo(each)
    lines += ["config:", f"  slipway:environment: {kind}"]
    if kind in NEEDS_DOMAIN:
        lines += ["  # TO DO: the public host name", f"  slipway:domain: {name}.example.org"]
    tree = _tree(report.settings)
    app = tree.setdefault("app", _Node())
    app.below = {
        "name": _Node(value=name, comments=["the volumes with the data are named after it: never change it"]),
        **app.below,
    }
    for group in Settings.model_fields:
        if group in tree:
            lines += _group(group, tree[group])
    if kept:
        rest = {key: value for key, value in kept.items() if key != "config"}
        own = kept.get("config", {})
        if own:
            lines += [f"  {line}" for line in yaml.safe_dump(own, allow_unicode=True, width=1000).splitlines()]
        if rest:
            lines += yaml.safe_dump(rest, allow_unicode=True, width=1000).splitlines()
    return "\n".join(lines) + "\n"


def _todo(each: Missing) -> Iterator[str]:
    where = f" ({each.place})" if each.place else ""
    yield from _wrapped(f"- {each.what}{where}", "", hang="  ")
    yield from _wrapped(f"  -> {each.do}", "", hang="     ")


def _wrapped(text_: str, indent: str, hang: str = "") -> list[str]:
    return textwrap.wrap(
        text_,
        WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}# {hang}",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _tree(settings: Sequence[Setting]) -> dict[str, _Node]:
    """Put settings below their groups. Lists that several findings add to become one; of other values the first counts."""
    top: dict[str, _Node] = {}
    for setting in settings:
        below = top
        for part in setting.path[:-1]:
            below = below.setdefault(part, _Node()).below
        last = setting.path[-1]
        old = below.get(last)
        comment = ", ".join(part for part in (setting.why, str(setting.place) if setting.place else "") if part)
        if old is None or (not old.asked and setting.asked):
            below[last] = _Node(value=_plain(setting.value), comments=[comment] if comment else [], asked=setting.asked)
        elif isinstance(old.value, list) and not isinstance(setting.value, str | int | bool | Mapping):
            old.value = list(dict.fromkeys([*old.value, *setting.value]))
            if comment not in old.comments:
                old.comments.append(comment)
    return top


def _plain(value: Value) -> Value:
    return value if isinstance(value, str | int | bool | Mapping) else [*value]


def _group(name: str, node: _Node) -> Iterator[str]:
    body = list(_below(node, 2))
    said = any(not line.lstrip().startswith("#") for line in body)
    if said:
        yield f"  slipway:{name}:"
        yield from body
    elif body:
        yield f"  # slipway:{name}:"
        yield from body


def _below(node: _Node, depth: int) -> Iterator[str]:
    indent = "  " * depth
    asked = {key: each for key, each in node.below.items() if each.below or each.asked}
    for key, each in asked.items():
        if each.below:
            inner = list(_below(each, depth + 1))
            if all(line.lstrip().startswith("#") for line in inner):
                yield f"{indent}# {key}:"
            else:
                yield f"{indent}{_scalar(key)}:"
            yield from inner
            continue
        yield from _entry(key, each, indent)
    optional = {key: each for key, each in node.below.items() if not each.below and not each.asked}
    if optional:
        if set(node.below) - set(asked) and any(key.isupper() for key in optional):
            yield f"{indent}# Read too, and left as it is:"
        for key, each in optional.items():
            comment = "; ".join(each.comments)
            yield f"{indent}# {_scalar(key)}: {_scalar(each.value)}" + (f" # {comment}" if comment else "")


def _entry(key: str, node: _Node, indent: str) -> Iterator[str]:
    value = node.value
    if isinstance(value, str) and "\n" in value:
        for comment in node.comments:
            yield from _wrapped(comment, indent)
        yield f"{indent}{_scalar(key)}: |"
        yield from (f"{indent}  {line}" if line else "" for line in value.rstrip("\n").splitlines())
        return
    line = f"{indent}{_scalar(key)}: {_scalar(value)}"
    comment = "; ".join(node.comments)
    if comment and len(line) + len(comment) + 4 <= WIDTH:
        yield f"{line} # {comment}"
        return
    for each in node.comments:
        yield from _wrapped(each, indent)
    yield line


def _scalar(value: object) -> str:
    """Write one value in a line, as YAML; with quotes where it would be read as something else."""
    dumped = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=100_000).strip()
    return dumped.removesuffix("\n...").removesuffix("...").strip()


def where(place: Place | None) -> str:
    """Write a place for people."""
    return str(place) if place is not None else ""
