"""``python -m pipeline preview``: what an update of a stack would change. It changes nothing that runs.

Without an option it prints the changes property by property, as Pulumi does. With one it makes a report, for a reviewer or
for a program: dangers first, then what changes in plain words. A preview that fails gives a report too, and exit code 1.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from components import agent, release
from components.model import Settings
from components.problems import SettingsError
from components.secrets import missing as secret_problem
from pipeline import failed, interrupted, secrets, settings, stack, targets
from pipeline import plan as kept
from pipeline.arguments import add_command, add_target
from pipeline.check.build import built
from pipeline.console import Console, PipelineError, Problem, problem
from pipeline.engine import Engine
from pipeline.preview import as_json, images, keyless, markdown, migrating, output, plan, report, text
from pipeline.preview import run as running
from pipeline.preview.keyless import Compared
from pipeline.preview.migration import Migrations
from pipeline.preview.plan import Plan
from pipeline.preview.report import Report

EXAMPLES = """examples:
  python -m pipeline preview                      what `make up` would change
  python -m pipeline preview prod                 what would change in production
  python -m pipeline preview prod --format markdown --output report.md
                                                  the same as a comment for a pull request
  python -m pipeline preview prod --build         with the SQL of the migrations and the size of the images
  python -m pipeline preview prod --without-secrets
                                                  on a machine that may not have the keys of production
  python -m pipeline preview prod --without-secrets --state state.json
                                                  on one that may not read the state either
  python -m pipeline preview prod --exit-code     3 where something would change, 4 where there are dangers
"""


def _markdown(made: Report, limit: int) -> str:
    return markdown.text(made, limit)


WRITERS: Mapping[str, Callable[[Report, int], str]] = {
    "markdown": _markdown,
    "json": lambda made, _: as_json.text(made),
    "text": lambda made, _: text.text(made),
}
"""What writes a report in each format."""


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
    parser.add_argument("--format", choices=[*WRITERS], help="make a report (default with any option below: text)")
    parser.add_argument("--output", metavar="FILE", type=Path, help="where the report goes (default: standard output)")
    parser.add_argument(
        "--without-secrets",
        action="store_true",
        help="for a machine without the passphrase: placeholders stand for the secrets, and nothing is written anywhere",
    )
    parser.add_argument(
        "--state",
        metavar="FILE",
        type=Path,
        help="with --without-secrets: a copy of the state, which `python -m pipeline state` makes",
    )
    kept.add_save(parser)
    parser.add_argument(
        "--build",
        action="store_true",
        help="build the image, to show the SQL of the migrations and the size of the image",
    )
    parser.add_argument(
        "--policy-pack", metavar="DIR", action="append", default=[], help="a policy pack of Pulumi; may be repeated"
    )
    parser.add_argument(
        "--exit-code",
        action="store_true",
        help="end with 3 where something would change, with 4 where there are dangers",
    )
    parser.add_argument(
        "--limit",
        metavar="CHARACTERS",
        type=int,
        default=markdown.GITHUB_LIMIT,
        help="how long the markdown may be; 0 for no limit (default: %(default)s, what a comment on GitHub holds)",
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the changes, property by property or as a report."""
    wanted = ("format", "output", "without_secrets", "state", "build", "policy_pack", "exit_code")
    if not any(getattr(arguments, each) for each in wanted):
        return _stream(arguments, console)
    progress = Console(out=console.err, err=console.err)
    engine = Engine(arguments.stack, progress)
    made = _report(engine, arguments)
    written = WRITERS[arguments.format or "text"](made, arguments.limit)
    if arguments.output is None:
        console.say(written.rstrip("\n"))
    else:
        output.write(arguments.output, written)
    if made.failed:
        progress.fail(PipelineError(*made.problems))
        return 1
    if arguments.output is not None:
        progress.say(f"{report.headline(made)} The report is in {arguments.output}.")
    return _code(made) if arguments.exit_code else 0


CHANGES, DANGERS = 3, 4


def _code(made: Report) -> int:
    """Tell a job what was found. 1 and 2 are for what failed and for wrong arguments."""
    if made.dangers:
        return DANGERS
    return 0 if made.unchanged else CHANGES


def _stream(arguments: argparse.Namespace, console: Console) -> int:
    """Print what Pulumi says, while it says it."""
    engine = Engine(arguments.stack, console)
    with console.step("checks", f"Check the settings of stack {engine.stack}"):
        _, doubts = _prepared(engine, arguments.app)
        for doubt in doubts:
            console.warn(doubt)
    with console.step("pulumi preview", f"pulumi preview --stack {engine.stack}"):
        outcome = engine.stream("preview", "--diff", *kept.save(arguments))
    if outcome.code:
        raise failed.command(engine, outcome, "preview")
    console.say(f"Time:   {console.summary()}")
    return 0


