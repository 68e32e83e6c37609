"""``python -m pipeline down``: destroy a stack with its data, and its state with it.

The file of the stack stays, since it is the user's: settings, and the secrets that belong to them. Protected data is
not destroyed; what would free it is said instead.
"""

import argparse
from typing import Any

import docker
import docker.errors

from pipeline import failed, hostcheck, interrupted, stack
from pipeline.arguments import add_target
from pipeline.console import Console, problem
from pipeline.engine import Engine

EXAMPLES = """examples:
  python -m pipeline down                         the stack dev goes, with its data
  python -m pipeline down staging
"""
IMAGE = "docker-build:index:Image"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "down",
        help="destroy a stack with its data",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_target(parser, app=False)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Destroy everything that the stack has made."""
    engine = Engine(arguments.stack, console)
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
        refuse_protected(engine, state)
        with hostcheck.daemon(engine.environ):
            pass
    if interrupted.pending(state):
        with console.step("mending", "Mend what an interrupted update left"):
            interrupted.mend(engine, state)
    with console.step("pulumi destroy", f"pulumi destroy --stack {engine.stack}"):
        outcome = engine.stream("destroy", "--yes", "--skip-preview")
    if outcome.code:
        raise failed.command(engine, outcome, "destroy")
    with console.step("tidy", "Forget the stack, remove its images"):
        engine.must("stack", "rm", engine.stack, "--yes", "--preserve-config", "--remove-backups")
        remove_images(engine, images(state))
    console.say()
    console.say(f"{console.paint('Gone:', '1;32')}   containers, networks, volumes, images and state of {engine.stack}")
    console.say(f"Kept:   stacks/{engine.stack_file.name}, its settings and secrets")
    console.say(f"Time:   {console.summary()}")
    return 0


def refuse_protected(engine: Engine, state: dict[str, Any]) -> None:
    """Raise when the stack holds data that must not be destroyed."""
    names = [each["urn"].rpartition("::")[2] for each in state.get("resources", []) if each.get("protect")]
    if not names:
        return
    raise problem(
        f"stack {engine.stack} holds protected data: {', '.join(names)}; nothing was destroyed",
        allowed="slipway:data.protect false, once the data may go for good",
        mend=f"pulumi config set --path slipway:data.protect false --stack {engine.stack}\n"
        f"make up STACK={engine.stack} && make down STACK={engine.stack}",
    )


def images(state: dict[str, Any]) -> list[str]:
    """The tags that the stack has built."""
    return [
        tag
        for each in state.get("resources", [])
        if each.get("type") == IMAGE
        for tag in (each.get("inputs") or {}).get("tags") or ()
        if isinstance(tag, str)
    ]


def remove_images(engine: Engine, tags: list[str]) -> None:
    """Remove images that no container uses; one that another stack runs stays."""
    with hostcheck.daemon(engine.environ) as client:
        for tag in tags:
            try:
                client.images.remove(tag)
            except docker.errors.ImageNotFound:
                continue
            except docker.errors.APIError as error:
                conflict = 409
                if error.status_code != conflict:
                    raise
                engine.console.say(f"    the image {tag} stays: another container uses it")
