"""``python -m pipeline doctor``: what is here, what is missing, and the command that mends it.

It looks and changes nothing. The tools are looked at by ``tools/bootstrap --check``; the stack and what runs, here.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict

from components import agent
from components.model import Settings
from components.problems import SettingsError
from pipeline import interrupted, project, secrets, settings, stack, targets
from pipeline.arguments import add_command, add_target
from pipeline.console import GREEN, RED, YELLOW, Console, PipelineError, counted
from pipeline.engine import Engine
from pipeline.target import BROKEN, NOTE, OK, Finding

EXAMPLES = """examples:
  python -m pipeline doctor
  python -m pipeline doctor prod --json           for scripts; the exit code is 1 when something is broken
"""
COLOURS = {OK: GREEN, NOTE: YELLOW, BROKEN: RED}
CHECK_LIMIT_SECONDS = 60


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "doctor",
        run,
        summary="what is here, what is missing, the command that mends it",
        description=__doc__,
        examples=EXAMPLES,
    )
    add_target(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Look at everything and print it."""
    engine = Engine(arguments.stack, console)
    findings = []
    for finding in look(engine, arguments.app):
        findings.append(finding)
        if not arguments.json:
            show(console, finding)
    broken = [finding for finding in findings if finding.state == BROKEN]
    if arguments.json:
        console.say(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        console.say()
        console.say(f"{len(broken)} of {len(findings)} are broken." if broken else "Nothing is broken.")
    return 1 if broken else 0


def show(console: Console, finding: Finding) -> None:
    """Print one finding, and below it the command that mends it."""
    console.say(
        f"{console.paint(f'{finding.state:<7}', COLOURS[finding.state])} {finding.name + ':':<21} {finding.detail}"
    )
    for line in (finding.mend or "").splitlines():
        console.say(f"{'':30}{line}")


def look(engine: Engine, app: str | None = None) -> Iterator[Finding]:
    """Look at the tools, a project that may be deployed, the stack, its platform, what runs, and what it serves."""
    yield from tools(engine)
    if app is not None:
        yield from _guarded("project", lambda: django_project(engine, app))
    loaded: list[Settings] = []
    yield from _guarded("settings", lambda: stack_settings(engine, loaded))
    yield from _guarded("state", lambda: state(engine))
    yield from _guarded("ssh agent", lambda: ssh_agent(engine, loaded))
    name, target = targets.of_file(engine)
    known = loaded[0] if loaded else None
    yield from _guarded(name, lambda: target.platform(engine, known))
    if engine.stack_file.exists():
        yield from _guarded("running", lambda: target.running(engine, known))
    if known is not None:
        yield from _guarded("page", lambda: target.served(engine, known))


def _guarded(name: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Turn the problems that a check raises into findings."""
    try:
        yield from check()
    except PipelineError as error:
        for problem in error.problems:
            detail = problem.found + (f" (allowed: {problem.allowed})" if problem.allowed else "")
            yield Finding(name, BROKEN, detail, problem.mend)
    except SettingsError as error:
        for each in error.problems:
            yield Finding(name, BROKEN, f"{each.key}: found {each.found} (allowed: {each.allowed})", each.mend)


def tools(engine: Engine) -> Iterator[Finding]:
    """Ask the bootstrap what it finds."""
    command = [sys.executable, str(engine.root / "tools" / "bootstrap"), "--check", "--json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CHECK_LIMIT_SECONDS, check=False)
        answers = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        yield Finding("tools", BROKEN, "tools/bootstrap --check gave no answer", "tools/bootstrap")
        return
    for answer in answers:
        state = OK if answer["present"] else BROKEN
        mend = None if answer["present"] else str(answer["mend"] or "tools/bootstrap")
        yield Finding(str(answer["name"]), state, str(answer["found"] or "missing"), mend)


def django_project(engine: Engine, app: str) -> Iterator[Finding]:
    """Look at the project that ``up --app`` would deploy."""
    found = project.find(app, engine.root)
    yield Finding("project", OK, f"{found['source']} with the settings module {found['settings_module']}")


def stack_settings(engine: Engine, into: list[Settings]) -> Iterator[Finding]:
    """Look at the file of the stack."""
    if not engine.stack_file.exists():
        known = engine.stack == stack.DEV
        yield Finding(
            "settings",
            NOTE if known else BROKEN,
            f"stacks/{engine.stack_file.name} is not there{' yet' if known else ''}",
            f"make up STACK={engine.stack}"
            if known
            else f"cp stacks/dev.template.yaml stacks/{engine.stack_file.name}",
        )
        return
    loaded = settings.load(engine.stack, engine.root)
    into.append(loaded)
    yield Finding("settings", OK, f"stacks/{engine.stack_file.name}: {loaded.app.name} as {loaded.environment}")
    missing = secrets.missing(engine.stack, engine.root)
    if missing:
        yield Finding(
            "secrets", BROKEN, f"missing: {', '.join(missing)}", f"python -m pipeline secrets init {engine.stack}"
        )
    else:
        yield Finding("secrets", OK, "all there, encrypted")


def ssh_agent(engine: Engine, loaded: list[Settings]) -> Iterator[Finding]:
    """Look for the SSH agent, where a build needs one."""
    for known in loaded:
        missing = agent.problem(known, engine.environ)
        if missing is not None:
            yield Finding("ssh agent", BROKEN, f"{missing.key}: found {missing.found}", missing.mend)
        elif known.dependencies.ssh_hosts:
            count = agent.keys(engine.environ[agent.VARIABLE])
            yield Finding("ssh agent", OK, f"has {counted(count, 'key')}")


def state(engine: Engine) -> Iterator[Finding]:
    """Look at the stack in the backend: is it up, is it locked, did an update end."""
    stack.backend(engine)
    for lock in engine.locks():
        yield Finding(
            "lock",
            NOTE if lock.held() else BROKEN,
            f"{'an update is running' if lock.held() else 'an update was killed'}: process {lock.pid} on {lock.host}",
            None if lock.held() else f"make up STACK={engine.stack}   # takes the lock away and goes on",
        )
    exported = engine.exported() if engine.stack_file.exists() else None
    if exported is None:
        yield Finding("state", NOTE, f"stack {engine.stack} is not up", f"make up STACK={engine.stack}")
        return
    pending = interrupted.pending(exported)
    if pending:
        names = ", ".join(each["resource"]["urn"].rpartition("::")[2] for each in pending)
        yield Finding("state", BROKEN, f"operations never ended: {names}", f"make up STACK={engine.stack}")
    else:
        yield Finding("state", OK, f"{len(exported.get('resources') or [])} resources, nothing half done")
