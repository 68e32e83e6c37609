"""A project in a private git repository: brought from it with a password that stays nowhere, one release for each commit."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.private import Private
from tests.e2e.site import ROOT, Site

BY = ("-c", "user.name=test", "-c", "user.email=test@example.org")


class Repository:
    """A repository with a project, and the copy of it that the server has."""

    def __init__(self, work: Path, bare: Path) -> None:
        self.work = work
        self.bare = bare
        shutil.copytree(ROOT / "tests/projects/pipenv", work, ignore=shutil.ignore_patterns("__pycache__"))
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(bare))

    def git(self, *arguments: str, where: Path | None = None) -> str:
        """Run git as somebody who develops the project."""
        command = ["git", *BY, *arguments]
        done = subprocess.run(command, cwd=where or self.work, check=True, timeout=30, capture_output=True, text=True)
        return done.stdout.strip()

    def push(self, text: str) -> str:
        """Make a commit with a file, and give its hash."""
        (self.work / "notes.txt").write_text(text)
        self.git("add", ".")
        self.git("commit", "--quiet", f"--message={text}")
        self.git("push", "--quiet", "--force", str(self.bare), "main")
        self.git("update-server-info", where=self.bare)
        return self.git("rev-parse", "HEAD")


def commit_of(site: Site) -> str:
    """The commit that the stack says it runs."""
    return str(json.loads(site.pulumi("stack", "output", "--json"))["commit"])


@pytest.mark.docker
def test_on_docker(make_site: Callable[..., Site], tmp_path: Path) -> None:
    """Each commit is a release that a preview shows; without the server, what was there is deployed again."""
    with Private(tmp_path) as private:
        repository = Repository(tmp_path / "shop", tmp_path / "shop.git")
        first = repository.push("first")
        url = f"{private.url}/shop.git"
        app = {
            "name": "e2e",
            "source": url,
            "ref": "main",
            "settings_module": "shop.settings",
            "health_path": "/",
            "environment": {"SECRET_KEY": "${secrets.django_key}", "DATABASE_URL": "${database.url}"},
        }
        rest = {"dependencies": {"groups": ["live"], "packages": ["psycopg[binary]==3.3.9"]}}
        site = make_site("git", app=app, **rest).secrets()

        said = site.up().bad().text
        assert f'slipway:app.source: found "{url}", which is no repository, or does not let this machine in' in said
        assert f"pulumi config set --secret secrets:netrc --stack {site.stack} 'machine {private.host} login" in said
        site.run("pulumi", "config", "set", "--secret", "secrets:netrc", "--stack", site.stack, private.netrc).good()
        site.set(app={**app, "ref": "mian"}, **rest)
        assert "all digits of a commit; there is main" in site.up().bad().text

        site.set(app=app, **rest)
        assert f"    source: {url}, main: {first}\n" in site.up().good().text
        assert site.ask().status == 200
        assert commit_of(site) == first
        image = site.container("web").image
        assert image is not None
        assert image.labels["org.opencontainers.image.revision"] == first
        assert image.labels["org.opencontainers.image.source"] == url
        before = site.running()

        second = repository.push("second")
        preview = site.pipeline("preview", site.stack).good().text
        assert f"main: {second}" in preview
        assert second in preview.partition("pulumi preview")[2]
        assert site.running() == before
        site.up().good()
        assert commit_of(site) == second
        assert site.execute("web", "cat", "notes.txt") == "second"

        token = private.token.encode()
        folders = (site.state, site.root / ".slipway", site.root / "stacks")
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        assert not [path for path in files if token in path.read_bytes()]

    after = site.running()
    said = site.up().good().text
    assert f"{url} cannot be reached" in said
    assert "this is the commit of the last time" in said
    assert site.running() == after
    site.set(app={**app, "ref": first}, **rest)
    assert "cannot be reached" not in site.up().good().text
    assert site.execute("web", "cat", "notes.txt") == "first"
