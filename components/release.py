"""The identity of a release: a hash over everything that goes into its image, known before anything is built.

This module owns the identity, and with it the tag of the image and its labels. It reads the project and builds nothing.

What counts: of each file that is not ignored its path, its content and whether it can be executed; the targets of
symbolic links; the text of the Dockerfile and of the .dockerignore. What does not: times, owners, other permissions,
empty folders, the order of a folder, and the machine. So the same tree has the same identity everywhere.

Version control does not count either for a folder of this machine, not even for the labels. A commit differs where nothing that runs does: after
committing what is deployed already, after a rebase, in a shallow clone. With it in a label, each of these would replace
every container. ``revision`` is the identity; the commit of each update is in ``pulumi stack history``.
A project that is named as a commit of a git repository is that commit: there it is the ``revision``, and another one is
another release, as whoever moved a branch expects.
``created`` is fixed, as reproducible builds want it, since the time of a build says nothing about what was built.
"""

import hashlib
import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from components import assets, checkout, dependencies, dockerfile
from components.ignore import ContextError, Rules, unreadable
from components.model import Settings
from components.project import source_folder
from components.settings import ROOT

DIGITS = 12
"""Hexadecimal digits of an identity."""

LIMIT_MB = 100
"""A project larger than this, in MB, holds something that does not belong into an image."""

CREATED = "1970-01-01T00:00:00Z"
"""What ``org.opencontainers.image.created`` says: fixed, so that the same content gives the same image."""

_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Release:
    """Everything that an image is built from."""

    identity: str
    """12 hexadecimal digits. The tag of the image."""
    source: Path
    """The project's root, the context of the build."""
    dockerfile: str
    """Text of the Dockerfile."""
    ignore: str
    """Text of the .dockerignore, to be written beside the Dockerfile as ``Dockerfile.dockerignore``."""
    labels: dict[str, str]
    """Labels of the image, by their OCI names."""
    commit: str | None = None
    """The commit of a project in a git repository."""


def plan(settings: Settings, root: Path = ROOT) -> Release:
    """Find out what would be built now.

    Args:
        settings: the project and how it is built.
        root: where a relative ``app.source`` starts.

    Raises:
        ContextError: if the project cannot become an image.
    """
    app = settings.app
    source = source_folder(app, root)
    found = checkout.of(app, root)
    commit = found.commit if found else None
    ignore_file = ".dockerignore"
    if app.dockerfile is None:
        needed = dependencies.find(app, settings.dependencies, source)
        text = dockerfile.text(settings, needed, assets.find(settings.assets, source))
    else:
        text = _read(source / app.dockerfile)
        if (source / f"{app.dockerfile}.dockerignore").is_file():
            ignore_file = f"{app.dockerfile}.dockerignore"
    own = _read(source / ignore_file) if (source / ignore_file).is_file() else None
    ignore = dockerfile.ignore_text(settings, own)
    name = identity(source, text, ignore, commit)
    return Release(
        identity=name,
        source=source,
        dockerfile=text,
        ignore=ignore,
        labels=_labels(settings, name, commit),
        commit=commit,
    )


def identity(source: Path, dockerfile_text: str, ignore: str, commit: str | None = None) -> str:
    """Hash everything that goes into an image, which its labels are part of.

    Raises:
        ContextError: if a file cannot be read, or there is too much of it.
    """
    files = sorted((os.path.relpath(entry.path, source), entry) for entry in Rules(ignore).files(source))
    _refuse_too_much(source, files, committed=commit is not None)
    whole = hashlib.sha256()
    for part in (dockerfile_text, ignore, *([commit] if commit else [])):
        whole.update(hashlib.sha256(part.encode()).digest())
    for path, entry in files:
        kind, content = _content(entry)
        whole.update(kind + os.fsencode(path) + b"\0" + hashlib.sha256(content).digest())
    return whole.hexdigest()[:DIGITS]


def _content(entry: os.DirEntry[str]) -> tuple[bytes, bytes]:
    try:
        if entry.is_symlink():
            return b"link ", os.fsencode(Path(entry.path).readlink())
        kind = b"program " if entry.stat().st_mode & 0o111 else b"file "
        return kind, Path(entry.path).read_bytes()
    except OSError as error:
        raise unreadable(entry.path, error) from None


def _refuse_too_much(source: Path, files: list[tuple[str, os.DirEntry[str]]], *, committed: bool) -> None:
    sizes = {path: entry.stat(follow_symlinks=False).st_size for path, entry in files}
    total = sum(sizes.values())
    if total <= LIMIT_MB * 1_000_000:
        return
    entries: dict[str, int] = defaultdict(int)
    for path, size in sizes.items():
        first, slash, _ = path.partition("/")
        entries[first + slash] += size
    largest = sorted(entries.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]
    listed = ", ".join(f"{name} ({size / 1_000_000:.1f} MB)" for name, size in largest)
    raise ContextError(
        f"{source} has {total / 1_000_000:.1f} MB of files for the image; the largest: {listed}\n"
        f"  allowed: {LIMIT_MB} MB; code, templates and static files are seldom more than 10\n"
        f"  mend:    echo '{largest[0][0]}' >> {'.dockerignore' if committed else source / '.dockerignore'}"
        f"{' in the repository' if committed else ''}, for what the image does not need"
    )


def _labels(settings: Settings, name: str, commit: str | None) -> dict[str, str]:
    source = Path(settings.app.source)
    return {
        "org.opencontainers.image.title": settings.app.name,
        "org.opencontainers.image.revision": commit or name,
        "org.opencontainers.image.created": CREATED,
        # Where it lies on this machine is nobody's business.
        "org.opencontainers.image.source": settings.app.source
        if commit
        else source.name
        if source.is_absolute()
        else source.as_posix(),
    }


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise unreadable(str(file), error) from None
