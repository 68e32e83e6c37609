"""``python -m pipeline check STACK``: tries a stack's file against the project, without deploying anything.

The settings are read as an update reads them, the image is built as an update builds it. In it, without a network, with
made-up secrets: the settings are imported, `manage.py check --deploy` and `makemigrations --check` run, the application is
imported, and the program of each process is looked for. Each finding comes with what mends it. Errors make the exit code 1.
"""

import argparse
import json
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from components.model import Settings
from components.problems import Problem as ConfigurationProblem
from components.problems import SettingsError
from components.project import source_folder
from components.release import plan as plan_release
from components.secrets import missing as secret_problem
from pipeline import secrets, settings
from pipeline.arguments import add_command, add_stack
from pipeline.check import plan
from pipeline.check.ask import MEMORY_MB, Told, ask
from pipeline.check.build import BuildError, built
from pipeline.check.finding import Finding, Level
from pipeline.check.verdict import LAST_LINES, Context, judge, known
from pipeline.console import GREEN, RED, YELLOW, Console, PipelineError, Problem, counted, seconds
from pipeline.engine import Engine
from pipeline.init.look import read
from pipeline.init.tree import Tree
from pipeline.readable import plain

EXAMPLES = """examples:
  python -m pipeline check dev                    everything that can be known before an update
  python -m pipeline check prod --json            the same for programs
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "check",
        run,
        summary="try a stack's file against the project, in its image, without deploying",
        description=__doc__,
        examples=EXAMPLES,
    )
    add_stack(parser)
    parser.add_argument(
        "--json", action="store_true", help="print the findings as JSON; progress goes to standard error"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Check the stack, print every finding, and give 1 if one of them is an error."""
    progress = Console(out=console.err, err=console.err) if arguments.json else console
    engine = Engine(arguments.stack, progress)
    findings = _all(engine)
    bad = sum(each.level is Level.ERROR for each in findings)
    if arguments.json:
        console.say(json.dumps(as_json(engine.stack, findings), indent=2))
        return 1 if bad else 0
    for each in findings:
        _say(each, console)
    warned = len(findings) - bad
    console.say()
    if bad:
        console.say(console.paint(f"Not ready: {counted(bad, 'error')}, {counted(warned, 'warning')}.", f"1;{RED}"))
        return 1
    notes = f", {counted(warned, 'warning')}" if warned else ""
    console.say(console.paint(f"Ready{notes}: python -m pipeline up {engine.stack}", f"1;{GREEN}"))
    console.say(f"Time:   {console.summary()}")
    return 0


def _all(engine: Engine) -> list[Finding]:
    """Run every check that can be run: what fails early leaves out what needs it."""
    console = engine.console
    with console.step("settings", f"Check the settings of stack {engine.stack}"):
        try:
            loaded = settings.load(engine.stack, engine.root)
        except SettingsError as error:
            return _of_settings(error)
        findings = _secrets(engine)
    try:
        with ExitStack() as stack:
            with console.step("build", f"Build the image of {loaded.app.name}"):
                image = stack.enter_context(built(engine, loaded))
            with console.step("trial", "Try it in the image, without a network and without secrets"):
                findings += _trial(engine, loaded, image)
    except SettingsError as error:
        return [*findings, *_of_settings(error)]
    except BuildError as error:
        return [*findings, *_of_build(error.problems, engine, loaded)]
    return findings


def _of_settings(error: SettingsError) -> list[Finding]:
    return [
        Finding(check="settings", found=f"{each.key}: {each.found}", allowed=each.allowed, mend=each.mend)
        for each in error.problems
    ]


def _secrets(engine: Engine) -> list[Finding]:
    """Name secrets that an update would ask for."""
    try:
        problems = [secret_problem(name, engine.stack) for name in secrets.missing(engine.stack, engine.root)]
        level = Level.WARNING
    except SettingsError as error:
        problems, level = [*error.problems], Level.ERROR
    by_mend: dict[str, list[ConfigurationProblem]] = {}
    for each in problems:
        by_mend.setdefault(each.mend, []).append(each)
    return [
        Finding(
            check="secrets",
            found=f"{', '.join(each.key for each in alike)}: {alike[0].found}",
            allowed=alike[0].allowed,
            mend=mend,
            level=level,
        )
        for mend, alike in by_mend.items()
    ]


