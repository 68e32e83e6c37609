"""The command line of Slipway: ``python -m pipeline COMMAND``.

It reads arguments and turns problems into text and exit codes: 0 done, 1 a problem that was named, 2 wrong arguments,
130 stopped with Ctrl-C. Every command is in a module of its own.
"""

import argparse
import sys

from components.problems import SettingsError
from pipeline import comment, doctor, down, generate, manifests, secrets, settings, up
from pipeline.check import command as check
from pipeline.console import Console, PipelineError, Problem
from pipeline.data import command as data
from pipeline.drift import command as drift
from pipeline.engine import InterruptedUpdateError
from pipeline.env import command as env
from pipeline.init import command as init
from pipeline.preview import command as preview
from pipeline.preview import stripped
from pipeline.promote import command as promote

EXAMPLES = """examples:
  python -m pipeline up                           bring the stack dev up
  python -m pipeline up --app ../shop             the same with a Django project of your own
  python -m pipeline preview prod                 what would change in production
  python -m pipeline doctor                       what is here, what is missing, the command that mends it
"""
DONE, FAILED, STOPPED = 0, 1, 130


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="python -m pipeline",
        description="What surrounds `pulumi up`.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for module in (
        init,
        check,
        up,
        preview,
        stripped,
        down,
        env,
        doctor,
        drift,
        promote,
        data,
        manifests,
        settings,
        secrets,
        comment,
        generate,
    ):
        module.add_parser(commands)
    return top


def main(argv: list[str] | None = None, console: Console | None = None) -> int:
    """Run one command and give its exit code."""
    console = console or Console()
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.run(arguments, console) or DONE)
    except PipelineError as error:
        console.fail(error)
        return FAILED
    except SettingsError as error:
        console.fail(PipelineError(*(Problem(f"{p.key}: found {p.found}", p.allowed, p.mend) for p in error.problems)))
        return FAILED
    except (KeyboardInterrupt, InterruptedUpdateError):
        console.say("Stopped. The same command again goes on from here.")
        return STOPPED


if __name__ == "__main__":
    sys.exit(main())
