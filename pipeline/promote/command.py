"""``python -m pipeline promote``: the image that ran in one stack is what another one runs, by its digest; nothing is built.

It asks both stacks before it changes anything, writes the image into the file of the second stack, and brings that up.
"""

import argparse
from dataclasses import dataclass

from components.model import Settings
from components.settings import parse
from pipeline import interrupted, settings, stack, targets, up
from pipeline.arguments import add_command
from pipeline.console import Console, PipelineError, Problem, problem
from pipeline.data.command import OPEN
from pipeline.engine import Engine
from pipeline.promote import built, migrations, registry
from pipeline.promote.migrations import Migrations
from pipeline.target import BROKEN, NOTE, State

EXAMPLES = """examples:
  python -m pipeline promote staging prod --plan-only       what would happen; nothing is written
  python -m pipeline promote staging prod                   prod runs the image of staging
  python -m pipeline promote staging prod --no-up           only writes it into stacks/Pulumi.prod.yaml
  python -m pipeline promote staging prod --registry registry.example.org/team --to-host ssh://deploy@prod.example.org
                                                            the same for prod on another Docker host
  pulumi config rm slipway:promoted --stack prod            prod is built from the project again
"""


@dataclass(frozen=True, kw_only=True)
class Running:
    """The release that a stack runs."""

    release: str
    image: str
    """Its identity on the Docker host, or its name in a registry with its digest."""
    found: Migrations | None
    """None for a project without a database."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "promote",
        run,
        summary="let a stack run the image that ran in another one",
        description=__doc__,
        examples=EXAMPLES,
    )
    parser.add_argument("source", metavar="FROM", help="the stack that runs the image")
    parser.add_argument("stack", metavar="TO", help="the stack that shall run it")
    parser.add_argument(
        "--plan-only", action="store_true", help="ask both stacks, say what would happen, write nothing"
    )
    parser.add_argument("--no-up", action="store_true", help="write it into the file of TO, and do not bring that up")
    parser.add_argument(
        "--registry",
        metavar="REGISTRY",
        help="push the image there, for a TO that does not run on the same Docker host",
    )
    parser.add_argument(
        "--to-host", metavar="HOST", help="the Docker host of TO, as DOCKER_HOST has it (default: the same)"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Promote."""
    source = Engine(arguments.source, console)
    other = {"DOCKER_HOST": arguments.to_host} if arguments.to_host else {}
    to = Engine(arguments.stack, console, environ={**source.environ, **other})
    names = source.stack, to.stack
    refuse_arguments(arguments)
    with console.step("ask", f"Ask stack {source.stack}, and hold stack {to.stack} against it"):
        stack.backend(source)
        one, two = _settings(source), _settings(to)
        problems = [*built.differences(one, two, names), *_targets(one, two, arguments)]
        if problems:
            raise PipelineError(*problems)
        running = ask(source, one)
        pending = compare(source, to, two, running)
        for note in built.notes(one, two, names):
            console.warn(note)
    console.say(f"Release {running.release} of stack {source.stack}: {running.image}")
    for line in pending:
        console.say(f"    {line}")
    if arguments.plan_only:
        console.say(f"Nothing was written. Without --plan-only, stack {to.stack} runs it.")
        return 0
    image = running.image
    if arguments.registry:
        with console.step("push", f"Push it to {arguments.registry}"):
            image = registry.push(source, image, f"{arguments.registry}/{one.app.name}", running.release)
    write(to, running.release, image, source.stack)
    console.say(f"stacks/{to.stack_file.name} names it, under slipway:promoted: commit it.")
    if arguments.no_up:
        return 0
    up.bring(to)
    console.say(f"Time:   {console.summary()}")
    return 0


def refuse_arguments(arguments: argparse.Namespace) -> None:
    """Raise for arguments that mean nothing together."""
    if arguments.source == arguments.stack:
        raise problem(
            f"stack {arguments.stack} runs its own image already",
            allowed="two stacks",
            mend="python -m pipeline promote staging prod",
        )
    if arguments.to_host and not arguments.registry:
        raise problem(
            "--to-host without --registry: another Docker host cannot take an image from this one",
            allowed="a registry that both hosts reach",
            mend=f"python -m pipeline promote {arguments.source} {arguments.stack} --to-host {arguments.to_host} "
            "--registry registry.example.org/team",
        )


