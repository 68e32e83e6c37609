"""``python -m tools.ci_files``: lint what CI systems read, and the scripts that they call.

actionlint and zizmor look at the workflows of GitHub, check-jsonschema at them and at GitLab's file against the schemas
that come with it, shellcheck at the scripts. None of them asks the network. There is no linter for a Jenkinsfile: see
tests/unit/test_ci.py.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from pipeline.console import Console, PipelineError
from tools.bootstrapping import golang, places
from tools.bootstrapping.report import Report

ACTIONLINT = golang.Tool(
    "actionlint",
    ("github.com/rhysd/actionlint/cmd/actionlint",),
    ("github.com/rhysd/actionlint.version", "1.7.12"),
)
"""Not one of ``golang.TOOLS``, which the bootstrap builds: 20 s, once."""
LIMIT_SECONDS = 120


def actionlint(report: Report) -> str:
    """Give the one on PATH, or the one that was built here."""
    found = shutil.which("actionlint")
    return found or str(golang.build(ACTIONLINT, report) / "actionlint")


def commands(linter: str, root: Path) -> list[list[str]]:
    """Everything that looks at the files of a repository."""
    workflows = sorted(str(path.relative_to(root)) for path in (root / ".github" / "workflows").glob("*.yml"))
    scripts = sorted(str(path.relative_to(root)) for path in (root / ".ci").iterdir() if path.is_file())
    return [
        [linter, *workflows],
        ["zizmor", "--offline", "--no-progress", "--quiet", *workflows],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows],
        ["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", ".gitlab-ci.yml"],
        ["shellcheck", "--exclude", "SC1091", *scripts],  # .slipway/env is made on each machine
    ]


def main(root: Path = places.REPOSITORY, console: Console | None = None) -> int:
    """Run every linter, print what those that are not content say, and give how many there are."""
    console = console or Console()
    try:
        linter = actionlint(Report(places.LOCAL / "logs", console))
    except PipelineError as error:
        console.fail(error)
        return 1
    unhappy = 0
    for command in commands(linter, root):
        done = subprocess.run(
            command,
            cwd=root,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            unhappy += 1
            console.say(f"{Path(command[0]).name}:\n{done.stdout}{done.stderr}")
    console.say(f"{unhappy} linters of CI files found something" if unhappy else "All files of CI are fine")
    return min(unhappy, 1)


if __name__ == "__main__":
    sys.exit(main())
