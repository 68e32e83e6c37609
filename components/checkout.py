"""The files of a project that lies in a git repository: found, brought once, and kept on this machine.

This module is the only one that runs git for a deployment. What it keeps is in ``.slipway/sources``, one folder for each
commit, without history. Credentials are those of whoever runs it (an SSH agent, a credential helper) or the stack's secret
``netrc``; they go to git in its environment and stay in no file.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi

from components import source
from components.problems import Problem, config_set, full_key, show
from components.source import Failure

if TYPE_CHECKING:
    from components.model import App

LIST_SECONDS, FETCH_SECONDS = 60, 900
"""The longest that a repository may take to list its branches, and to give a commit."""

KEPT_DAYS = 30
"""A commit that was not deployed for so long is deleted here."""

Netrc = Callable[[], str | None]
"""Gives the stack's secret ``netrc``, if there is one. It is asked only where git has to ask a repository."""

_SOURCE, _REF = ("app", "source"), ("app", "ref")


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """One commit, on this machine."""

    commit: str
    """All digits of its hash."""
    folder: Path
    """Its files, without anything of git."""
    note: str | None = None
    """What a person should know: why it may not be the newest one."""


class CheckoutError(pulumi.RunError):
    """A repository does not give what the settings name."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


class _GitError(Exception):
    """git failed."""

    def __init__(self, said: str) -> None:
        self.why = source.failure(said)
        self.words = source.words(said)
        super().__init__(said)


_known: dict[tuple[str, str | None, Path], Checkout] = {}
"""What this process found: one update deploys one commit, also where a branch moves meanwhile."""


def of(app: "App", root: Path, stack: str = "STACK", netrc: Netrc = lambda: None) -> Checkout | None:
    """Give the commit that a project's settings mean; None for a project in a folder of this machine.

    Raises:
        CheckoutError: if it cannot be had.
    """
    if not source.is_remote(app.source):
        return None
    key = (app.source, app.ref, root)
    if key not in _known:
        _known[key] = _Repository(app.source, root, stack, netrc).get(app.ref)
    return _known[key]


def forget() -> None:
    """Ask again from here on."""
    _known.clear()


class _Repository:
    def __init__(self, url: str, root: Path, stack: str, netrc: Netrc) -> None:
        self._url = url
        self._folder = root / ".slipway/sources" / source.folder(url)
        self._stack = stack
        self._netrc = netrc
        self._environment: Mapping[str, str] | None = None

    def get(self, ref: str | None) -> Checkout:
        commit, note = (ref, None) if ref is not None and source.is_commit(ref) else self._resolve(ref)
        folder = self._folder / commit
        if not folder.is_dir():
            try:
                self._fetch(commit, folder)
            except _GitError as error:
                raise CheckoutError(
                    self._unknown(ref, {}) if error.why is Failure.UNKNOWN else self._problem(error)
                ) from None
        os.utime(folder)
        self._tidy()
        return Checkout(commit=commit, folder=folder, note=note)

    def _resolve(self, ref: str | None) -> tuple[str, str | None]:
        """Find the commit of a name; where the repository cannot be reached, that of the last time."""
        names = json.dumps(ref)
        try:
            said = self._git("ls-remote", self._url, "HEAD", "refs/heads/*", "refs/tags/*", *([ref] if ref else []))
        except _GitError as error:
            last = self._remembered().get(names)
            if error.why is Failure.NETWORK and last is not None and (self._folder / last).is_dir():
                return last, f"{self._url} cannot be reached ({error.words}); this is the commit of the last time"
            raise CheckoutError(self._problem(error)) from None
        refs = source.listed(said)
        commit = source.pick(refs, ref)
        if commit is None:
            raise CheckoutError(self._unknown(ref, refs))
        if self._remembered().get(names) != commit:
            self._write("refs.json", json.dumps({**self._remembered(), names: commit}, indent=1))
        return commit, None

    def _fetch(self, commit: str, to: Path) -> None:
        """Bring the files of one commit. Only what is complete gets its name."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder, prefix="new-") as place:
            work = Path(place) / "files"
            self._git("init", "--quiet", str(work))
            self._git("remote", "add", "origin", self._url, where=work)
            try:
                self._git("fetch", "--quiet", "--depth=1", "--no-tags", "origin", commit, where=work)
            except _GitError as error:
                if error.why is not Failure.UNKNOWN:
                    raise
                # Some servers give branches and tags alone, and some no part of a history.
                self._git("fetch", "--quiet", "origin", "+refs/*:refs/all/*", where=work)
            self._git("checkout", "--quiet", "--detach", commit, where=work)
            if (work / ".gitmodules").is_file():
                self._git("submodule", "--quiet", "update", "--init", "--recursive", "--depth=1", where=work)
            for each in [*work.rglob(".git")]:
                shutil.rmtree(each) if each.is_dir() else each.unlink()
            try:
                work.rename(to)
            except OSError:
                if not to.is_dir():  # else another process was as far at the same time
                    raise

    def _git(self, *arguments: str, where: Path | None = None) -> str:
        seconds = LIST_SECONDS if arguments[0] == "ls-remote" else FETCH_SECONDS
        try:
            done = subprocess.run(
                ["git", *arguments],
                cwd=where or self._folder.parent.parent.parent,
                env=self._environ(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=seconds,
                check=False,
            )
        except FileNotFoundError:
            raise CheckoutError(
                Problem(
                    key=full_key(_SOURCE),
                    found=f'"{self._url}", and no program git on this machine',
                    allowed="git, or the project in a folder",
                    mend="sudo apt-get install git",
                )
            ) from None
        except subprocess.TimeoutExpired:
            msg = f"fatal: no answer within {seconds} s"
            raise _GitError(msg) from None
        if done.returncode:
            raise _GitError(done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace")

    def _environ(self) -> Mapping[str, str]:
        """Give git its environment: nobody is asked for a password, and nothing of another repository counts."""
        if self._environment is None:
            ours = {
                "GIT_DIR",
                "GIT_WORK_TREE",
                "GIT_INDEX_FILE",
                "GIT_PREFIX",
                "GIT_COMMON_DIR",
                "GIT_OBJECT_DIRECTORY",
            }
            options = {"core.autocrlf": "false", "advice.detachedHead": "false"}
            machine = source.host(self._url)
            text = self._netrc() if machine and self._url.startswith("http") else None
            header = source.login(text, machine) if text and machine else None
            if header:
                scheme = self._url.partition("://")[0]
                address = self._url.partition("://")[2].partition("/")[0]
                options[f"http.{scheme}://{address}/.extraHeader"] = header
            given = int(os.environ.get("GIT_CONFIG_COUNT") or 0)  # whoever runs it may say something there too
            self._environment = {
                **{name: value for name, value in os.environ.items() if name not in ours},
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes -o ConnectTimeout=20"),
                "LC_ALL": "C",
                "GIT_CONFIG_COUNT": str(given + len(options)),
                **{f"GIT_CONFIG_KEY_{number}": key for number, key in enumerate(options, given)},
                **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(options.values(), given)},
            }
        return self._environment

    def _remembered(self) -> dict[str, str]:
        """Give the commit that each name meant the last time."""
        try:
            found = json.loads((self._folder / "refs.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, name: str, text: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f"{name}.{os.getpid()}"
        draft.write_text(text, encoding="utf-8")
        draft.replace(self._folder / name)

    def _tidy(self) -> None:
        """Delete commits that were not used for a long time."""
        before = time.time() - KEPT_DAYS * 86400
        for each in self._folder.iterdir():
            if each.is_dir() and each.stat().st_mtime < before:
                shutil.rmtree(each, ignore_errors=True)

    def _problem(self, error: _GitError) -> Problem:
        if error.why is not Failure.ACCESS:
            return Problem(
                key=full_key(_SOURCE),
                found=f'"{self._url}", which cannot be reached: {error.words}',
                allowed="a repository that answers, or slipway:app.ref with a commit that was deployed from here before",
                mend=f"git ls-remote {self._url}   # until it answers",
            )
        by_http = self._url.startswith("http")
        return Problem(
            key=full_key(_SOURCE),
            found=f'"{self._url}", which is no repository, or does not let this machine in: {error.words}',
            allowed="a repository that this machine may read"
            + (
                ", with credentials in the secret netrc"
                if by_http
                else ", with a key in the SSH agent, and a host that its known_hosts names"
            ),
            mend=f"pulumi config set --secret secrets:netrc --stack {self._stack} "
            f"'machine {source.host(self._url)} login USER password TOKEN'"
            if by_http
            else f"git ls-remote {self._url}   # until it answers",
        )

    def _unknown(self, ref: str | None, refs: Mapping[str, str]) -> Problem:
        others = source.near(refs, ref or "main")
        there = f"; there is {', '.join(others)}" if others else ""
        return Problem(
            key=full_key(_REF),
            found=f"{show(ref)}, which is no branch, tag or commit of {self._url}"
            if ref
            else f"nothing, and {self._url} has no branch that is its first",
            allowed=f"a branch, a tag, or all digits of a commit{there}",
            mend=config_set(_REF, others[0] if others else "main", self._stack),
        )
