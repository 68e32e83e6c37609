"""The program that runs in the image: puts files of secrets in place and runs the steps of a plan. It judges nothing.

It is sent as text, runs on every Python from 3.8 on and imports nothing but the standard library.
"""

import json
import os
import re
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
        code, text = run(step["name"], step["command"], plan["seconds"])
        if code and step["gates"]:
            break
        # What is only known now: a step may name commands for each of the lines that it says.
        for found in re.findall(step["lines"], text, re.MULTILINE) if step.get("lines") else []:
            for command in step["commands"]:
                filled = [word.format(*found) for word in command]
                code, _ = run(" ".join(filled), filled, plan["seconds"])
                if code:
                    return


def run(name: str, command: "list[str]", seconds: float) -> "tuple[int, str]":
    """Run a command, tell how it went, and give its exit code and what it said."""
    begun = time.time()
    try:
        done = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
        )
        code, said = done.returncode, done.stdout
    except subprocess.TimeoutExpired as error:
        code, said = 124, (error.output or b"") + b"\nit did not end in time"
    except OSError as error:
        code, said = 127, str(error).encode()
    text = said.decode("utf-8", "replace")[-LIMIT:]
    print(MARK + json.dumps({"name": name, "code": code, "said": text, "seconds": time.time() - begun}))
    sys.stdout.flush()
    return code, text


if __name__ == "__main__":
    main()
