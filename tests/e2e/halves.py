"""``make test-cluster``: the tests that need a cluster, in two halves at once, since most of their time is waiting.

One half has the stack that several modules share, the other those that have stacks of their own. What the second says is
printed when the first has ended.
"""

import os
import subprocess
import sys
import tempfile

from tests.e2e.site import RUN

HALF = "SLIPWAY_E2E_HALF"
SHARED, OWN = "shared", "own"


def command() -> list[str]:
    """What each half runs, with what was given here."""
    return [sys.executable, "-m", "pytest", "-m", "cluster and not long", "tests/e2e", *sys.argv[1:]]


def environ(half: str) -> dict[str, str]:
    """The surroundings of a half: names of its own, that begin as those of the whole."""
    return {**os.environ, HALF: half, "SLIPWAY_E2E_RUN": f"{RUN}-{half[0]}"}


def main() -> int:
    """Run both, and give the worse of the two exit codes."""
    with tempfile.TemporaryFile("w+") as said:
        with subprocess.Popen(
            command(), env=environ(OWN), stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
        ) as second:
            try:
                codes = [subprocess.run(command(), env=environ(SHARED), check=False).returncode, second.wait()]
            except KeyboardInterrupt:  # the terminal has told both of them, and both tidy up
                codes = [130, second.wait()]
        said.seek(0)
        sys.stdout.write(said.read())
    return max(abs(code) for code in codes)


if __name__ == "__main__":
    sys.exit(main())
