"""``python -m pipeline doctor``: what is here, what is missing, and the command that mends it.

It looks and changes nothing. The tools are looked at by ``tools/bootstrap --check``; the stack and what runs, here.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from components.problems import SettingsError
from components.settings import Settings
from pipeline import hostcheck, interrupted, page, project, secrets, settings, stack
from pipeline.arguments import add_target
from pipeline.console import GREEN, RED, YELLOW, Console, PipelineError
from pipeline.engine import Engine

EXAMPLES = """examples:
  python -m pipeline doctor
  python -m pipeline doctor prod --json           for scripts; the exit code is 1 when something is broken
"""
OK, NOTE, BROKEN = "ok", "note", "broken"
COLOURS = {OK: GREEN, NOTE: YELLOW, BROKEN: RED}
CHECK_LIMIT_SECONDS = 60


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: str
    detail: str
    mend: str | None = None


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="what is here, what is missing, the command that mends it",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_target(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


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
    """Look at the tools, the machine, a project that may be deployed, the stack, what runs, and what it serves."""
    yield from tools(engine)
    yield from _guarded("docker", lambda: docker_daemon(engine))
    if app is not None:
        yield from _guarded("project", lambda: django_project(engine, app))
    loaded: list[Settings] = []
    yield from _guarded("settings", lambda: stack_settings(engine, loaded))
    yield from _guarded("state", lambda: state(engine))
    yield from _guarded("containers", lambda: containers(engine))
    if loaded:
        yield from _guarded("page", lambda: served(engine, loaded[0]))


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


def docker_daemon(engine: Engine) -> Iterator[Finding]:
    """Look at the daemon and the room that it has."""
    with hostcheck.daemon(engine.environ) as client:
        version = client.version()
        yield Finding("docker", OK, f"{version['Version']} at {hostcheck.docker_host(engine.environ)}")
        problems = hostcheck.room(client, engine.root, engine.environ)
    for problem in problems:
        yield Finding("disk", BROKEN, problem.found, problem.mend)
    if not problems:
        yield Finding("disk", OK, f"more than {hostcheck.ROOM_MB} MB are free")


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


def containers(engine: Engine) -> Iterator[Finding]:
    """Look at every container of the stack."""
    if not engine.stack_file.exists():
        return
    project = (settings.said(engine.stack, engine.root).get("app") or {}).get("name")
    with hostcheck.daemon(engine.environ) as client:
        labels = [f"slipway.stack={engine.stack}", *([f"slipway.project={project}"] if project else [])]
        for container in client.containers.list(all=True, filters={"label": labels}):
            component = str(container.labels.get("slipway.component", "container"))
            yield container_finding(str(container.name), container.attrs, component)


def container_finding(name: str, attributes: dict[str, Any], component: str) -> Finding:
    """Say how one container is."""
    now = attributes["State"]
    status, health = now["Status"], (now.get("Health") or {}).get("Status")
    if status == "running":
        fine = health in (None, "healthy", "starting")
        detail = f"{name} runs" + (f", {health}" if health else "")
    else:  # a task ends, and a container that only carries files is never started; a service does neither
        task = attributes["HostConfig"].get("RestartPolicy", {}).get("Name") in ("", "no", None)
        fine = task and status in ("exited", "created") and now["ExitCode"] == 0
        done = "has done its work" if status == "exited" else "holds its files"
        detail = f"{name} {done if fine else f'is {status}, exit code ' + str(now['ExitCode'])}"
    return Finding(component, OK if fine else BROKEN, detail, None if fine else f"docker logs --tail 50 {name}")


def served(engine: Engine, loaded: Settings) -> Iterator[Finding]:
    """Ask the page, or say whether its port is free."""
    answer = page.ask(loaded, timeout=5)
    where = f"{loaded.edge.address}:{loaded.edge.port}"
    if answer.served:
        yield Finding("page", OK, f"{answer.url} answers {answer.status} in {answer.seconds * 1000:.0f} ms")
        return
    with hostcheck.daemon(engine.environ) as client:
        taken = hostcheck.port(client, loaded, engine.stack, engine.environ)
    for problem in taken:
        yield Finding("port", BROKEN, problem.found, problem.mend)
    if answer.status is not None and not taken:
        yield Finding(
            "page", BROKEN, f"{answer.url} answers {answer.status}", "docker logs of the web containers above"
        )
    elif not taken:
        yield Finding("port", OK, f"{where} is free; nothing is served there", None)
