"""Where a project's files come from: a folder of this machine, or a commit of a git repository. Pure.

This module reads addresses, what a repository lists, and what git says when it fails. Running git, and keeping what it
brings, is done in ``components/checkout.py``.
"""

import base64
import hashlib
import posixpath
import re
from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum
from urllib.parse import urlsplit

_SHORT = re.compile(r"[\w.-]+@(?P<host>[\w.-]+):(?P<path>.+)")
"""What ssh and git understand without a scheme: USER@HOST:PATH."""

_HASH = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_LEAST_DIGITS = 7
_NEAR = 5


class Failure(StrEnum):
    """Why git could not do something."""

    ACCESS = "access"
    """The repository is not there for whoever asks, which is the same as not being there."""
    UNKNOWN = "unknown"
    """It has no such commit."""
    NETWORK = "network"
    """It was not reached."""


_ACCESS = re.compile(
    r"Authentication failed|could not read Username|could not read Password|Permission denied|Repository not found"
    r"|returned error: 40[134]|[Nn]ot a git repository|does not appear to be a git repository|dubious ownership"
    r"|Host key verification failed|not found: did you run git update-server-info|repository '[^']*' not found"
    r"|access denied or repository not exported|terminal prompts disabled|repository does not exist"
)
_UNKNOWN = re.compile(
    r"not our ref|couldn't find remote ref|unadvertised object|reference is not a tree|bad object"
    r"|does not support shallow|unable to read tree|not a valid object"
)


def is_remote(source: str) -> bool:
    """Whether a source is the address of a git repository, and no folder."""
    return re.match(r"(https?|ssh|git|file)://", source) is not None or _SHORT.fullmatch(source) is not None


def has_password(source: str) -> bool:
    """Whether an address holds what nobody may read in a stack's file."""
    found = re.match(r"(\w+)://([^/@]*)@", source)
    return found is not None and (found[1] != "ssh" or ":" in found[2])


def is_commit(ref: str) -> bool:
    """Whether it names a commit for good: all digits of its hash."""
    return _HASH.fullmatch(ref) is not None


def host(url: str) -> str | None:
    """Give the host that an address is asked at; None for a folder of this machine."""
    short = _SHORT.fullmatch(url)
    return short["host"] if short else urlsplit(url).hostname


def name(url: str) -> str:
    """Give the name of a repository: the end of its address."""
    short = _SHORT.fullmatch(url)
    path = short["path"] if short else urlsplit(url).path
    return posixpath.basename(path.rstrip("/")).removesuffix(".git")


def folder(url: str) -> str:
    """Name the folder that keeps what came from a repository."""
    slug = re.sub(r"[^a-z0-9]+", "-", name(url).lower()).strip("-")[:40]
    return f"{slug or 'repository'}-{hashlib.sha256(url.encode()).hexdigest()[:10]}"


def listed(text: str) -> dict[str, str]:
    """Read what ``git ls-remote`` says: the commit of each branch and tag. Of a tag with a text, that of the commit."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        commit, _, ref = line.partition("\t")
        if ref.endswith("^{}") or ref not in found:
            found[ref.removesuffix("^{}")] = commit
    return found


def pick(refs: Mapping[str, str], ref: str | None) -> str | None:
    """Find the commit that a name means, as git does: a tag before a branch; the beginning of a hash, if it is one of those."""
    if ref is None:
        return refs.get("HEAD")
    for full in (f"refs/tags/{ref}", f"refs/heads/{ref}", ref):
        if full in refs:
            return refs[full]
    if re.fullmatch(rf"[0-9a-f]{{{_LEAST_DIGITS},}}", ref):
        begun = {commit for commit in refs.values() if commit.startswith(ref)}
        return begun.pop() if len(begun) == 1 else None
    return None


def near(refs: Mapping[str, str], ref: str) -> list[str]:
    """Name branches and tags that may have been meant, the nearest first."""
    names = [re.sub("^refs/(heads|tags)/", "", full) for full in refs if full.startswith(("refs/heads/", "refs/tags/"))]
    return list(dict.fromkeys([*get_close_matches(ref, names, 2), *names]))[:_NEAR]


def failure(said: str) -> Failure:
    """Find out why git failed, from what it said."""
    if _UNKNOWN.search(said):
        return Failure.UNKNOWN
    return Failure.ACCESS if _ACCESS.search(said) else Failure.NETWORK


def words(said: str) -> str:
    """Give the line of git's answer that says why."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    why = [line for line in lines if line.startswith(("fatal:", "error:", "ssh:", "remote:"))]
    if why and why[-1].endswith("Could not read from remote repository."):  # ssh said more, just before
        why = lines[: lines.index(why[-1])][-1:] or why
    return re.sub(r"^\w+: ", "", [*lines, *why][-1]) if lines else "it said nothing"


def login(netrc: str, machine: str) -> str | None:
    """Find the credentials for a host in the text of a ``.netrc``, as a header of HTTP says them."""
    tokens = iter(netrc.split())
    entry: dict[str, str] = {}
    matches = False
    for key in tokens:
        if key in {"machine", "default"} and matches:
            break
        if key in {"machine", "login", "password", "account"}:
            value = next(tokens, "")
            matches = value == machine if key == "machine" else matches
            if key in {"login", "password"} and matches:
                entry[key] = value
    if not matches or "password" not in entry:
        return None
    pair = f"{entry.get('login', '')}:{entry['password']}"
    return f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}"
