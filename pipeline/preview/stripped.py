"""``python -m pipeline state``: a copy of the state of a stack without its secrets, for previews where nobody may read them.

Whoever may read the state makes it; no passphrase is needed, and none helps with the copy. Of a secret there is left that
there is one: neither its value, nor the value encrypted, nor how it was encrypted.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from components.tokens import SECRET, SIGNATURE
from pipeline import stack
from pipeline.arguments import add_command, add_stack
from pipeline.console import Console, problem
from pipeline.engine import Engine
from pipeline.preview import output
from pipeline.preview.value import Json

State: TypeAlias = dict[str, Json]
"""What Pulumi calls a deployment."""

EXAMPLES = """examples:
  python -m pipeline state prod --output state.json
                                                  where the state may be read
  python -m pipeline preview prod --without-secrets --state state.json
                                                  where nothing but this copy may be read
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "state",
        run,
        summary="copy the state of a stack, without its secrets",
        description=__doc__,
        examples=EXAMPLES,
    )
    add_stack(parser)
    parser.add_argument("--output", metavar="FILE", type=Path, required=True, help="where the copy goes")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Write the copy."""
    engine = Engine(arguments.stack, console)
    stack.backend(engine)
    state = replace(engine, environ={**engine.environ, **NO_KEY}).exported()
    if not state:
        raise problem(
            f"stack {engine.stack} has no state",
            allowed="a stack that is deployed",
            mend=f"pulumi stack ls   # what there is; or: make up STACK={engine.stack}",
        )
    output.write(arguments.output, json.dumps({"version": 3, "deployment": stripped(state)}, indent=1) + "\n")
    console.say(f"The state of stack {engine.stack} without its secrets is in {arguments.output}.")
    return 0


NO_KEY = {"PULUMI_CONFIG_PASSPHRASE": ""}
"""The environment in which nothing can be decrypted, and nobody is asked for a passphrase."""


def stripped(state: State) -> State:
    """Take every secret out of a state, and how they were encrypted."""
    kept = {key: each for key, each in state.items() if key not in {"secrets_providers", "pending_operations"}}
    return {key: _stripped(each) for key, each in kept.items()}


def _stripped(said: Json) -> Json:
    if isinstance(said, dict):
        if said.get(SIGNATURE) == SECRET:
            return {SIGNATURE: SECRET}
        return {key: _stripped(each) for key, each in said.items()}
    return [_stripped(each) for each in said] if isinstance(said, list) else said


def read(path: Path, engine: Engine) -> State:
    """Read a copy, or what ``pulumi stack export`` has written; raise for anything else, and for another stack's."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        state = found["deployment"]
        urns = [each["urn"] for each in state["resources"]]
    except OSError as error:
        raise problem(f"--state {path}: cannot be read: {error.strerror}", mend=_mend(engine)) from None
    except (ValueError, KeyError, TypeError):
        raise problem(
            f"--state {path}: this is no copy of a state",
            allowed="what `python -m pipeline state` writes",
            mend=_mend(engine),
        ) from None
    others = {urn.split("::")[0].removeprefix("urn:pulumi:") for urn in urns} - {engine.stack}
    if others or not urns:
        raise problem(
            f"--state {path}: this is the state of {', '.join(sorted(others)) or 'nothing'}, and not of stack {engine.stack}",
            mend=_mend(engine),
        )
    return {key: each for key, each in state.items() if isinstance(key, str)}


def _mend(engine: Engine) -> str:
    return f"python -m pipeline state {engine.stack} --output state.json   # where the state may be read"
