"""The program that runs in the image: puts files of secrets in place and runs the steps of a plan. It judges nothing.

It is sent as text, runs on every Python from 3.8 on and imports nothing but the standard library.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

MARK = "slipway-check:"
"""Begins the lines that tell how a step went."""

LIMIT = 40000
"""How much of what a step said is told, in characters."""


def main() -> None:
    """Run the plan of the variable SLIPWAY_CHECK."""
    plan = json.loads(os.environ.pop("SLIPWAY_CHECK"))
    os.umask(0o077)
    for path, text in plan["files"].items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
    for step in plan["steps"]:
        begun = time.time()
        try:
            done = subprocess.run(
                step["command"],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=plan["seconds"],
            )
            code, said = done.returncode, done.stdout
        except subprocess.TimeoutExpired as error:
            code, said = 124, (error.output or b"") + b"\nit did not end in time"
        except OSError as error:
            code, said = 127, str(error).encode()
        text = said.decode("utf-8", "replace")[-LIMIT:]
        told = {"name": step["name"], "code": code, "said": text, "seconds": time.time() - begun}
        print(MARK + json.dumps(told))
        sys.stdout.flush()
        if code and step["gates"]:
            break


if __name__ == "__main__":
    main()
