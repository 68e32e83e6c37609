"""Projects in a git repository of this machine: brought once, and found again without it."""

import functools
import http.server
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components import checkout, release, source
from components.checkout import Checkout, CheckoutError
from components.ignore import ContextError
from components.problems import Problem, SettingsError
from components.settings import check
from tests.sample import settings

BY = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "protocol.file.allow=always")


@pytest.fixture(autouse=True)
def _asks_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test finds what another one found, and none has the settings of a user."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    checkout.forget()
    yield
    checkout.forget()


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody who develops the project."""
    done = subprocess.run(["git", *BY, *arguments], cwd=folder, check=True, timeout=30, capture_output=True, text=True)
    return done.stdout.strip()


class Repository:
    """A repository with a Django project in a folder of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"file://{folder}"
        folder.mkdir()
        git(folder, "init", "--quiet", "--initial-branch=main")
        for name, text in {
            "site/manage.py": "",
            "site/config/settings.py": "",
            "site/config/wsgi.py": "application = None\n",
            "site/requirements.txt": "django\n",
        }.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        self.first = self.commit("first")

    def commit(self, text: str) -> str:
        """Change a file, and give the new commit."""
        (self.folder / "site/version.txt").write_text(text)
        git(self.folder, "add", ".")
        git(self.folder, "commit", "--quiet", f"--message={text}")
        return git(self.folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository."""
    return Repository(tmp_path / "shop")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of Slipway."""
    (tmp_path / "slipway").mkdir()
    return tmp_path / "slipway"


def get(repository: Repository, root: Path, ref: str | None = None, url: str | None = None) -> Checkout:
    """Find a commit as another process would."""
    checkout.forget()
    app = settings({"app": {"source": url or repository.url, "ref": ref}}).app
    found = checkout.of(app, root, "dev")
    assert found is not None
    return found


def problem(repository: Repository, root: Path, ref: str | None = None, url: str | None = None) -> Problem:
    """Give what is wrong."""
    with pytest.raises(CheckoutError) as error:
        get(repository, root, ref, url)
    return error.value.problem


def said(repository: Repository, **app: object) -> dict[str, Any]:
    """Say something about the app."""
    return {
        "environment": "dev",
        "app": {"source": repository.url, "directory": "site", "settings_module": "config.settings", **app},
    }


def test_a_folder_is_no_repository(root: Path) -> None:
    """Nothing is asked for a project in a folder."""
    assert checkout.of(settings().app, root) is None


def test_a_branch_that_moves(repository: Repository, root: Path) -> None:
    """Each commit has a folder with its files alone; a process stays with what it found."""
    before = get(repository, root)
    assert (before.commit, before.note) == (repository.first, None)
    assert before.folder.parent.parent == root / ".slipway/sources"
    assert (before.folder / "site/version.txt").read_text() == "first"
    assert not [*before.folder.rglob(".git")]

    second = repository.commit("second")
    app = settings({"app": {"source": repository.url}}).app
    assert checkout.of(app, root) == before
    after = get(repository, root, "main")
    assert after.commit == second
    assert (after.folder / "site/version.txt").read_text() == "second"
    assert (before.folder / "site/version.txt").read_text() == "first"


def test_tags_and_commits(repository: Repository, root: Path) -> None:
    """A tag with a text means its commit; a commit that no branch ends with can be named by all its digits."""
    git(repository.folder, "tag", "--annotate", "--message=one", "v1")
    repository.commit("second")
    assert get(repository, root, "v1").commit == repository.first
    shutil.rmtree(root / ".slipway")
    assert get(repository, root, repository.first).commit == repository.first


def test_what_is_here_needs_no_network(repository: Repository, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that is named by its digits is not asked for again; nobody even needs git."""
    get(repository, root)
    monkeypatch.setenv("PATH", "/nowhere")
    assert get(repository, root, repository.first).commit == repository.first
    assert problem(repository, root, "main") == Problem(
        key="slipway:app.source",
        found=f'"{repository.url}", and no program git on this machine',
        allowed="git, or the project in a folder",
        mend="sudo apt-get install git",
    )


def test_a_server_that_does_not_answer(repository: Repository, root: Path) -> None:
    """The commit of the last time is used, and said; without one, and with another name, it is an error."""
    url = "http://127.0.0.1:9/shop.git"
    expected = Problem(
        key="slipway:app.source",
        found=f'"{url}", which cannot be reached: ',
        allowed="a repository that answers, or slipway:app.ref with a commit that was deployed from here before",
        mend=f"git ls-remote {url}   # until it answers",
    )
    found = problem(repository, root, "main", url)
    assert found.found.startswith(expected.found)
    assert (found.key, found.allowed, found.mend) == (expected.key, expected.allowed, expected.mend)

    here = get(repository, root, "main")
    (root / ".slipway/sources" / source.folder(repository.url)).rename(root / ".slipway/sources" / source.folder(url))
    again = get(repository, root, "main", url)
    assert again.commit == here.commit
    assert again.note is not None
    assert again.note.startswith(f"{url} cannot be reached (")
    assert again.note.endswith("); this is the commit of the last time")
    assert problem(repository, root, "other", url).found.startswith(expected.found)


def test_an_unknown_name(repository: Repository, root: Path) -> None:
    """What was probably meant comes first."""
    git(repository.folder, "tag", "v1")
    assert problem(repository, root, "mian") == Problem(
        key="slipway:app.ref",
        found=f'"mian", which is no branch, tag or commit of {repository.url}',
        allowed="a branch, a tag, or all digits of a commit; there is main, v1",
        mend="pulumi config set --path 'slipway:app.ref' main --stack dev",
    )
    assert problem(repository, root, "f" * 40).key == "slipway:app.ref"


def test_a_repository_without_a_first_branch(repository: Repository, root: Path) -> None:
    """It needs a name."""
    git(repository.folder, "symbolic-ref", "HEAD", "refs/heads/gone")
    assert problem(repository, root).found == f"nothing, and {repository.url} has no branch that is its first"
    assert get(repository, root, "main").commit == repository.first


def test_no_repository(repository: Repository, root: Path) -> None:
    """The error says what git says, and who would be let in."""
    shutil.rmtree(repository.folder)
    found = problem(repository, root)
    assert found.key == "slipway:app.source"
    assert "which is no repository, or does not let this machine in: " in found.found
    assert (
        found.allowed
        == "a repository that this machine may read, with a key in the SSH agent, and a host that its known_hosts names"
    )


def test_credentials_are_asked_for_where_they_are_needed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They reach git in its environment, for the host alone."""
    seen: list[dict[str, str]] = []

    def refused(_command: list[str], env: dict[str, str], **_: object) -> "subprocess.CompletedProcess[bytes]":
        seen.append(env)
        return subprocess.CompletedProcess(
            [], 128, b"", b"fatal: Authentication failed for 'https://git.example.org/shop'\n"
        )

    monkeypatch.setattr(subprocess, "run", refused)
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "http.proxy")
    app = settings({"app": {"source": "https://git.example.org/shop"}}).app
    with pytest.raises(CheckoutError) as error:
        checkout.of(app, root, "dev", lambda: "machine git.example.org login robot password token")
    assert error.value.problem == Problem(
        key="slipway:app.source",
        found='"https://git.example.org/shop", which is no repository, or does not let this machine in: '
        "Authentication failed for 'https://git.example.org/shop'",
        allowed="a repository that this machine may read, with credentials in the secret netrc",
        mend="pulumi config set --secret secrets:netrc --stack dev 'machine git.example.org login USER password TOKEN'",
    )
    assert (seen[0]["GIT_CONFIG_COUNT"], seen[0]["GIT_CONFIG_KEY_0"]) == ("4", "http.proxy")
    assert seen[0]["GIT_CONFIG_KEY_3"] == "http.https://git.example.org/.extraHeader"
    assert seen[0]["GIT_CONFIG_VALUE_3"] == "Authorization: Basic cm9ib3Q6dG9rZW4="
    assert "GIT_DIR" not in seen[0]


def test_an_answer_that_takes_too_long(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of git has a limit."""

    def never(command: list[str], timeout: float, **_: object) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", never)
    app = settings({"app": {"source": "ssh://git@git.example.org/shop"}}).app
    with pytest.raises(CheckoutError, match="which cannot be reached: no answer within 60 s"):
        checkout.of(app, root)


def test_submodules(repository: Repository, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of a project that are repositories of their own come with it."""
    part = Repository(tmp_path / "part")
    git(repository.folder, "submodule", "--quiet", "add", part.url, "part")
    repository.commit("with a part")
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")
    found = get(repository, root)
    assert (found.folder / "part/site/manage.py").is_file()
    assert not [*found.folder.rglob(".git")]


def test_old_commits_are_deleted(repository: Repository, root: Path) -> None:
    """What was not used for a month goes, and what is broken off too."""
    old = get(repository, root).folder
    (old.parent / "new-x").mkdir()
    for each in (old, old.parent / "new-x"):
        os.utime(each, (time.time(), time.time() - 31 * 86400))
    repository.commit("second")
    (old.parent / "refs.json").write_text("broken")
    found = get(repository, root)
    assert [each.name for each in old.parent.iterdir() if each.is_dir()] == [found.commit]


def test_two_processes_at_once(repository: Repository, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes second takes what is there."""
    real = Path.rename

    def late(self: Path, to: Path) -> Path:
        shutil.copytree(self, to)
        return real(self, to)

    monkeypatch.setattr(Path, "rename", late)
    assert (get(repository, root).folder / "site/manage.py").is_file()

    def broken(self: Path, to: Path) -> Path:
        raise PermissionError(self, to)

    monkeypatch.setattr(Path, "rename", broken)
    repository.commit("second")
    with pytest.raises(PermissionError):
        get(repository, root)


def test_a_commit_is_a_release(repository: Repository, root: Path) -> None:
    """Its commit is in the labels, and another one is another release, even if it changes nothing in the image."""
    loaded = check(said(repository), "dev", root)
    before = release.plan(loaded, root)
    assert before.commit == repository.first
    assert before.labels["org.opencontainers.image.revision"] == repository.first
    assert before.labels["org.opencontainers.image.source"] == repository.url
    assert before.labels["org.opencontainers.image.title"] == "shop"

    git(repository.folder, "commit", "--quiet", "--allow-empty", "--message=nothing")
    checkout.forget()
    after = release.plan(check(said(repository), "dev", root), root)
    assert after.identity != before.identity


def test_a_project_that_is_not_there(repository: Repository, root: Path) -> None:
    """The repository's other folders are named; what git says comes alone."""
    with pytest.raises(SettingsError) as error:
        check(said(repository, directory=None), "dev", root)
    folder = get(repository, root).folder
    assert folder.is_dir()
    assert error.value.problems == (
        Problem(
            key="slipway:app.directory",
            found=f"nothing, and the root of {repository.url} has no manage.py",
            allowed="a folder in the project, with its manage.py; there is site",
            mend="pulumi config set --path 'slipway:app.directory' site --stack dev",
        ),
    )
    checkout.forget()
    with pytest.raises(SettingsError) as error:
        check(said(repository, ref="mian"), "dev", root)
    assert [each.key for each in error.value.problems] == ["slipway:app.ref"]


def test_a_server_that_only_serves_files(repository: Repository, root: Path, tmp_path: Path) -> None:
    """It has no shallow histories; all of it is brought, and its files alone are kept."""
    git(tmp_path, "clone", "--quiet", "--bare", repository.url, "bare.git")
    git(tmp_path / "bare.git", "update-server-info")
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/bare.git"
        found = get(repository, root, "main", url)
        server.shutdown()
    assert found.commit == repository.first
    assert sorted(each.name for each in found.folder.iterdir()) == ["site"]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""


def test_by_ssh(repository: Repository, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ssh of whoever runs it is asked, by an address with a scheme or in the short form."""
    program = tmp_path / "ssh"
    program.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/asked\nfor last; do :; done\nexec sh -c "$last"\n')
    program.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(program))
    monkeypatch.setenv("GIT_SSH_VARIANT", "ssh")
    assert (
        get(repository, root, "main", f"ssh://git@git.example.org:2222{repository.folder}").commit == repository.first
    )
    assert get(repository, root, "main", f"git@git.example.org:{repository.folder}").commit == repository.first
    asked = (tmp_path / "asked").read_text()
    assert "-p 2222 git@git.example.org git-upload-pack" in asked
    assert "\n-o SendEnv=GIT_PROTOCOL git@git.example.org git-upload-pack" in asked


def test_too_much_of_a_commit(repository: Repository, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out is named in the repository, not in the copy of it."""
    monkeypatch.setattr(release, "LIMIT_MB", 0)
    with pytest.raises(ContextError, match=r">> \.dockerignore in the repository, for what"):
        release.plan(check(said(repository), "dev", root), root)