_SAID = re.compile(r"#\d+ [\d.]+ (.*)")
"""A line that a step of the build said."""


def _of_build(problems: Sequence[Problem], engine: Engine, loaded: Settings) -> list[Finding]:
    log = engine.log_of("check")
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    lines = list(dict.fromkeys(found[1].rstrip() for found in _SAID.finditer(plain(text))))
    if problems and re.search("Django does not start|slipway:build.commands", problems[0].found):
        # The same words as in a container, where more is known about what mends them.
        step = next(each for each in plan.steps(loaded) if each.kind == "settings")
        usual = known(step, "\n".join(lines), context_of(engine.stack, loaded, engine.root))
        if usual is not None:
            return [replace(usual, check="build")]
    return [
        Finding(
            check="build",
            found=each.found,
            allowed=each.allowed,
            mend=each.mend or "correct the project and run the same command again",
            log=tuple(lines[-LAST_LINES:]) if not index else (),
        )
        for index, each in enumerate(problems)
    ]


def _trial(engine: Engine, loaded: Settings, image: str) -> list[Finding]:
    release = plan_release(loaded, engine.root).identity
    steps = {each.name: each for each in plan.steps(loaded)}
    context = context_of(engine.stack, loaded, engine.root)
    findings: list[Finding] = []
    heard: list[str] = []

    def hear(told: Told) -> None:
        found = judge(steps[told.name], told, context)
        findings.extend(found)
        heard.append(told.name)
        engine.console.say(f"    {told.name:<50} {_outcome(found, engine.console):<20} {seconds(told.seconds)}")

    told = ask(
        engine,
        image,
        plan.text(loaded, release),
        plan.variables(loaded, release),
        writable=plan.uploads(loaded),
        memory_mb=max(MEMORY_MB, loaded.web.resources.memory_mb),
        heard=hear,
    )
    if not heard:
        said = told[0].said if told else ""
        findings.append(
            Finding(
                check="image",
                found="nothing can be run in the image",
                allowed="an image with `python` on its PATH: docs/own-project.md",
                mend="correct the Dockerfile that slipway:app.dockerfile names",
                log=tuple(said.splitlines()[-10:]),
            )
        )
    return findings


def context_of(stack: str, loaded: Settings, root: Path) -> Context:
    """Find out what the mends may name: the project's modules, and the variables that it reads."""
    source = source_folder(loaded.app, root)
    folders: dict[str, str] = {}
    for path in Tree(source).python:
        parts = path.split("/")
        if parts[-1] == "__init__.py" and len(parts) > 1:
            folders.setdefault(parts[-2], "/".join(parts[:-2]))
    places = {loaded.app.directory or "", *loaded.app.python_path}
    try:
        project = read(source / (loaded.app.directory or ""), str, stack)
    except PipelineError:  # nothing can be said about it
        project = None
    return Context(
        stack=stack,
        settings=loaded,
        modules=frozenset(folders),
        folders={name: folder for name, folder in folders.items() if folder not in places},
        variables=project.variables if project else (),
        packages=frozenset(project.packages) if project else frozenset(),
    )


def _outcome(found: Sequence[Finding], console: Console) -> str:
    bad = sum(each.level is Level.ERROR for each in found)
    if bad:
        return console.paint(counted(bad, "error"), RED)
    return console.paint(counted(len(found), "warning"), YELLOW) if found else console.paint("good", GREEN)


def _say(finding: Finding, console: Console) -> None:
    """Print one finding."""
    colour = RED if finding.level is Level.ERROR else YELLOW
    first, *rest = Problem(f"{finding.check}: {finding.found}", finding.allowed, finding.mend).lines()
    if finding.log and finding.level is Level.ERROR:
        console.say()
        for line in finding.log:
            console.say(f"    | {line}")
    console.say(f"{console.paint(f'{finding.level}:', colour)} {first}")
    for line in rest:
        console.say(line)


def as_json(stack: str, findings: Sequence[Finding]) -> dict[str, object]:
    """Give the findings, for programs."""
    return {
        "stack": stack,
        "ready": not any(each.level is Level.ERROR for each in findings),
        "findings": [
            {
                "level": each.level.value,
                "check": each.check,
                "found": each.found,
                "allowed": each.allowed,
                "mend": each.mend,
                "log": list(each.log),
            }
            for each in findings
        ],
    }
