"""``python -m pipeline up``: from a stack's file to a page that is served.

Checks come first and change nothing; an interrupted earlier run is mended; then ``pulumi up``; then the page is asked.
"""

import argparse
from collections.abc import Sequence

from components import agent
from components.problems import SettingsError
from pipeline import failed, interrupted, plan, stack, targets
from pipeline.arguments import add_command, add_target
from pipeline.console import Console, problem
from pipeline.engine import Engine

EXAMPLES = """examples:
  python -m pipeline up dev                       the example project on http://127.0.0.1:8080/
  python -m pipeline up dev --app ../shop         a project of your own
  python -m pipeline up prod                      what stacks/Pulumi.prod.yaml says
  python -m pipeline up prod --plan plan.json     that, and nothing else than a preview has shown
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "up",
        run,
        summary="bring a stack up, or bring it up to date",
        description=__doc__,
        examples=EXAMPLES,
    )
    add_target(parser)
    plan.add_use(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Bring the stack up and print where it is served."""
    bring(Engine(arguments.stack, console), arguments.app, plan.use(arguments))
    console.say(f"Time:   {console.summary()}")
    return 0


def bring(engine: Engine, app: str | None = None, planned: Sequence[str] = ()) -> None:
    """Bring a stack up and print where it is served.

    Args:
        engine: the stack.
        app: the folder of the project that it turns to; None for what its file says.
        planned: the options that hold Pulumi to a plan.
    """
    console = engine.console
    with console.step("checks", f"Check the machine and the settings of stack {engine.stack}"):
        interrupted.release_stale_locks(engine)
        settings, state = stack.prepare(engine, app)
        target = targets.of(settings)
        targets.refuse_move(engine, settings, state)
        missing = agent.problem(settings, engine.environ)
        if missing is not None:
            raise SettingsError(engine.stack, [missing])
        stopped = target.check(engine, settings, state)
        if stopped:
            console.say(f"    {', '.join(stopped)}: not running; Pulumi looks at what is really there first")
    refresh = bool(stopped)
    if interrupted.pending(state):
        with console.step("mending", "Mend what an interrupted update left"):
            interrupted.mend(engine, state, target)
    elif stopped and interrupted.never_healthy(state):
        with console.step("refresh", "Look at what is really there"):
            interrupted.look(engine, state)
        refresh = False
    with console.step("pulumi up", f"pulumi up --stack {engine.stack}"):
        outcome = engine.stream("up", "--yes", "--skip-preview", *(["--refresh"] if refresh else []), *planned)
    if outcome.code:
        raise failed.update(engine, outcome, target, settings)
    if stopped:
        target.settle(engine, stopped)
    with console.step("page", "Ask the page"):
        served = target.serve(engine, settings)
    answer = served.page
    if not answer.served:
        what = f"answers {answer.status}" if answer.status else f"does not answer: {answer.error}"
        raise problem(
            f"everything is up, but {answer.url} {what}",
            allowed="an answer below 500",
            mend=served.log,
        )
    console.say()
    headline = console.paint(f"Served: {answer.url}", "1;32")
    console.say(f"{headline}  (HTTP {answer.status} in {answer.seconds * 1000:.0f} ms)")
    for note in served.notes:
        console.say(f"        {note}")
