"""``make test-e2e`` and ``make test-cluster``: their tests in two halves at once, since most of their time is waiting.

Of those that need a cluster, one half has the stack that several modules share, the other those that have stacks of their
own. Of those that need Docker alone, one half has the projects of different shapes and what a team does around an update.
What the second says is printed when the first has ended.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence

import pytest

from tests.e2e.site import RUN

HALF = "SLIPWAY_E2E_HALF"
FIRST, SECOND = "first", "second"
TARGETS = {"docker": "not long and not cluster", "cluster": "cluster and not long"}
"""What to run, by what it needs, as pytest's ``-m`` takes it."""
MODULES = ("project_", "preview", "environments", "drift", "promote", "backends")
"""How the names of modules go on that are in the first half of those that need Docker alone. Both take as long."""


def in_first(item: pytest.Item) -> bool:
    """Tell in which half a test is. A module is never divided, since its tests share a stack."""
    if item.get_closest_marker("cluster"):
        return "guestbook" in getattr(item, "fixturenames", ())
    return item.path.stem.removeprefix("test_").startswith(MODULES)


def command(target: str, arguments: Sequence[str] = ()) -> list[str]:
    """What each half runs."""
    return [sys.executable, "-m", "pytest", "-m", TARGETS[target], "tests/e2e", *arguments]


def environ(half: str) -> dict[str, str]:
    """The surroundings of a half: names of its own, that begin as those of the whole."""
    return {**os.environ, HALF: half, "SLIPWAY_E2E_RUN": f"{RUN}-{half[0]}"}


def main() -> int:
    """Run both, and give the worse of the two exit codes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    given, more = parser.parse_known_args()
    line = command(given.target, more)
    with tempfile.TemporaryFile("w+") as said:
        with subprocess.Popen(
            line, env=environ(SECOND), stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
        ) as second:
            try:
                codes = [subprocess.run(line, env=environ(FIRST), check=False).returncode, second.wait()]
            except KeyboardInterrupt:  # the terminal has told both of them, and both tidy up
                codes = [130, second.wait()]
        said.seek(0)
        sys.stdout.write(said.read())
    return max(abs(code) for code in codes)


if __name__ == "__main__":
    sys.exit(main())
