"""A pull request's whole life, played through the steps of the workflows.

It is opened, pushed to, pushed to with a migration that fails, and closed. GitHub is a server of ours that keeps comments as
GitHub does; everything else is real.
"""

import http.client
import json
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml

from tests.ci_steps import EXPRESSION, ROOT, filled, github, workflow
from tests.e2e.site import EXAMPLE, RUN, copy_repository, free_port, share_tools, tools
from tests.unit.pipeline.fake_forge import TOKEN, Forge

pytestmark = [pytest.mark.docker, pytest.mark.long]

CONDITIONS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "github.event.pull_request.head.repo.full_name == github.repository": lambda event: not event["fork"],
    "github.event.pull_request.head.repo.full_name != github.repository": lambda event: event["fork"],
    "github.event.action != 'closed'": lambda event: event["action"] != "closed",
    "github.event.action == 'closed'": lambda event: event["action"] == "closed",
}
LABEL = "slipway.project"
STEP_SECONDS = 900
BROKEN = '''"""Fails on purpose."""

from django.db import migrations


def fail(*_):
    raise RuntimeError("this migration fails on purpose")


class Migration(migrations.Migration):
    """Fails."""

    dependencies = [("guestbook", "0001_initial")]
    operations = [migrations.RunPython(fail)]
'''


@dataclass
class Request:
    """Pull request 5 of a repository with a project beside Slipway's files."""

    folder: Path
    forge: Forge
    port: int = field(default_factory=free_port)
    daemon: docker.DockerClient = field(default_factory=docker.from_env)
    ran: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Part of the name of everything that it makes."""
        return f"e2e-{RUN}-pr"

    @property
    def clone(self) -> Path:
        """What actions/checkout makes."""
        return self.folder / "clone"

    def make(self) -> "Request":
        """Write the repository, with the secrets of its stacks."""
        copy_repository(self.clone)
        share_tools(self.clone)
        shutil.copytree(EXAMPLE, self.clone / "shop", ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
        # The tools are those of this machine, and not brought again for each step.
        (self.clone / "Makefile").write_text("bootstrap:\n\t@true\n")
        app = {"name": self.name, "source": "shop", "settings_module": "config.settings"}
        review = {"domain": "review.example.org", "gateway": {"name": f"e2e-{RUN}-pr", "port": self.port}}
        small = {"resources": {"memory_mb": 192, "cpus": 0.5}, "startup_seconds": 240}
        files: dict[str, dict[str, Any]] = {
            "review.template.yaml": {"environment": "review", "app": app, "web": small, "review": review},
            "Pulumi.staging.yaml": {"environment": "staging", "domain": "staging.example.org", "app": app},
            "Pulumi.prod.yaml": {"environment": "prod", "domain": "shop.example.org", "app": app},
        }
        for file, said in files.items():
            content = {"config": {f"slipway:{key}": value for key, value in said.items()}}
            (self.clone / "stacks" / file).write_text(yaml.safe_dump(content))
        (self.folder / "state").mkdir()
        (self.folder / "runner/.slipway/state").mkdir(parents=True)
        for stack in ("staging", "prod"):
            self.shell(f"python -m pipeline secrets init {stack}", self.keys)
        return self

    @property
    def keys(self) -> dict[str, str]:
        """What opens the state."""
        return {"PULUMI_BACKEND_URL": f"file://{self.folder}/state", "PULUMI_CONFIG_PASSPHRASE": self._passphrase}

    @property
    def values(self) -> dict[str, str]:
        """What expressions of the workflows become; what is not set is empty, as at GitHub."""
        return {
            "vars.PULUMI_BACKEND_URL": self.keys["PULUMI_BACKEND_URL"],
            "secrets.PULUMI_CONFIG_PASSPHRASE": self.keys["PULUMI_CONFIG_PASSPHRASE"],
            "github.token": TOKEN,
            "github.event.pull_request.number": "5",
        }

    _passphrase: str = field(default_factory=lambda: secrets.token_hex(8))

    def shell(self, run: str, env: Mapping[str, str]) -> tuple[int, str]:
        """Run a step as GitHub does."""
        base = (
            tools()
            | {
                "PULUMI_BACKEND_URL": f"file://{self.folder}/runner/.slipway/state",  # what `.slipway/env` of a fresh clone says
                "XDG_CACHE_HOME": str(self.folder / "cache"),
            }
        )
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", run],
            cwd=self.clone,
            env={**base, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
        print(f"$ {run}\n{done.stdout}")
        return done.returncode, done.stdout

    def happens(self, action: str, *, fork: bool = False) -> dict[str, int]:
        """Play every step that an event starts, but the tests; give the exit codes."""
        event = self.folder / "event.json"
        event.write_text(json.dumps({"action": action, "pull_request": {"number": 5}}))
        actions = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.forge.address,
            "GITHUB_REPOSITORY": "me/shop",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
        }
        codes = {}
        for step in github():
            if step.run == ".ci/run" or not self._starts(step.file, step.condition, {"action": action, "fork": fork}):
                continue
            jobs = workflow(ROOT / ".github/workflows" / step.file)["jobs"]
            stacks = jobs[step.job].get("strategy", {}).get("matrix", {}).get("stack", [""])
            for stack in stacks:
                known = {**self.values, "matrix.stack": stack}
                needed = [found for text in step.env.values() for found in EXPRESSION.findall(text)]
                empty = {name: "" for name in needed if name.startswith(("vars.", "secrets."))}
                env = {name: filled(text, {**empty, **known}) for name, text in step.env.items()}
                shutil.rmtree(self.clone / "out", ignore_errors=True)  # each job has a clone of its own
                codes[f"{step.job} {stack}".strip()], _ = self.shell(step.run, {**actions, **env})
        return codes

    def _starts(self, file: str, condition: str, event: dict[str, Any]) -> bool:
        on = workflow(ROOT / ".github/workflows" / file)["on"]
        if event["action"] not in (on.get("pull_request") or {}).get("types", []):
            return False
        dependabot = [f"github.event.pull_request.user.login {sign} 'dependabot[bot]'" for sign in ("!=", "==")]
        plain = condition.replace(f" && {dependabot[0]}", "").replace(f" || {dependabot[1]}", "")
        return all(CONDITIONS[each](event) for each in plain.split(" and ") if each)

    def page(self, path: str = "/version") -> tuple[int, str]:
        """Ask the review environment through the gateway."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers={"Host": "pr-5.review.example.org"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def things(self) -> list[str]:
        """What the daemon has of the environment."""
        named = {
            *(
                (str(each.name), each.labels.get(LABEL))
                for each in self.daemon.containers.list(all=True, ignore_removed=True)
            ),
            *((str(each.name), (each.attrs["Labels"] or {}).get(LABEL)) for each in self.daemon.networks.list()),
            *((str(each.name), (each.attrs["Labels"] or {}).get(LABEL)) for each in self.daemon.volumes.list()),
        }
        images = [tag for each in self.daemon.images.list(self.name) for tag in each.tags]
        return sorted([*(name for name, project in named if project == self.name), *images])

    def close(self) -> None:
        """Leave nothing behind."""
        self.shell(
            "python -m pipeline env destroy pr-5 || true; python -m pipeline env gateway down || true", self.keys
        )
        self.daemon.close()


