"""``python -m pipeline env``: review environments, each with a stack, data, passwords and a host name of its own.

They are made from a template in stacks/, reached by host name through one gateway, and destroyed when their time is over.
"""

import argparse
from dataclasses import replace

from pipeline import stack
from pipeline.arguments import add_command, add_group
from pipeline.console import Console, problem
from pipeline.engine import Engine
from pipeline.env import create, destroy, gateway, lifetime, listing, name, record, stackfile

EXAMPLES = """examples:
  python -m pipeline env create pr-123 --from review --ttl 48h    a copy of the site for a review; again: its next release
  python -m pipeline env list                                     what is there, how old, until when
  python -m pipeline env extend pr-123 --ttl 72h                  it lives for 72 hours from now
  python -m pipeline env destroy pr-123                           everything of it goes
  python -m pipeline env expire                                   the same for all that are due, from cron
  python -m pipeline env gateway up                               the shared edge, which `env create` brings up by itself
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    actions = add_group(subparsers, "env", summary="review environments, which go away by themselves")
    for action, run, summary in (
        ("create", _create, "make a review environment, or bring it up to date"),
        ("list", _list, "the review environments there are"),
        ("extend", _extend, "let a review environment live longer"),
        ("destroy", _destroy, "destroy a review environment with all that belongs to it"),
        ("expire", _expire, "destroy the review environments that are due"),
        ("gateway", _gateway, "the shared edge that review environments are reached through"),
    ):
        parser = add_command(actions, action, run, summary=summary, description=__doc__, examples=EXAMPLES)
        if action in {"create", "extend", "destroy"}:
            parser.add_argument("name", metavar="NAME", type=name.read, help="name of the environment, such as pr-123")
        if action in {"create", "gateway"}:
            parser.add_argument(
                "--from",
                dest="template",
                metavar="TEMPLATE",
                default=stackfile.USUAL,
                help=f"stacks/TEMPLATE.template.yaml (default: {stackfile.USUAL})",
            )
        if action in {"create", "extend"}:
            parser.add_argument(
                "--ttl",
                type=lifetime.read,
                required=action == "extend",
                help="how long it lives from now, unless it lives longer already: 90m, 48h, 7d "
                "(default of create: slipway:review.ttl_hours of the template)",
            )
        if action == "create":
            parser.add_argument("--ref", help="branch, tag or commit, where slipway:app.source is a git repository")
        if action == "list":
            parser.add_argument("--format", choices=("text", "json"), default="text", help="json for programs")
        if action == "gateway":
            parser.add_argument("what", choices=("up", "down"), help="bring it up (or up to date), or take it away")


def _create(arguments: argparse.Namespace, console: Console) -> int:
    engine = Engine(name.stack(arguments.name), console)
    template = stackfile.read(arguments.template, engine.root)
    return create.create(engine, template, create.Wanted(name=arguments.name, ttl=arguments.ttl, ref=arguments.ref))


def _list(arguments: argparse.Namespace, console: Console) -> int:
    engine = Engine("", console)
    stack.backend(engine)
    found, now = list(record.every(engine)), record.now()
    if arguments.format == "json":
        console.say(listing.as_json(found, now))
        return 0
    for line in listing.table(found, now):
        console.say(line)
    return 0


def _extend(arguments: argparse.Namespace, console: Console) -> int:
    engine = Engine(name.stack(arguments.name), console)
    stack.backend(engine)
    found, now = record.of(engine), record.now()
    if found is None:
        raise _none(arguments.name)
    until = now + arguments.ttl
    if until <= found.expires:
        console.say(f"{found.name} lives longer already: it expires {lifetime.until(found.expires, now)}")
    else:
        found = record.save(engine, replace(found, expires=until), found)
    console.say(f"Until:  {lifetime.moment(found.expires)} ({lifetime.until(found.expires, now)})")
    return 0


def _none(wanted: str) -> Exception:
    return problem(
        f"there is no review environment {wanted}",
        allowed="one of `python -m pipeline env list`",
        mend=f"python -m pipeline env create {wanted}",
    )


def _destroy(arguments: argparse.Namespace, console: Console) -> int:
    engine = Engine(name.stack(arguments.name), console)
    if destroy.destroy(engine, arguments.name):
        console.say()
        console.say(f"{console.paint('Gone:', '1;32')}   everything of {arguments.name}")
        console.say(f"Time:   {console.summary()}")
    else:
        console.say(f"There is no review environment {arguments.name}: nothing to do.")
    return 0


def _expire(_arguments: argparse.Namespace, console: Console) -> int:
    return destroy.expire(Engine("", console), record.now())


def _gateway(arguments: argparse.Namespace, console: Console) -> int:
    engine = Engine("", console)
    stack.backend(engine)
    template = stackfile.read(arguments.template, engine.root)
    said = template.review.gateway
    if arguments.what == "up":
        gateway.up(engine, template)
        console.say(f"{console.paint('Gateway:', '1;32')} {said.name} on {said.address}:{said.port}")
        console.say(f"         for every host name below {template.review.domain}")
        return 0
    if gateway.down(engine, template):
        console.say(f"{console.paint('Gone:', '1;32')}   the gateway {said.name}")
    else:
        console.say(f"There is no gateway {said.name}: nothing to do.")
    return 0