def _settings(engine: Engine) -> Settings:
    """Read the settings of a stack; nothing of its project is needed."""
    if not engine.stack_file.exists():
        raise settings.no_stack(engine.stack, engine.stack_file)
    return parse(settings.said(engine.stack, engine.root), engine.stack, engine.root)


def _targets(one: Settings, two: Settings, arguments: argparse.Namespace) -> list[Problem]:
    """Find a way that the image cannot go."""
    if one.target is two.target or arguments.registry:
        return []
    return [
        Problem(
            f"stack {arguments.source} runs on {one.target}, and stack {arguments.stack} on {two.target}",
            allowed="the same target, or a registry between them",
            mend=f"python -m pipeline promote {arguments.source} {arguments.stack} --registry registry.example.org/team",
        )
    ]


def ask(engine: Engine, loaded: Settings) -> Running:
    """Give the release that a stack runs, and is well with.

    Raises:
        PipelineError: with everything that is not well.
    """
    state = engine.exported()
    wanted = deployed(state or {})
    if state is None or wanted is None:
        raise problem(
            f"stack {engine.stack} does not run", allowed="a stack that is up", mend=f"make up STACK={engine.stack}"
        )
    release, image = wanted
    problems = unfinished(engine.stack, state)
    target = targets.of_state(engine, state)
    for finding in [*target.running(engine, loaded), *target.served(engine, loaded)]:
        if finding.state == BROKEN or (finding.state == NOTE and finding.name == "web"):
            problems.append(Problem(f"stack {engine.stack}: {finding.name}: {finding.detail}", mend=finding.mend))
    if problems:
        raise PipelineError(*problems)
    with OPEN[loaded.target](engine, loaded) as processes:
        if (processes.release, processes.image) != (release, image):
            raise problem(
                f"stack {engine.stack}: its web processes run release {processes.release or '?'} ({processes.image}), "
                f"and its last update was to {release} ({image})",
                allowed="a stack that runs what was deployed last",
                mend=f"python -m pipeline drift {engine.stack}",
            )
        found = migrations.ask(processes, loaded, engine.stack) if migrations.has(loaded) else None
    problems = migrations.of_the_source(found, engine.stack) if found else []
    if problems:
        raise PipelineError(*problems)
    return Running(release=release, image=image, found=found)


def deployed(state: State) -> tuple[str, str] | None:
    """Give the release and the image of a state; None where there is none."""
    release = image = None
    for each in state.get("resources") or []:
        outputs = each.get("outputs") or {}
        kind = str(each.get("type"))
        if kind == "pulumi:pulumi:Stack":
            release = outputs.get("release")
        elif kind.endswith((":AppImage", ":PulledImage")) and str(each.get("urn")).endswith("::app"):
            image = outputs.get("id")
    return (str(release), str(image)) if release and image else None


def unfinished(name: str, state: State) -> list[Problem]:
    """Find what a last update that did not end has left."""
    if not interrupted.ended_badly(state):
        return []
    return [
        Problem(
            f"stack {name}: its last update did not end well",
            allowed="a release that is up as a whole",
            mend=f"make up STACK={name}",
        )
    ]


def compare(source: Engine, to: Engine, loaded: Settings, running: Running) -> list[str]:
    """Hold the database of the other stack against the image, and say what the image will do to it.

    Raises:
        PipelineError: if the database has what the image lacks.
    """
    found = running.found
    if found is None or not migrations.has(loaded):
        return [f"stack {to.stack} runs no migrations"]
    state = to.exported()
    if not state or deployed(state) is None:
        return [f"stack {to.stack} was never up: it begins with every migration of the image ({len(found.plan)})"]
    with OPEN[loaded.target](to, loaded) as processes:
        applied = migrations.ask(processes, loaded, to.stack).applied
        before = processes.release
    problems = migrations.of_the_target(found, applied, source.stack, to.stack)
    if problems:
        raise PipelineError(*problems)
    pending = found.pending(applied)
    told = (
        f"migrations that it will run in {to.stack}: {migrations.listed(pending)}" if pending else "no migration to run"
    )
    return [f"stack {to.stack} runs release {before}; {told}"]


def write(engine: Engine, release: str, image: str, source: str) -> None:
    """Write the image into the file of the stack, as one setting."""
    for name, value in (("image", image), ("release", release), ("stack", source)):
        engine.config_set(f"slipway:promoted.{name}", value)
