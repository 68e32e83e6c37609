"""A directory as a layer, and layers as an image: tar, configuration and manifest, the same bytes for the same files.

It owns the formats (OCI's layer rules in Docker's media types). Where the files come from is not its business.
"""

import gzip
import hashlib
import io
import json
import os
import re
import stat
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.airgap.registry import MANIFEST, Blob

_OPAQUE = "trusted.overlay.opaque"
_COMPRESSION = 6

# What a machine leaves in a file system that has been worked in, but an image has no use for.
_LEFT_OUT = re.compile(
    r"(dev|proc|sys|tmp|mnt|run|debootstrap)/.*"
    r"|var/cache/(apt/.*|ldconfig/aux-cache|debconf/.*-old)"
    r"|var/(lib/apt/lists|log)/(?!nginx).*"
    r"|var/lib/dpkg/.*-old"
    r"|etc/(hostname|resolv\.conf|apt/auth\.conf(\.d/.*)?|.*slipway-build.*)"
    r"|root/\.(wget-hsts|cache.*)"
    r"|.*\.pyc",
)
_KEPT_IN_RUN = re.compile(r"run/(lock|postgresql)")


@dataclass(frozen=True)
class Layer:
    """One layer: the blob, and the digest of what it unpacks to."""

    blob: Blob
    diff_id: str


class _Hashed(io.RawIOBase):
    """A file that is hashed while it is written."""

    def __init__(self, inner: Any) -> None:  # noqa: ANN401 - a file or a GzipFile
        self._inner = inner
        self.sha = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        self.sha.update(data)
        self.size += len(data)
        self._inner.write(data)
        return len(data)

    @property
    def digest(self) -> str:
        return f"sha256:{self.sha.hexdigest()}"


def layer(root: Path, target: Path, epoch: int) -> Layer:
    """Pack a directory (an overlay's upper directory keeps its deletions). No file is younger than the epoch."""
    with target.open("wb") as file:
        packed = _Hashed(file)
        with gzip.GzipFile("", "wb", _COMPRESSION, packed, mtime=0) as compressed:
            unpacked = _Hashed(compressed)
            # dereference=False and inode tracking by tarfile: hard links stay links.
            with tarfile.open(fileobj=unpacked, mode="w|", format=tarfile.PAX_FORMAT, bufsize=1 << 20) as tar:
                for path in _walk(root, root):
                    _add(tar, root, path, epoch)
    return Layer(Blob(target, packed.digest, packed.size), unpacked.digest)


def image(
    layers: tuple[Layer, ...],
    config: Mapping[str, object],
    epoch: int,
    architecture: str,
    directory: Path,
) -> tuple[Blob, bytes]:
    """The configuration (as a blob) and the manifest of an image."""
    created = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    content = _json(
        {
            "architecture": architecture,
            "os": "linux",
            "created": created,
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [each.diff_id for each in layers]},
            "history": [{"created": created, "created_by": "slipway: from Debian packages"} for _ in layers],
        },
    )
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    path = directory / f"{digest.removeprefix('sha256:')}.json"
    path.write_bytes(content)
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": len(content),
                "digest": digest,
            },
            "layers": [
                {
                    "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                    "size": each.blob.size,
                    "digest": each.blob.digest,
                }
                for each in layers
            ],
        },
    )
    return Blob(path, digest, len(content)), manifest


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode()


def _walk(root: Path, directory: Path) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        name = str(path.relative_to(root))
        if _LEFT_OUT.fullmatch(name) and not _KEPT_IN_RUN.fullmatch(name):
            continue
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _walk(root, path)


def _add(tar: tarfile.TarFile, root: Path, path: Path, epoch: int) -> None:
    status = path.lstat()
    name = str(path.relative_to(root))
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:  # overlayfs: deleted here
        parent, _, base = name.rpartition("/")
        tar.addfile(_marker(f"{parent}/.wh.{base}".lstrip("/"), epoch))
        return
    if stat.S_ISSOCK(status.st_mode):
        return
    info = tar.gettarinfo(str(path), name)
    info.uname = info.gname = ""
    info.mtime = int(min(info.mtime, epoch))
    capability = _attribute(path, "security.capability")
    if capability is not None:
        info.pax_headers = {"SCHILY.xattr.security.capability": capability.decode(errors="surrogateescape")}
    if info.isreg():
        with path.open("rb") as content:
            tar.addfile(info, content)
    else:
        tar.addfile(info)
    if stat.S_ISDIR(status.st_mode) and _attribute(path, _OPAQUE) == b"y":
        tar.addfile(_marker(f"{name}/.wh..wh..opq", epoch))


def _marker(name: str, epoch: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mtime = epoch
    return info


def _attribute(path: Path, name: str) -> bytes | None:
    try:
        return os.getxattr(path, name, follow_symlinks=False)
    except OSError:
        return None
