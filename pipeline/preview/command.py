"""``python -m pipeline preview``: what an update of a stack would change. It changes nothing that runs."""

import argparse

from pipeline import failed, interrupted, stack, targets
from pipeline.arguments import add_command, add_target
from pipeline.console import Console
from pipeline.engine import Engine

EXAMPLES = """examples:
  python -m pipeline preview                      what `make up` would change
  python -m pipeline preview prod                 what would change in production
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "preview",
        run,
        summary="show what an update would change",
        description=__doc__,
        examples=EXAMPLES,
    )
    add_target(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the changes, property by property."""
    engine = Engine(arguments.stack, console)
    with console.step("checks", f"Check the settings of stack {engine.stack}"):
        settings, state = stack.prepare(engine, arguments.app)
        targets.refuse_move(engine, settings, state)
        for doubt in targets.of(settings).doubts(engine, settings, state):
            console.warn(doubt)
        if interrupted.pending(state):
            console.warn(f"an update of this stack was killed; `make up STACK={engine.stack}` mends what it left")
    with console.step("pulumi preview", f"pulumi preview --stack {engine.stack}"):
        outcome = engine.stream("preview", "--diff")
    if outcome.code:
        raise failed.command(engine, outcome, "preview")
    console.say(f"Time:   {console.summary()}")
    return 0
