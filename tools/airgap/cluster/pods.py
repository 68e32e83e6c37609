"""The pods that containerd runs, and ending them all: through containerd, and by force where it is gone.

It speaks two calls of the container runtime's interface by hand, so that no generated code is needed.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from tools.airgap.cluster import cgroups, place

SERVICE = "/runtime.v1.RuntimeService"
CALL_SECONDS = 30.0
GONE_SECONDS = 5.0
AT_ONCE = 8
RESULTS = Path("/var/lib/cni/results")

_VARINT_END = 0x80
_BYTES = 2  # the wire type of texts and messages


def remove_all() -> None:
    """Stop and remove every pod, each with its network."""
    with grpc.insecure_channel(f"unix://{place.containerd_socket()}") as channel:
        found = _fields(_call(channel, "ListPodSandbox", b""), 1)
        identities = [_fields(sandbox, 1)[0].decode() for sandbox in found]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda identity: _remove(channel, identity), identities))


def _remove(channel: grpc.Channel, identity: str) -> None:
    for method in ("StopPodSandbox", "RemovePodSandbox"):
        with contextlib.suppress(grpc.RpcError):  # what it cannot do is done by force
            _call(channel, method, _text(1, identity))


def _call(channel: grpc.Channel, method: str, request: bytes) -> bytes:
    answer: bytes = channel.unary_unary(f"{SERVICE}/{method}", bytes, bytes)(request, timeout=CALL_SECONDS)
    return answer


def _text(number: int, value: str) -> bytes:
    data = value.encode()
    return bytes([number << 3 | _BYTES]) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    encoded = b""
    while value >= _VARINT_END:
        encoded += bytes([value & 0x7F | _VARINT_END])
        value >>= 7
    return encoded + bytes([value])


def _fields(message: bytes, wanted: int) -> list[bytes]:
    """Take the texts or messages of one number out of a message."""
    found, at = [], 0
    while at < len(message):
        tag, at = _read(message, at)
        if tag & 7 == _BYTES:
            length, at = _read(message, at)
            if tag >> 3 == wanted:
                found.append(message[at : at + length])
            at += length
        elif tag & 7 == 0:
            _, at = _read(message, at)
        else:
            at += {1: 8, 5: 4}[tag & 7]
    return found


def _read(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < _VARINT_END:
            return value, at


# --- by force -------------------------------------------------------------------------------------------------------


def kill_rest() -> None:
    """End what is left of pods: the processes in their cgroups, and containerd's helpers that watched them."""
    deadline = time.monotonic() + GONE_SECONDS
    while (left := {*cgroups.members(), *_shims()}) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _shims() -> Iterator[int]:
    wanted = str(place.containerd_socket()).encode()
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = file.read_bytes().split(b"\0")
            if words[0].rpartition(b"/")[2].startswith(b"containerd-shim") and wanted in words:
                yield int(file.parent.name)


def networks() -> list[Path]:
    """Find the network namespaces of our pods, as the CNI plugins have noted them."""
    found = {space for file in RESULTS.glob(f"{place.CONTEXT}-*") for space in _spaces(file)}
    return sorted(path for path in found if path.parent in (Path("/run/netns"), Path("/var/run/netns")))


def stale() -> list[Path]:
    """Find the notes of the CNI plugins about our pods, and those about namespaces that are gone: nobody removes them."""
    ours = set(RESULTS.glob(f"{place.CONTEXT}-*"))
    gone = {file for file in RESULTS.glob("*") if (spaces := _spaces(file)) and not any(map(Path.exists, spaces))}
    return sorted(ours | gone)


def sockets() -> list[Path]:
    """Find the sockets of containerd's helpers, which lie outside of our folder and stay when one is killed."""
    bundles = (place.run() / "containerd").glob("io.containerd.runtime.v2.task/*/*/address")
    return sorted({Path(file.read_text().strip().removeprefix("unix://")) for file in bundles})


def _spaces(file: Path) -> list[Path]:
    with contextlib.suppress(OSError, ValueError, KeyError):
        interfaces = json.loads(file.read_text())["result"].get("interfaces", [])
        return [Path(each["sandbox"]) for each in interfaces if each.get("sandbox")]
    return []
