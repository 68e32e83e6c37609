"""The cgroups of the cluster's pods: one folder of our own in each hierarchy, so that no other kubelet's are meant.

The kernel has one tree of them (version 2) or one for each controller (version 1); this module knows both.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from tools.airgap.cluster import place

MOUNT = Path("/sys/fs/cgroup")
REMOVE_SECONDS = 5.0
CONTROLLERS = ("cpuset", "cpu", "io", "memory", "pids")


def name() -> str:
    """What the folder is called: another one for each cache, as there may be a cluster in each."""
    return f"slipway-{hashlib.sha256(os.fsencode(place.root())).hexdigest()[:8]}"


def ensure() -> None:
    """Make the folders, which the kubelet expects to be there."""
    for hierarchy in _hierarchies():
        folder = hierarchy / name()
        folder.mkdir(exist_ok=True)
        for part in ("cpuset.cpus", "cpuset.mems"):  # version 1 gives a new folder none, and then no process may enter
            with contextlib.suppress(OSError):
                if not (folder / part).read_text().strip():
                    (folder / part).write_text((hierarchy / part).read_text())
        for controller in CONTROLLERS:  # version 2 gives a folder only the controllers that its parent hands down
            with contextlib.suppress(OSError), (hierarchy / "cgroup.subtree_control").open("r+") as file:
                file.write(f"+{controller}")


def folders() -> list[Path]:
    """Give those that are there."""
    return [hierarchy / name() for hierarchy in _hierarchies() if (hierarchy / name()).is_dir()]


def members() -> Iterator[int]:
    """Give every process in them."""
    for folder in folders():
        for file in folder.rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                yield from (int(line) for line in file.read_text().split())


def remove() -> None:
    """Remove them, once nothing runs in them."""
    deadline = time.monotonic() + REMOVE_SECONDS
    while (found := folders()) and time.monotonic() < deadline:
        for each in found:
            for folder, _, _ in os.walk(each, topdown=False):
                with contextlib.suppress(OSError):  # a process that ends still counts for a moment
                    Path(folder).rmdir()
        time.sleep(0.05)


def _hierarchies() -> list[Path]:
    """Where they are mounted."""
    if (MOUNT / "cgroup.controllers").exists():
        return [MOUNT]
    return sorted({path.parent.resolve() for path in MOUNT.glob("*/cgroup.procs")})
