"""``python -m pipeline down``: destroy a stack with its data, and its state with it.

The file of the stack stays, since it is the user's: settings, and the secrets that belong to them. Protected data is
not destroyed; what would free it is said instead. With ``--keep-data`` the protected data stays with the state that
knows it, and everything else goes: the next ``up`` finds it again.
"""

import argparse
from typing import Any

from pipeline import failed, interrupted, stack, targets
from pipeline.arguments import add_command, add_target
from pipeline.console import Console, problem
from pipeline.engine import Engine, Result
from pipeline.target import State, Target

EXAMPLES = """examples:
  python -m pipeline down                         the stack dev goes, with its data
  python -m pipeline down staging
  python -m pipeline down prod --keep-data        protected data stays, and `up` finds it again
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = add_command(
        subparsers, "down", run, summary="destroy a stack with its data", description=__doc__, examples=EXAMPLES
    )
    add_target(parser, app=False)
    parser.add_argument(
        "--keep-data", action="store_true", help="keep what slipway:data.protect protects, and the state that knows it"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Destroy everything that the stack has made, or everything but its protected data."""
    engine = Engine(arguments.stack, console)
    keep: bool = arguments.keep_data
    with console.step("checks", f"Look at stack {engine.stack}"):
        stack.backend(engine)
        if not engine.stack_file.exists():
            console.say(f"There is no stack {engine.stack}: nothing to do.")
            return 0
        interrupted.release_stale_locks(engine)
        state = engine.exported()
        if state is None:
            console.say(f"Stack {engine.stack} is not up: nothing to do.")
            return 0
        if keep:
            refuse_unprotected(engine, state)
        else:
            refuse_protected(engine, state)
        target = targets.of_state(engine, state)
        target.reach(engine, state)
    everything(engine, target, state, keep=keep)
    with console.step("tidy", "Remove what Pulumi leaves" if keep else "Forget the stack, remove what Pulumi leaves"):
        if not keep:
            engine.must("stack", "rm", engine.stack, "--yes", "--preserve-config", "--remove-backups")
        stays = target.tidy(engine, state, keep)
    console.say()
    gone = f"everything of {engine.stack} but its data" if keep else f"{target.gone} and state of {engine.stack}"
    console.say(f"{console.paint('Gone:', '1;32')}   {gone}")
    if keep:
        console.say(f"Kept:   protected data: {', '.join(protected(state))}; `make up STACK={engine.stack}` finds it")
    for each in stays:
        console.say(f"Kept:   {each}")
    console.say(f"Kept:   stacks/{engine.stack_file.name}, its settings and secrets")
    console.say(f"Time:   {console.summary()}")
    return 0


def everything(engine: Engine, target: Target, state: State, *, keep: bool = False) -> None:
    """Mend what an interrupted update left, and let Pulumi delete everything, or everything but what is protected.

    Raises:
        PipelineError: if it cannot.
    """
    if interrupted.pending(state):
        with engine.console.step("mending", "Mend what an interrupted update left"):
            interrupted.mend(engine, state, target)
    with engine.console.step("pulumi destroy", f"pulumi destroy --stack {engine.stack}"):
        outcome = _destroy(engine, keep=keep)
        if outcome.code and target.free(engine, state):
            outcome = _destroy(engine, keep=keep)
    if outcome.code:
        raise failed.command(engine, outcome, "destroy")


def _destroy(engine: Engine, *, keep: bool) -> Result:
    return engine.stream("destroy", "--yes", "--skip-preview", *(["--exclude-protected"] if keep else []))


def protected(state: State) -> list[str]:
    """The resources that Pulumi refuses to delete."""
    return [str(each["urn"]).rpartition("::")[2] for each in _resources(state) if each.get("protect")]


def refuse_protected(engine: Engine, state: State) -> None:
    """Raise when the stack holds data that must not be destroyed."""
    names = protected(state)
    if not names:
        return
    raise problem(
        f"stack {engine.stack} holds protected data: {', '.join(names)}; nothing was destroyed",
        allowed="slipway:data.protect false, once the data may go for good; or --keep-data",
        mend=f"python -m pipeline down {engine.stack} --keep-data   # everything else goes\n"
        "# or, for good:\n"
        f"pulumi config set --path slipway:data.protect false --stack {engine.stack}\n"
        f"make up STACK={engine.stack} && make down STACK={engine.stack}",
    )


def refuse_unprotected(engine: Engine, state: State) -> None:
    """Raise when data should be kept and nothing protects it: all of it would go."""
    if protected(state) or not _resources(state):
        return
    raise problem(
        f"--keep-data: stack {engine.stack} holds no protected data, so that all of it would go; nothing was destroyed",
        allowed="slipway:data.protect true",
        mend=f"pulumi config set --path slipway:data.protect true --stack {engine.stack}\n"
        f"make up STACK={engine.stack} && python -m pipeline down {engine.stack} --keep-data",
    )


def _resources(state: State) -> list[dict[str, Any]]:
    return list(state.get("resources") or [])
