"""The order in which a machine is prepared, and the answer to what is here already.

Each part is a module of its own; this one knows their order, the lock around them, and how they can fail.
"""

import argparse
import errno
import os
import signal
import sys
import time
from pathlib import Path

from pipeline.console import Console, PipelineError, problem, seconds
from tools.airgap import cache_dir
from tools.bootstrapping import check, docker, environment, images, places, pulumi, settings
from tools.bootstrapping.report import FULL_DISK, Report, full_disk

EXAMPLES = """examples:
  tools/bootstrap                    bring what is missing; a second run takes about a second
  tools/bootstrap --check            say what is here and what is missing, change nothing
  tools/bootstrap --check --json     the same for a program
  tools/bootstrap --again            forget which images this machine was found to reach, and look again
  . .slipway/env                     use what it brought in this shell

Each part comes from the first of these that works: what is there, the official download, or the airgap route of
tools/airgap, which builds it from package registries. Nothing is ever asked.
"""
INTERRUPTED = 130


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="tools/bootstrap",
        description="Bring everything that `make up` needs: virtual environment, Pulumi, plugins, Docker, images.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 if something is missing")
    parser.add_argument("--json", action="store_true", help="with --check: print JSON")
    parser.add_argument("--again", action="store_true", help="look again at what can be reached")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Do what the command line says; problems become messages."""
    console = Console()
    chosen = parse(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # they end it as Ctrl-C does: with what it started
    try:
        if chosen.check:
            return check.run(console, as_json=chosen.json)
        bring(Report(places.LOGS, console), again=chosen.again)
    except PipelineError as error:
        console.fail(error)
        return 1
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - whoever read has gone; until the process ends
        return 1
    except OSError as error:
        console.fail(explain(error))
        return 1
    except KeyboardInterrupt:
        console.say()
        console.warn("interrupted; the same command goes on where it stopped")
        return INTERRUPTED
    return 0


def explain(error: OSError) -> PipelineError:
    """Put what the operating system refused into words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT) or any(sign in str(error).lower() for sign in FULL_DISK):
        return full_disk(f"{error.strerror or error}: {error.filename or cache_dir()}")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return problem(
            f"may not write or run {error.filename}: {error.strerror}",
            mend=f'ls -ld {error.filename or "."}   # make it yours, or: export SLIPWAY_CACHE="$HOME/slipway-cache"',
        )
    return problem(f"{error}", mend="tools/bootstrap   # goes on where it stopped")


def bring(report: Report, *, again: bool) -> None:
    """Bring every part, in the order in which they need each other."""
    start = time.monotonic()
    with places.lock(places.LOCAL / "bootstrap.lock", report.say):
        environment.ensure(report)
        cli = pulumi.ensure(report)
        home = pulumi.ensure_plugins(report, cli)
        airgap = images.needed(again=again)
        host = docker.ensure(report, mirror=airgap)
        buildx = images.ensure(report) if airgap else None
        settings.save(settings.Chosen(pulumi_home=home, docker_host=host, buildx_config=buildx))
    report.console.say(f"  ready in {seconds(time.monotonic() - start)}; in this shell: . {shown(places.ENV)}")


def shown(path: Path) -> str:
    """Write a path as short as it can be typed from here."""
    here = Path.cwd()
    return os.path.relpath(path, here) if path.is_relative_to(here) else str(path)