@pytest.fixture
def request_5(tmp_path: Path) -> Iterator[Request]:
    """The pull request, before anything has happened."""
    with Forge() as forge:
        forge.as_job()
        made = Request(tmp_path, forge).make()
        try:
            yield made
        finally:
            made.close()


def version(request: Request, number: str) -> None:
    """Push a change that can be seen."""
    (request.clone / "shop/config/version.py").write_text(f'"""The version."""\n\nVERSION = "{number}"\n')


GOOD = {"preview staging": 0, "preview prod": 0, "review": 0}
MARKS = ["<!-- slipway-preview: staging -->", "<!-- slipway-preview: prod -->", "<!-- slipway-review: pr-5 -->"]


def test_the_life_of_a_pull_request(request_5: Request) -> None:
    """Three comments that are edited; a page of its own; a failing migration is said and hurts nobody; nothing is left."""
    forge = request_5.forge
    before = request_5.things()

    version(request_5, "one")
    assert request_5.happens("opened") == GOOD
    assert [body.partition("\n")[0] for body in forge.bodies()] == MARKS
    assert "**Review environment pr-5**\n\nhttp://pr-5.review.example.org" in forge.bodies()[2]
    status, text = request_5.page()
    assert (status, "one" in text) == (200, True)

    version(request_5, "two")
    assert request_5.happens("synchronize") == GOOD
    assert len(forge.comments) == 3
    assert "two" in request_5.page()[1]

    version(request_5, "three")
    migration = request_5.clone / "shop/guestbook/migrations/0002_broken.py"
    migration.write_text(BROKEN)
    codes = request_5.happens("synchronize")
    assert codes == {**GOOD, "review": 1}
    assert "**Review environment pr-5: the last push failed.**" in forge.bodies()[2]
    assert "http://pr-5.review.example.org" in forge.bodies()[2]
    assert "two" in request_5.page()[1]

    assert request_5.happens("closed") == {"review": 0}
    assert request_5.things() == before
    assert request_5.page()[0] in {404, 421, 503}
    left = [path for path in (request_5.folder / "state").rglob("*pr-5*") if path.is_file()]
    assert left == []
    assert not any(secret in body for body in forge.bodies() for secret in (request_5._passphrase, TOKEN))


def test_a_fork_gets_a_report_and_nothing_else(request_5: Request) -> None:
    """Without the keys and the state, as it says, on the page of its job; no comment, no environment, no stack in the backend."""
    before = request_5.things()
    codes = request_5.happens("opened", fork=True)

    assert codes == {"preview-of-a-fork staging": 0, "preview-of-a-fork prod": 0}
    summary = (request_5.folder / "summary.md").read_text()
    assert summary.count("<!-- slipway-preview: ") == 2
    assert summary.count("**Not a comparison: as a whole new stack, ") == 2
    assert summary.count("Compared with nothing, since no state on this machine knows of it") == 2
    assert request_5.forge.bodies() == []
    assert request_5.things() == before
    assert list((request_5.folder / "runner").rglob("*.json")) == []