def _prepared(engine: Engine, app: str | None) -> tuple[Settings, list[str]]:
    """Check what can be checked before, and give what else a reader should know."""
    loaded, state = stack.prepare(engine, app)
    targets.refuse_move(engine, loaded, state)
    doubts = targets.of(loaded).doubts(engine, loaded, state)
    if interrupted.pending(state):
        doubts = [*doubts, f"an update of this stack was killed; `make up STACK={engine.stack}` mends what it left"]
    missing = agent.problem(loaded, engine.environ)
    if missing is not None:
        doubts = [*doubts, f"an update would need an SSH agent; {missing.key}: found {missing.found}"]
    return loaded, doubts


def _report(engine: Engine, arguments: argparse.Namespace) -> Report:
    """Make the report, also of what fails."""
    compared = Compared.BLIND if arguments.without_secrets else Compared.STATE
    try:
        return _looked(engine, arguments)
    except SettingsError as error:
        problems = tuple(Problem(f"{each.key}: found {each.found}", each.allowed, each.mend) for each in error.problems)
    except PipelineError as error:
        problems = tuple(error.problems)
    return Report(stack=engine.stack, compared=compared, problems=problems)


def _looked(engine: Engine, arguments: argparse.Namespace) -> Report:
    console = engine.console
    options = tuple(word for pack in arguments.policy_pack for word in ("--policy-pack", str(Path(pack).resolve())))
    blind: keyless.Blind | None = None
    doubts: list[str] = []
    if arguments.state is not None and not arguments.without_secrets:
        raise problem(
            "--state is for a machine that has nothing but a copy of the state",
            mend=f"python -m pipeline preview {engine.stack} --without-secrets --state {arguments.state}",
        )
    with console.step("checks", f"Check the settings of stack {engine.stack}"):
        if arguments.without_secrets:
            _refuse_what_writes(engine, arguments)
            loaded = _without_secrets(engine)
        else:
            loaded, doubts = _prepared(engine, arguments.app)
    with console.step("pulumi preview", f"pulumi preview --stack {engine.stack}"):
        if arguments.without_secrets:
            blind = keyless.preview(engine, loaded, options, arguments.state)
            outcome = blind.outcome
            if blind.state:
                doubts = targets.of(loaded).doubts(engine, loaded, blind.state)
        else:
            outcome = running.events(engine, *options, *kept.save(arguments))
    found = plan.read(outcome.out, engine.stack)
    error = running.failure(engine, outcome, found)
    moves = images.moved(found)
    migrations: Migrations | None = None
    try:
        migrations, inspected = _built(engine, loaded, found, moves) if arguments.build and not error else (None, None)
    except PipelineError as broken:
        error, inspected = broken, None
    return replace(
        report.of(
            found,
            secret_files=report.secret_files(loaded),
            images=inspected if inspected is not None else _inspected(engine, moves, {}),
            migrations=migrations,
            problems=tuple(error.problems) if error else (),
            compared=blind.compared if blind else Compared.STATE,
            reason=blind.reason if blind else "",
        ),
        warnings=tuple(doubts),
    )


def _refuse_what_writes(engine: Engine, arguments: argparse.Namespace) -> None:
    """Raise for options that need the keys, or write into the stack's file."""
    for option, value, why in (
        ("--app", arguments.app, "writes into the stack's file, and --without-secrets writes nowhere"),
        ("--save-plan", arguments.save_plan, "keeps a plan that needs the secrets, and --without-secrets has none"),
    ):
        if value is not None:
            raise problem(
                f"{option} {why}",
                allowed="one of both",
                mend=f"python -m pipeline preview {engine.stack} --without-secrets",
            )


def _without_secrets(engine: Engine) -> Settings:
    """Check what can be checked without keys and without touching anything."""
    settings.stack_file(engine.stack, engine.root)
    if not engine.stack_file.exists():
        raise settings.no_stack(engine.stack, engine.stack_file)
    loaded = settings.load(engine.stack, engine.root)
    problems = [secret_problem(name, engine.stack, loaded) for name in secrets.missing(engine.stack, engine.root)]
    if problems:
        raise SettingsError(engine.stack, problems)
    return loaded


def _built(
    engine: Engine, loaded: Settings, found: Plan, moves: tuple[images.Moved, ...]
) -> tuple[Migrations, tuple[images.Image, ...]]:
    """Build the image, look at it, and try its migrations."""
    console = engine.console
    running = _running_image(found)
    with (
        console.step("build", f"Build the image of {loaded.app.name}"),
        built(engine, loaded) as image,
        migrating.fetched(engine, running),
    ):
        identity = release.plan(loaded, engine.root).identity
        made = {each.after: image for each in moves if each.after.endswith(f":{identity}")}
        inspected = _inspected(engine, moves, made)
        with console.step("migrations", "Try its migrations on a database that is thrown away"):
            return migrating.migrations(engine, loaded, image, running), inspected


def _running_image(found: Plan) -> str:
    name = found.before.get("image")
    return name if isinstance(name, str) else ""


def _inspected(engine: Engine, moves: tuple[images.Moved, ...], made: Mapping[str, str]) -> tuple[images.Image, ...]:
    names = [name for each in moves for name in (each.before, each.after) if name]
    known = images.inspect(engine.environ, [*names, *made.values()]) if moves else {}
    return images.compare(moves, known, made)
