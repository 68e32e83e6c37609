"""The SSH agent of whoever runs Pulumi, for builds that fetch dependencies from git by SSH.

This module owns finding it, asking how many keys it has, and giving the builder a path to it that never changes: the
path is part of the state, and that of an agent is another one each day. It reads no key; an agent gives none away.
"""

import os
import socket
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from components.model import Settings
from components.problems import Problem, full_key

VARIABLE = "SSH_AUTH_SOCK"
"""Names the socket of the agent, as ssh has it."""

ANSWER_SECONDS = 10
"""The longest that an agent may take to list its keys."""

_PORT = "22"
_KEY = full_key(("dependencies", "ssh_hosts"))
_LIST, _LISTED = b"\0\0\0\x01\x0b", 12
"""The question for the keys, and the kind of the answer: draft-ietf-sshm-ssh-agent."""


def problem(settings: Settings, environ: Mapping[str, str] = os.environ) -> Problem | None:
    """Say why a build cannot use the agent; None where it can, or needs none."""
    if not settings.dependencies.ssh_hosts or settings.promoted.image is not None:
        return None
    path = environ.get(VARIABLE)
    if not path:
        return _problem(f"hosts that the build reaches by SSH, and no SSH agent: {VARIABLE} is not set")
    try:
        count = keys(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return _problem(f"hosts that the build reaches by SSH, and no SSH agent at {path} ({VARIABLE}): {why}")
    if not count:
        return Problem(
            key=_KEY,
            found=f"hosts that the build reaches by SSH, and an SSH agent without a key: {path} ({VARIABLE})",
            allowed="an agent with a key that may read the repositories",
            mend="ssh-add PATH_OF_THE_KEY   # ssh-add -l lists what the agent has",
        )
    return None


def _problem(found: str) -> Problem:
    return Problem(
        key=_KEY,
        found=found,
        allowed="a running agent with a key that may read the repositories",
        mend='eval "$(ssh-agent)" && ssh-add PATH_OF_THE_KEY',
    )


def keys(path: str) -> int:
    """Ask an agent how many keys it has.

    Raises:
        OSError: if nobody answers there.
        ValueError: if what answers is no agent.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
        asked.settimeout(ANSWER_SECONDS)
        asked.connect(path)
        asked.sendall(_LIST)
        with asked.makefile("rb") as answer:
            said = answer.read(9)
    if len(said) < 9 or said[4] != _LISTED:  # noqa: PLR2004 - length, kind and count
        msg = "what answers is no SSH agent"
        raise ValueError(msg)
    return int.from_bytes(said[5:])


def scan(hosts: Iterable[tuple[str, str | None]], stack: str) -> str:
    """Give the command that takes the keys that hosts show now for theirs; each is a name, and a port where it has one."""
    asked = "; ".join(
        f"ssh-keyscan {f'-p {port} ' if port and port != _PORT else ''}{host}" for host, port in dict.fromkeys(hosts)
    )
    return (
        f'pulumi config set --path slipway:dependencies.ssh_hosts "$({asked})" --stack {stack}'
        "   # beside what is there; first compare it with what the owner of the host says"
    )


def place(stack: str, root: Path, environ: Mapping[str, str] = os.environ) -> str:
    """Make the path by which the builder finds the agent, and give it relative to the repository.

    Without an agent it is a socket that nobody answers at: the plugin looks whether there is one also where nothing is
    built, as in a preview.
    """
    path = Path(".slipway/build") / stack / "ssh-agent"
    link = root / path
    link.parent.mkdir(parents=True, exist_ok=True)
    found = environ.get(VARIABLE)
    if found and _is_socket(Path(found)):
        draft = link.with_suffix(f".{os.getpid()}")
        draft.unlink(missing_ok=True)
        draft.symlink_to(Path(found).absolute())
        draft.replace(link)
    elif not _is_socket(link):
        link.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as nobody:
            nobody.bind(os.path.relpath(link))  # a whole path may be longer than a socket's may be
    return path.as_posix()


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False
