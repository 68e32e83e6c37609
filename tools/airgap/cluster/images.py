"""Images of the cluster's own programs, under their official names, in the registry of this machine.

An image holds one program and what it cannot do without. The node finds it there by its official name, as it finds
everything else (`texts.hosts`).
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.airgap import Say, cache_dir, registry
from tools.airgap.cluster import texts
from tools.airgap.images import archive
from tools.bootstrapping import golang, places
from tools.bootstrapping.golang import Tool
from tools.bootstrapping.report import Report

EPOCH = 1_700_000_000
"""Every file is of this moment: the same program makes the same image."""
NOBODY = "65532:65532"
FORMAT = "1"
"""Taken higher when images of the same programs come out differently."""


@dataclass(frozen=True)
class Image:
    """An image to be made.

    Attributes:
        reference: Its official name, in full: host, repository, tag.
        tool: The Go program in it.
        config: What its configuration says: entry point, user.
        fill: Puts further files into its root folder.
        contents: What ``fill`` puts there, as a text: a change makes the image anew.
    """

    reference: str
    tool: Tool
    config: Mapping[str, object]
    fill: Callable[[Path], None] | None = None
    contents: str = ""

    @property
    def repository(self) -> str:
        """Its name in the registry of this machine."""
        return self.reference.partition("/")[2].rpartition(":")[0]

    @property
    def tag(self) -> str:
        """Its tag."""
        return self.reference.rpartition(":")[2]


def simple(reference: str, tool: Tool, program: str, *, user: str = NOBODY) -> Image:
    """Describe an image that holds one program alone."""
    config = {"Entrypoint": [f"/{program}"], "User": user, "WorkingDir": "/", "Env": ["PATH=/"]}
    return Image(reference, tool, config)


PAUSE = simple(texts.PAUSE, golang.PAUSE, "pause", user="65535:65535")


def ensure(report: Report, image: Image) -> bool:
    """Have an image in the registry; whether it had to be made."""
    folder = golang.build(image.tool, report)
    recipe = [image.reference, folder.name, json.dumps(dict(image.config), sort_keys=True), image.contents, FORMAT]
    key = hashlib.sha256("\0".join(recipe).encode()).hexdigest()[:16]
    record = cache_dir() / "images" / f"cluster-{image.reference.replace('/', '_').replace(':', '_')}.json"
    if _known(record, key) is not None and _known(record, key) == _there(image):
        return False
    digest = _make(report.say, image, folder)
    places.write(record, json.dumps({"key": key, "digest": digest}))
    return True


def _make(say: Say, image: Image, folder: Path) -> str:
    say(f"packing {image.reference}")
    directory = cache_dir() / "images"
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cluster-", dir=directory) as name:
        work = Path(name)
        root = work / "root"
        root.mkdir(mode=0o755)
        for program in image.tool.packages:
            file = folder / program.rpartition("/")[2]
            shutil.copy2(file, root / file.name)
            (root / file.name).chmod(0o755)
        if image.fill is not None:
            image.fill(root)
        layer = archive.layer(root, work / "layer.tar.gz", EPOCH)
        config, manifest = archive.image((layer,), image.config, EPOCH, _architecture(), work)
        return registry.push(image.repository, (image.tag,), (layer.blob, config), manifest)


def _known(record: Path, key: str) -> str | None:
    try:
        known = json.loads(record.read_text())
    except (OSError, ValueError):
        return None
    return str(known["digest"]) if known.get("key") == key else None


def _there(image: Image) -> str | None:
    return registry.digests(((image.repository, image.tag),))[0]


def _architecture() -> str:
    machine = os.uname().machine
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
