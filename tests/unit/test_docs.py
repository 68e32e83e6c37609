"""The documentation names only what exists: files, headings, commands, settings."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel

from components.flows import ANY_PORT, flows
from components.model import Settings
from components.rules.target import ONLY_ON
from components.secrets import NAMES
from pipeline.__main__ import parser
from pipeline.cluster.check import LEAST_VERSION
from tests.sample import settings

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "components", "examples", "pipeline", "stacks", "tests", "tools")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])
OWN = [page for page in PAGES if page.parent in {ROOT, ROOT / "docs", ROOT / "docs" / "decisions"}]

FENCE = re.compile(r"^( *)(`{3,})([\w-]*)[^\n]*\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


def title(page: Path) -> str:
    """Name a page in the report of a test."""
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def code(page: Path) -> Iterator[str]:
    """Give every piece of code of a page, in a block or in a line; diagrams are not code."""
    for block in FENCE.finditer(page.read_text(encoding="utf-8")):
        if block[3] != "mermaid":
            yield block[4]
    yield from INLINE.findall(prose(page))


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors of a page, as GitHub makes them from its headings."""
    found: list[str] = []
    for heading in HEADING.findall(prose(page)):
        text = LINK.sub(lambda link: link[0][1:].partition("]")[0], heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return frozenset(found)


def targets() -> set[str]:
    """Return what `make` can do."""
    return set(re.findall(r"^([a-z0-9][a-z0-9-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def commands() -> set[str]:
    """Return what `python -m pipeline` can do."""
    return {name for action in parser()._actions for name in (action.choices or ())}


def has_setting(path: list[str], model: type[BaseModel] = Settings) -> bool:
    """Whether the model has a key, be it a group or one value."""
    if not path:
        return True
    info = model.model_fields.get(path[0])
    if info is None:
        return False
    inner = info.annotation
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return has_setting(path[1:], inner)
    entry = get_args(inner)[1] if get_origin(inner) is dict else None
    if isinstance(entry, type) and issubclass(entry, BaseModel):
        return has_setting(path[2:], entry)  # below a name that the stack's file chooses
    return len(path) == 1 or get_origin(inner) is dict


def leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[list[str]]:
    """Give the path of every single value of a structure."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, str(key)))
    else:
        yield list(path)


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file, and its anchor a heading there."""
    broken = []
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_make_targets_exist(page: Path) -> None:
    """Every `make TARGET` that a page shows is in the Makefile."""
    named = {name for text in code(page) for name in re.findall(r"(?:^|[\s`(])make ([a-z][a-z0-9-]*)", text)}
    assert named - targets() == set()


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_pipeline_commands_exist(page: Path) -> None:
    """Every `python -m pipeline COMMAND` that a page shows is one."""
    named = {name for text in code(page) for name in re.findall(r"python -m pipeline ([a-z-]+)", text)}
    assert named - commands() == set()


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_settings_exist(page: Path) -> None:
    """Every `slipway:KEY` is in the model, every `secrets:NAME` is a secret, in commands as in blocks of YAML."""
    text = page.read_text(encoding="utf-8")
    keys = [match.split(".") for match in re.findall(r"\bslipway:([a-z_]+(?:\.[a-z_]+)*)", text)]
    for block in FENCE.finditer(text):
        if block[3] == "yaml" and "slipway:" in block[4]:
            config = (yaml.safe_load(block[4]) or {}).get("config") or {}
            for key, value in config.items():
                if key.startswith("slipway:"):
                    keys += [[key.removeprefix("slipway:"), *path] for path in leaves(value)]
    assert [".".join(key) for key in keys if not has_setting(key)] == []
    # A secret of the project's own has a name that a template of the same page uses.
    own = set(re.findall(r"\$\{secrets\.([a-z_]+)", text))
    assert set(re.findall(r"\bsecrets:([a-z_]+)\b", text)) - set(NAMES) - own == set()


@pytest.mark.parametrize("page", OWN, ids=title)
def test_paths_exist(page: Path) -> None:
    """Every path of this repository that a page names is there, unless it is made on each machine."""
    made = re.compile(r"stacks/Pulumi\.(dev|demo|STACK|review-[\w-]+)\.yaml")
    pattern = re.compile(rf"^(?:{'|'.join(FOLDERS)}|\.ci)/[\w./-]+$")
    named = [text for text in INLINE.findall(prose(page)) if pattern.match(text) and not made.fullmatch(text)]
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_page_can_be_found() -> None:
    """The index names every page of the documentation, and the list of decisions every decision."""
    for index in (ROOT / "docs" / "index.md", ROOT / "docs" / "decisions" / "README.md"):
        linked = {(index.parent / link.partition("#")[0]).resolve() for link in LINK.findall(prose(index))}
        assert [title(page) for page in index.parent.glob("*.md") if page not in {*linked, index}] == []


def test_the_readme_names_every_target() -> None:
    """What a user calls by hand is in the table of the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `make ([a-z0-9-]+)`", text, re.MULTILINE))
    assert named >= {"up", "preview", "down", "doctor", "cluster", "cluster-down", "test", "test-long", "lock", "help"}


def test_every_dependency_has_a_reason() -> None:
    """Each requirement of this repository is explained in docs/dependencies.md."""
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    lines = [
        line
        for name in ("requirements.in", "requirements-dev.in")
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
    ]
    names = [match[0] for line in lines if (match := re.match(r"[A-Za-z][\w-]*", line))]
    assert [n for n in names if f"`{n}`" not in text and not n.startswith("types-")] == []


def test_the_page_about_networks_names_every_flow() -> None:
    """Its table is what the policies are made from, for a stack with a process and servers of its own."""
    said = {"processes": {"name": {"command": "python manage.py worker"}}}
    wanted = {
        (each.source, each.to, "all" if each.port == ANY_PORT else str(each.port)) for each in flows(settings(said))
    }
    text = (ROOT / "docs" / "kubernetes-network.md").read_text(encoding="utf-8").replace("process-NAME", "process-name")
    _, _, table = text.partition("<!-- flows")
    rows = re.findall(r"^\| ([\w-]+) \| ([\w-]+) \| (\d+|all) \|", table, re.MULTILINE)
    assert sorted(rows) == sorted(wanted)


@pytest.mark.parametrize(
    ("page", "begin", "code"),
    [("troubleshooting.md", "\n## On a cluster\n", "pipeline"), ("data.md", "\n## When it fails\n", "pipeline/data")],
)
def test_errors_are_quoted_as_they_are_printed(page: str, begin: str, code: str) -> None:
    """What stands for something else is left out with three dots; the rest of each text is in the code."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8").partition(begin)[2]
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / code).rglob("*.py")))
    joined = re.sub(r"""["']\s*\n\s*f?["']""", "", source)
    parts = [
        part.strip(' "')
        for quoted in INLINE.findall(FENCE.sub("", text))
        if "..." in quoted and "secrets:" not in quoted
        for part in re.split(r"\.\.\.", quoted)
    ]
    assert len(parts) > 5
    assert [part for part in parts if len(part) > len("a word") and part not in joined] == []


def test_the_page_about_moving_names_every_need() -> None:
    """The oldest version, and each setting that asks for something of the cluster."""
    text = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    assert f"Kubernetes {'.'.join(map(str, LEAST_VERSION))} or newer" in text
    for path, only in ONLY_ON.items():
        if only.target == "docker":
            assert f"slipway:{'.'.join(path)}" in text


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("What runs", "what-runs"),
        ("1. Let the settings read", "1-let-the-settings-read"),
        ("The folder has no manage.py", "the-folder-has-no-managepy"),
        ("A `code` and [a link](x.md)", "a-code-and-a-link"),
    ],
)
def test_anchors_are_those_of_github(tmp_path: Path, heading: str, anchor: str) -> None:
    """Headings become anchors as on GitHub; a second one of the same name gets a number."""
    page = tmp_path / "page.md"
    page.write_text(f"# {heading}\n\n```sh\n# no heading\n```\n\n## {heading}\n", encoding="utf-8")
    assert anchors(page) == {anchor, f"{anchor}-1"}
