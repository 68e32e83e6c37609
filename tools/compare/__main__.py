"""Compare Slipway with a plain compose file of the same services, and print the table of docs/numbers.md.

Progress goes to standard error. It uses names and ports of its own, and leaves nothing but the cache.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline.console import Console, PipelineError, problem
from tests.e2e.site import tools
from tools.bootstrapping import places
from tools.bootstrapping.report import Report
from tools.compare import program
from tools.compare.measure import Compose, Row, Slipway, busy, measure

EXAMPLES = """example:
  . .slipway/env && python -m tools.compare > comparison.md     4 min, and 3 more where compose is built first
"""


def main() -> int:
    """Compare, and print the table to standard output."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.compare",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    try:
        with contextlib.redirect_stdout(sys.stderr):
            report, rows = compare()
    except PipelineError as error:
        Console().fail(error)
        return 1
    except KeyboardInterrupt:
        Console().warn("interrupted; all that was brought up is gone")
        return 130
    except (AssertionError, subprocess.TimeoutExpired) as error:
        Console().fail(problem(str(error)))
        return 1
    print(f"{report}\n\n| What | Slipway | Compose | Slipway : Compose | Command |\n|---|---|---|---|---|")
    print(*rows, sep="\n")
    return 0


def compare() -> tuple[str, list[Row]]:
    """Bring both sides, measure them, and take them away."""
    words = program.bring(tools(), Report(places.LOGS, Console(sys.stderr)))
    before, rows = busy(), []
    with tempfile.TemporaryDirectory(prefix="slipway-compare-") as folder, contextlib.ExitStack() as stack:
        slipway = Slipway(Path(folder))
        stack.callback(slipway.close)
        compose = Compose(words, slipway.site, slipway.dockerfile)
        stack.callback(compose.close)
        for row in measure((slipway, compose)):
            rows.append(row)
            print(f"=== {row}", flush=True)
    compared = f"docker compose {program.version_of(words, tools())}"
    return f"- {compared}; {before} before, {busy()} after", rows


if __name__ == "__main__":
    sys.exit(main())
