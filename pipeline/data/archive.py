"""The file that holds the data of a stack: a tar with a dump of the database, the uploads, and what both are.

It owns the format. A file is written beside its name and gets it when it is complete, so that half a file is never taken
for a whole one. How big a part is, and its fingerprint, is known when it is over: its header is written then.
"""

import hashlib
import json
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from pipeline.console import problem

DATABASE, UPLOADS, MANIFEST = "database.dump", "uploads.tar", "manifest.json"
FORMAT = 1
CHUNK = 1 << 20
_MANIFEST_LIMIT = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the file."""

    bytes: int
    """Its size."""
    sha256: str
    """Its fingerprint."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a file holds, and where it comes from. Nothing in it is secret."""

    made: str
    """When, in UTC."""
    project: str
    """Name of the Django project."""
    stack: str
    """Name of the stack."""
    target: str
    """Where the stack ran."""
    release: str
    """The release that ran."""
    postgres: str
    """Version of the server that the database comes from."""
    uploads: int
    """How many files were uploaded."""
    parts: Mapping[str, Part]
    """Each part by its name in the file."""

    @property
    def source(self) -> str:
        """Where it comes from, in words."""
        return f"{self.project}-{self.stack} ({self.target}), release {self.release}, of {self.made}"


class Writer:
    """Writes the parts of a new file, one after the other."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.parts: dict[str, Part] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[Callable[[bytes], None]]:
        """Give what takes the pieces of a part."""
        begin = self._file.tell()
        self._file.write(bytes(tarfile.BLOCKSIZE))
        digest, size = hashlib.sha256(), 0

        def write(piece: bytes) -> None:
            nonlocal size
            try:
                self._file.write(piece)
            except OSError as error:  # said here: to whoever gives the pieces, it would look like an error of theirs
                raise problem(
                    f"{self._file.name} cannot be written: {error.strerror}", mend=f"df {self._file.name}"
                ) from None
            digest.update(piece)
            size += len(piece)

        yield write
        self._file.write(bytes(-size % tarfile.BLOCKSIZE))
        self._header(begin, name, size)
        self.parts[name] = Part(bytes=size, sha256=digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest and the end."""
        text = json.dumps({"format": FORMAT, **asdict(manifest)}, indent=2, sort_keys=True).encode() + b"\n"
        with self.part(MANIFEST) as write:
            write(text)
        self._file.write(bytes(2 * tarfile.BLOCKSIZE))

    def _header(self, at: int, name: str, size: int) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        end = self._file.tell()
        self._file.seek(at)
        self._file.write(info.tobuf(tarfile.GNU_FORMAT))  # one block, however big the part is
        self._file.seek(end)


@contextmanager
def create(path: Path) -> Iterator[Writer]:
    """Write a new file that only its owner can read; it is there when all of it is."""
    if path.exists():
        raise problem(f"--to {path}: there is such a file already", mend=f"another name, or: rm {path}")
    part = path.with_name(f"{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise problem(
            f"--to {path}: cannot be written: {error.strerror}", allowed="a file in a folder that is there"
        ) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield Writer(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise problem(f"--to {path}: {error.strerror or error}", mend=f"df {path.parent}") from None
    finally:
        part.unlink(missing_ok=True)


class Reader:
    """Reads a file that is complete and unchanged."""

    def __init__(self, tar: tarfile.TarFile, manifest: Manifest) -> None:
        self._tar = tar
        self.manifest = manifest

    def pieces(self, name: str) -> Iterator[bytes]:
        """Give a part, piece by piece."""
        source = self._tar.extractfile(name)
        if source is not None:
            while piece := source.read(CHUNK):
                yield piece

    def check(self) -> None:
        """Insist that every part is what it was when it was written."""
        for name, part in self.manifest.parts.items():
            digest = hashlib.sha256()
            for piece in self.pieces(name):
                digest.update(piece)
            if digest.hexdigest() != part.sha256:
                raise _unusable(f"{name} is damaged")


@contextmanager
def read(path: Path) -> Iterator[Reader]:
    """Open a file, and insist that it is one of ours."""
    try:
        with tarfile.open(path, "r:") as tar:
            reader = Reader(tar, _manifest(tar))
            yield reader
    except FileNotFoundError:
        raise problem(
            f"--from {path}: there is no such file",
            allowed="a file made by `data dump`",
            mend=f"python -m pipeline data dump STACK --to {path}",
        ) from None
    except (tarfile.TarError, _UnusableError, EOFError) as error:
        raise problem(
            f"--from {path}: cannot be used: {error}",
            allowed="a file made by `data dump`, complete and unchanged",
            mend="copy the file again, or make it again: python -m pipeline data dump STACK --to FILE",
        ) from None
    except OSError as error:
        raise problem(f"--from {path}: cannot be read: {error.strerror or error}") from None


class _UnusableError(Exception):
    """The file is not what it should be."""


def _unusable(reason: str) -> _UnusableError:
    return _UnusableError(reason)


def _manifest(tar: tarfile.TarFile) -> Manifest:
    names = tar.getnames()
    if MANIFEST not in names:
        raise _unusable(f"it has no {MANIFEST}, so it is no dump or half of one")
    source = tar.extractfile(MANIFEST)
    text = source.read(_MANIFEST_LIMIT) if source is not None else b""
    try:
        content = json.loads(text)
        form = content.pop("format")
        parts = {name: Part(**part) for name, part in content.pop("parts").items()}
        manifest = Manifest(**content, parts=parts)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _unusable(f"its {MANIFEST} cannot be understood") from None
    if form != FORMAT:
        raise _unusable(f"its format is {form}, and this version of Slipway reads {FORMAT}")
    for name, part in manifest.parts.items():
        if name not in names or tar.getmember(name).size != part.bytes:
            raise _unusable(f"{name} is not complete")
    return manifest
