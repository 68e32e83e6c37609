"""``python -m pipeline init PATH``: looks at a Django project and writes the stack file that deploys it.

The project is not changed, imported or run. Each value comes with the file and the line that it was found at; what could
not be found is listed with what to do. A file that is there is left alone unless --force is given; secrets in it stay.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import yaml

from components.problems import SettingsError, full_key
from components.settings import ROOT, check, name_of
from pipeline import draft, settings
from pipeline.arguments import DEV, add_command
from pipeline.console import Console, problem
from pipeline.init.finding import Missing
from pipeline.init.look import Report, look
from pipeline.init.stackfile import text
from pipeline.project import relative

EXAMPLES = """examples:
  python -m pipeline init ../shop                 writes stacks/Pulumi.dev.yaml
  python -m pipeline init ../shop --stack prod    the same for production
  python -m pipeline init ../shop --output -      only shows what it would write
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "init",
        run,
        summary="write the stack file of a Django project, from what its files say",
        description=__doc__,
        examples=EXAMPLES,
    )
    parser.add_argument("path", metavar="PATH", help="folder of the Django project, or one above it")
    parser.add_argument("--stack", default=DEV, metavar="NAME", help=f"name of the stack (default: {DEV})")
    parser.add_argument(
        "--output", metavar="FILE", help="where to write it (default: stacks/Pulumi.NAME.yaml); - for standard output"
    )
    parser.add_argument("--force", action="store_true", help="write over a file that is there; secrets in it are kept")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")


def run(arguments: argparse.Namespace, console: Console, root: Path = ROOT) -> int:
    """Look at the project, write the file, and say what was found and what was not."""
    stack = arguments.stack
    file = root / "stacks" / f"Pulumi.{stack}.yaml" if arguments.output is None else Path(arguments.output).expanduser()
    shows = arguments.output == "-"
    if not shows and file.exists() and not arguments.force:
        again = f"python -m pipeline init {arguments.path} --stack"
        raise problem(
            f"{relative(file.resolve(), root)} is there already",
            allowed="a stack that has no file yet, or --force, which keeps nothing of it but secrets",
            mend=f"{again} OTHER\n{again} {stack} --force   # writes over it",
        )
    report = look(Path(arguments.path).expanduser(), lambda path: relative(path, root), stack)
    name = name_of(report.project.source, root)
    content = text(
        report,
        name=name,
        near_schema=not shows and file.resolve().parent == root / "stacks",
        kept=_kept(file) if not shows else None,
    )
    left = problems(content, stack, root)
    if not shows:
        _write(file, content)
    if arguments.json:
        where = None if shows else relative(file.resolve(), root)
        console.say(json.dumps(as_json(report, left, stack=stack, file=where, content=content), indent=2))
    elif shows:
        console.say(content.rstrip("\n"))
    else:
        _say(report, left, console, stack=stack, file=relative(file.resolve(), root))
    return 0


def problems(content: str, stack: str, root: Path = ROOT) -> list[Missing]:
    """Find what would stop a deployment that uses the file, as the settings see it."""
    config = yaml.safe_load(content)["config"]
    said = {key.removeprefix("slipway:"): value for key, value in config.items() if key.startswith("slipway:")}
    try:
        check(said, stack, root)
    except SettingsError as error:
        return [Missing(what=f"{each.key}: {each.found}", do=each.mend) for each in error.problems]
    return []


def _kept(file: Path) -> dict[str, Any]:
    """Give what an older file has beside settings."""
    if not file.exists():
        return {}
    settings.read(file)  # says what is wrong with its YAML
    old = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(old, dict):
        return {}
    config = {key: value for key, value in (old.get("config") or {}).items() if not str(key).startswith("slipway:")}
    return {**{key: value for key, value in old.items() if key != "config"}, **({"config": config} if config else {})}


def _write(file: Path, content: str) -> None:
    try:
        draft.write(file, content)
    except OSError as error:
        raise problem(f"--output {file}: cannot be written: {error.strerror}", mend=f"ls -ld {file.parent}") from None


def as_json(report: Report, left: list[Missing], *, stack: str, file: str | None, content: str) -> dict[str, object]:
    """Give what was found, for programs."""
    return {
        "project": report.project.source,
        "stack": stack,
        "file": file,
        "settings": [
            {
                "key": full_key(each.path),
                "value": each.value if isinstance(each.value, str | int | bool) else [*each.value],
                "why": each.why,
                "place": str(each.place) if each.place else None,
                "asked": each.asked,
            }
            for each in report.settings
        ],
        "missing": [
            {"what": each.what, "do": each.do, "place": str(each.place) if each.place else None}
            for each in [*report.missing, *left]
        ],
        "text": content,
    }


_COLUMN = 34


def _say(report: Report, left: list[Missing], console: Console, *, stack: str, file: str) -> None:
    console.say(f"{console.paint('==>', '1')} Look at {report.project.source}")
    for each in report.settings:
        if not each.asked:
            continue
        shown = each.value if isinstance(each.value, str | int | bool) else " ".join(each.value)
        value = "a module" if each.path[:2] == ("app", "files") else str(shown)
        note = ", ".join(part for part in (each.why, str(each.place) if each.place else "") if part)
        console.say(f"    {'.'.join(each.path):<{_COLUMN}} {value:<30}" + (f"  {note}" if note else ""))
    optional = sum(not each.asked for each in report.settings)
    if optional:
        console.say(f"    and {optional} more that are not needed, as comments in the file")
    missing = [*report.missing, *left]
    if missing:
        console.say()
        console.say(f"{console.paint('To do:', '33')} what could not be found, or is not for this command to decide")
    for todo in missing:
        where = f" ({todo.place})" if todo.place else ""
        console.say(f"  - {todo.what}{where}")
        for number, line in enumerate(todo.do.splitlines()):
            console.say(f"    {'->' if number == 0 else '  '} {line}")
    console.say()
    console.say(f"{console.paint(f'Wrote {file}', '1;32')}. Next:")
    console.say(f"  python -m pipeline secrets init {stack}   # makes the stack and its secrets")
    console.say(f"  python -m pipeline check {stack}          # builds the image and tries the settings in it")
    console.say(f"  python -m pipeline up {stack}")
