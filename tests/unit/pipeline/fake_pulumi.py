"""A made-up ``pulumi`` that answers from a table and writes down how it was called."""

import io
import json
import stat
import sys
from pathlib import Path

from pipeline.engine import Engine

# It writes down how it was called, then does what the first matching rule says.
FAKE = """#!{python}
import json, os, signal, sys, time
here = os.path.dirname(os.path.abspath(__file__))
called = " ".join(sys.argv[1:])
with open(os.path.join(here, "calls"), "a") as calls:
    calls.write(called + "\\n")
def asked(*_):
    print("stopped cleanly", flush=True)
    sys.exit(1)
signal.signal(signal.SIGINT, asked)
for rule in json.load(open(os.path.join(here, "rules.json"))):
    if called.startswith(rule["when"]):
        sys.stdout.write(rule["out"]); sys.stdout.flush()
        sys.stderr.write(rule["err"]); sys.stderr.flush()
        time.sleep(rule["seconds"])
        sys.exit(rule["code"])
"""


class Fake:
    """The rules of the made-up command, and how it was called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rules: list[dict[str, object]] = []
        folder.mkdir()
        program = folder / "pulumi"
        program.write_text(FAKE.format(python=sys.executable))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self._save()

    def when(self, called: str, out: str = "", err: str = "", code: int = 0, seconds: float = 0) -> None:
        """Answer calls that start like this; later rules come first."""
        self.rules.insert(0, {"when": called, "out": out, "err": err, "code": code, "seconds": seconds})
        self._save()

    def _save(self) -> None:
        (self.folder / "rules.json").write_text(json.dumps(self.rules))

    @property
    def calls(self) -> list[str]:
        """Every call so far."""
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


def printed(engine: Engine) -> str:
    """What was printed so far."""
    assert isinstance(engine.console.out, io.StringIO)
    return engine.console.out.getvalue()
