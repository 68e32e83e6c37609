"""``python -m pipeline drift``: what runs, compared with what was declared; ``--heal`` puts it right through Pulumi.

It compares with the last update, not with the files of this checkout: `python -m pipeline preview` does that.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace

from pipeline import failed, interrupted, settings, stack, targets
from pipeline.arguments import DEV, add_command, add_target
from pipeline.console import Console, PipelineError, Problem, problem
from pipeline.drift import difference
from pipeline.drift.difference import Difference, Look, Remedy
from pipeline.engine import Engine
from pipeline.target import State, Target

EXAMPLES = """examples:
  python -m pipeline drift prod                   exit code 0: none; 3: drift; 1: it could not look
  python -m pipeline drift prod --heal            make it what was declared again
  python -m pipeline drift prod --format json     for programs
"""
NONE, DRIFT = 0, 3
_PREVIEW_SECONDS = 300
_SHOWN = 5


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "drift",
        run,
        summary="compare what runs with what was declared",
        description=__doc__,
        examples=EXAMPLES,
    )
    add_target(parser, app=False)
    parser.add_argument("--heal", action="store_true", help="put it right: `pulumi up` makes again what differs")
    parser.add_argument(
        "--new-volumes",
        action="store_true",
        help="with --heal: make volumes whose data is gone anew, empty",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to print what was found")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Look, heal if that was asked for, and print what was found."""
    as_json = arguments.format == "json"
    told = Console(console.err, console.err) if as_json else console
    engine = Engine(arguments.stack, told)
    with told.step("look", f"Compare what runs of stack {engine.stack} with what was declared"):
        state, target = _prepare(engine)
        found = target.look(engine, state)
    healed: Sequence[Difference] = ()
    if arguments.heal and found.differences:
        if not as_json:
            _print(console, difference.text(engine.stack, found))
        with told.step("heal", f"Heal stack {engine.stack}"):
            _heal(engine, state, target, found, new_volumes=arguments.new_volumes)
        with told.step("look", "Compare again"):
            after = target.look(engine, engine.exported() or {})
        healed = [each for each in found.differences if each not in after.differences]
        found = after
    if as_json:
        console.say(difference.document(engine.stack, found, healed))
    else:
        _print(console, difference.text(engine.stack, found))
        if found.differences and not arguments.heal:
            console.say(f"        python -m pipeline drift {engine.stack} --heal   # puts it right")
        console.say(f"Time:   {console.summary()}")
    return DRIFT if found.differences else NONE


def _prepare(engine: Engine) -> tuple[State, Target]:
    """Give the state of a stack that nobody is changing."""
    if not engine.stack_file.exists() and engine.stack != DEV:
        raise settings.no_stack(engine.stack, engine.stack_file)
    stack.backend(engine)
    held = [lock for lock in engine.locks() if lock.held()]
    if held:
        raise problem(
            f"an update of stack {engine.stack} is running since {held[0].since}; what it changes is no drift",
            mend="wait for it, and look again",
        )
    state = engine.exported()
    if not state or not state.get("resources"):
        raise problem(
            f"stack {engine.stack} was never brought up from here, so nothing was declared",
            allowed="a stack that is up",
            mend=f"make up STACK={engine.stack}",
        )
    return state, targets.of_state(engine, state)


def _heal(engine: Engine, state: State, target: Target, found: Look, *, new_volumes: bool) -> None:
    unfinished(engine.stack, state)
    refuse(engine.stack, found.differences, new_volumes=new_volumes)
    stack.passphrase(engine)
    undeployed(engine)
    target.clear(engine, found.differences, True)
    outcome = engine.stream("up", "--yes", "--skip-preview", "--refresh", *replacing(found.differences))
    if outcome.code:
        raise failed.command(engine, outcome, "up")
    target.clear(engine, found.differences, False)


def unfinished(name: str, state: State) -> None:
    """Raise after an update that failed: a refresh takes what never got healthy for good, and it would get the visitors."""
    if interrupted.ended_badly(state):
        raise problem(
            f"the last update of stack {name} did not end well, and healing is no update; nothing was changed",
            allowed="a stack whose last update succeeded",
            mend=f"make up STACK={name}   # with the cause mended, or with the code that serves",
        )


def replacing(differences: Sequence[Difference]) -> list[str]:
    """Give the arguments that make Pulumi replace what the plugin believes to be right."""
    urns = dict.fromkeys(urn for each in differences for urn in each.urns)
    return [argument for urn in urns for argument in ("--replace", urn)]


def refuse(name: str, differences: Sequence[Difference], *, new_volumes: bool) -> None:
    """Raise when healing would hide that data is gone, or cannot do anything."""
    problems = [
        Problem(
            f"{each.component} ({each.name}): {each.found}; an empty one would look as if all were well",
            allowed="the volume with its data, or the decision to begin with an empty one",
            mend=f"python -m pipeline drift {name} --heal --new-volumes   # then: python -m pipeline data restore",
        )
        for each in differences
        if each.data and not new_volumes
    ]
    problems += [
        Problem(
            each.line() if each.mend else f"{each.line()}; healing would take down everything on it",
            mend=each.mend
            or f"python -m pipeline down {name} --keep-data && make up STACK={name}   # data that is not protected goes",
        )
        for each in differences
        if each.remedy is Remedy.NONE
    ]
    if problems:
        raise PipelineError(*problems)


def undeployed(engine: Engine) -> None:
    """Raise when an update from this checkout would change more than what drifted."""
    result = engine.run("preview", "--json", "--stack", engine.stack, "--non-interactive", limit=_PREVIEW_SECONDS)
    if result.code:
        engine.refuse(replace(result, out=""), ("preview",))
    steps = json.loads(result.out).get("steps") or []
    changed = [
        f"{step['op']} {step['urn'].rpartition('::')[2]}"
        for step in steps
        if step["op"] not in {"same", "refresh", "read"} and not (step.get("oldState") or {}).get("delete")
    ]
    if changed:
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        raise problem(
            f"this checkout has changes that stack {engine.stack} does not run yet: {', '.join(changed[:_SHOWN])}{more}",
            allowed="the checkout that was deployed last: healing deploys nothing new",
            mend=f"make up STACK={engine.stack}   # deploys the changes; or check out what was deployed, and heal again",
        )


def _print(console: Console, lines: Sequence[str]) -> None:
    for line in lines:
        console.say(line)
