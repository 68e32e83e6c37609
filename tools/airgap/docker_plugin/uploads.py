"""Uploads: files that are in a container before it starts, sent through Docker's archive API."""

import base64
import io
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from tools.airgap.docker_plugin.daemon import Daemon
from tools.airgap.plugin.errors import PluginError

_SOURCES: Final = ("content", "contentBase64", "source")


def archives(uploads: list[dict[str, Any]], volumes: list[str]) -> list[tuple[str, bytes]]:
    """Return each upload as a directory of the container and the archive to unpack there. Reads `source` files.

    A file in a volume is unpacked at the volume and everything else at /, because Docker takes an archive for a
    container with a read-only root only where the directory itself lies in a volume.
    """
    result = []
    for upload in uploads:
        path = PurePosixPath(upload["file"])
        within = [PurePosixPath(volume) for volume in volumes if path.is_relative_to(volume)]
        base = max(within, key=lambda volume: len(volume.parts), default=PurePosixPath("/"))
        entry = tarfile.TarInfo(str(path.relative_to(base)))
        data = _content(upload)
        entry.size = len(data)
        entry.mtime = int(time.time())
        entry.mode = int(upload.get("permissions") or ("0744" if upload.get("executable") else "0644"), 8)
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            archive.addfile(entry, io.BytesIO(data))
        result.append((str(base), buffer.getvalue()))
    return result


def send(daemon: Daemon, container: str, inputs: Mapping[str, Any]) -> None:
    """Put the uploads of a container's inputs into it."""
    volumes = [entry["containerPath"] for entry in inputs.get("volumes") or []]
    volumes += [mount["target"] for mount in inputs.get("mounts") or [] if mount["type"] != "tmpfs"]
    for (directory, archive), upload in zip(
        archives(inputs.get("uploads") or [], volumes), inputs.get("uploads") or [], strict=True
    ):
        with daemon.explained(f"cannot upload {upload['file']}"):
            daemon.client.put_archive(container, directory, archive)


def _content(upload: Mapping[str, Any]) -> bytes:
    given = [key for key in _SOURCES if upload.get(key)]
    if len(given) != 1:
        found = " and ".join(given) if given else "none of them"
        raise PluginError(
            f"upload {upload['file']}: exactly one of content, contentBase64 and source must be set and not be empty; "
            f"found {found}"
        )
    if upload.get("content"):
        return str(upload["content"]).encode()
    if upload.get("contentBase64"):
        try:
            return base64.b64decode(upload["contentBase64"], validate=True)
        except ValueError as error:
            raise PluginError(f"upload {upload['file']}: contentBase64 is not base64") from error
    try:
        return Path(upload["source"]).read_bytes()
    except OSError as error:
        raise PluginError(
            f"upload {upload['file']}: cannot read source {upload['source']}: {error.strerror}"
        ) from error
