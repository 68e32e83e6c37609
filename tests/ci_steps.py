"""The shell steps of what CI systems read: ``.github/workflows``, ``.gitlab-ci.yml`` and ``Jenkinsfile``.

They are read from the files as they are, so that tests run what the systems would run.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EXPRESSION = re.compile(r"\$\{\{ *(.+?) *\}\}")


@dataclass(frozen=True)
class Step:
    """One shell step.

    Attributes:
        file: Where it is.
        job: The job or the stage that it belongs to.
        run: What the shell is given.
        env: What the job sets for it, expressions and all.
        condition: When it runs, as the system is told: of its job, then its own.
    """

    file: str
    job: str
    run: str
    env: Mapping[str, str]
    condition: str = ""


def workflow(path: Path) -> dict[str, Any]:
    """A workflow. YAML takes its ``on`` for a truth value."""
    content: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {("on" if key is True else key): value for key, value in content.items()}


def github() -> Iterator[Step]:
    """Every ``run`` of every workflow."""
    for path in WORKFLOWS:
        for name, job in workflow(path)["jobs"].items():
            for step in job["steps"]:
                if "run" in step:
                    conditions = [str(each["if"]) for each in (job, step) if "if" in each]
                    env = {**job.get("env", {}), **step.get("env", {})}
                    yield Step(path.name, name, step["run"], env, " and ".join(conditions))


def gitlab() -> Iterator[Step]:
    """Every line of every ``script``."""
    content = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    for name, job in content.items():
        if isinstance(job, dict) and "script" in job and not name.startswith("."):
            stacks = job.get("parallel", {}).get("matrix", [{"STACK": [job.get("variables", {}).get("STACK", "")]}])[0]
            for line in job["script"]:
                for stack in stacks["STACK"]:
                    conditions = " or ".join(str(rule["if"]) for rule in job["rules"])
                    yield Step(".gitlab-ci.yml", name, line, {"STACK": stack} if stack else {}, conditions)


def jenkins() -> Iterator[Step]:
    """Every ``sh`` of every stage."""
    stage = ""
    for line in (ROOT / "Jenkinsfile").read_text(encoding="utf-8").splitlines():
        if found := re.search(r"stage\('([^']+)'\)", line):
            stage = found[1]
        elif "post {" in line:
            stage = "post"
        if found := re.search(r"\bsh '([^']+)'", line):
            yield Step("Jenkinsfile", stage, found[1], {})


def filled(text: str, values: Mapping[str, str]) -> str:
    """Put values in the place of GitHub's expressions; one that is not known is an error."""
    return EXPRESSION.sub(lambda found: values[found[1]], text)
