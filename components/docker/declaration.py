"""What is declared of a container, one text for each property, and a hash of it that the container carries as a label.

Pure. The properties have names for people, and two places are described alike when they mean the same: the inputs that
the plugin was given (here) and what the daemon tells (``pipeline/host/found.py``). What is the daemon's default is left out.

The plugin reads little of a container back, and after a refresh the state holds what was found instead of what was
declared. The hash holds on to that. It leaves out what the plugin changes in a container that runs, since another label
is another container, and the image, which has an identity of its own.
"""

import hashlib
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from components.labels import DECLARED
from components.tokens import encrypted

DIGITS = 16
"""Hexadecimal digits of the hash."""

IMAGE, MEMORY, SWAP, RESTART = "image", "memory", "memory with swap", "restart policy"
_UNRECORDED = frozenset({IMAGE, MEMORY, SWAP, RESTART, f"label {DECLARED}"})
MIB = 1024 * 1024
DEFAULT_SHM = 64 * MIB
"""What Docker gives as /dev/shm, in bytes."""

_PART = re.compile(r"([\d.]+)(h|ms|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """Hash what is declared: 16 hexadecimal digits."""
    recorded = {name: value for name, value in describe(inputs).items() if name not in _UNRECORDED}
    return hashlib.sha256(json.dumps(recorded, sort_keys=True).encode()).hexdigest()[:DIGITS]


def describe(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Give each property that inputs of the plugin declare. What is encrypted in them is left out."""
    given = {name: value for name, value in inputs.items() if value is not None and not encrypted(value)}
    found: dict[str, str] = {}
    for name, key in ((IMAGE, "image"), ("user", "user"), ("hostname", "hostname"), ("stop signal", "stopSignal")):
        if given.get(key):
            found[name] = str(given[key])
    for name, key in (("command", "command"), ("entrypoint", "entrypoints")):
        if given.get(key):
            found[name] = shlex.join(map(str, given[key]))
    found |= variables(given.get("envs") or [])
    found |= {f"label {each['label']}": str(each["value"]) for each in given.get("labels") or []}
    found |= _rights(given)
    found |= _limits(given)
    found |= _health(given.get("healthcheck") or {})
    for each in given.get("mounts") or []:
        found |= _mount(each)
    for each in given.get("ports") or []:
        found[port(f"{whole(each['internal'])}/{each.get('protocol') or 'tcp'}")] = (
            f"{each.get('ip')}:{whole(each['external'])}"
        )
    networks = {each["name"]: each.get("aliases") or [] for each in given.get("networksAdvanced") or []}
    # The daemon's own network is what the plugin names where it joins others later.
    for name, aliases in (networks or {given.get("networkMode") or "bridge": []}).items():
        found[network(name)] = joined(aliases)
    return found


YES = "yes"


def joined(aliases: Sequence[str]) -> str:
    """Describe how a network was joined: with the names that the container has there beside its own."""
    return f"joined as {', '.join(sorted(aliases))}" if aliases else "joined"


def variables(pairs: Sequence[str]) -> dict[str, str]:
    """Name the variables of an environment, ``NAME=value`` each."""
    split = (pair.partition("=") for pair in pairs)
    return {f"environment {name}": value for name, _, value in split}


def network(name: str) -> str:
    """Name a network."""
    return f"network {name}"


def port(internal: str) -> str:
    """Name a published port."""
    return f"port {internal}"


def volume(source: object, *, writable: bool) -> str:
    """Describe a mounted volume."""
    return f"volume {source}, {'writable' if writable else 'read-only'}"


def memory_folder(size: object, mode: object) -> str:
    """Describe what is mounted in memory: bytes, and the mode as a number."""
    return f"{mib(whole(size))} in memory, mode {whole(mode):o}"


def whole(value: object) -> int:
    """Read a whole number, which the engine may give with a point."""
    return int(float(str(value or 0)))


def mib(size: int) -> str:
    """Write a size in bytes."""
    return f"{size / MIB:g} MiB"


def seconds(duration: object) -> str:
    """Write a duration as the plugin gives it, such as ``1m0s``."""
    total = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(str(duration)))
    return f"{total:g} s"


def capabilities(names: Sequence[str] | None) -> str:
    """Write rights of root, whichever way they are spelled."""
    return ", ".join(sorted(name.removeprefix("CAP_") for name in names or []))


def _rights(given: Mapping[str, Any]) -> dict[str, str]:
    rights = given.get("capabilities") or {}
    pairs = {
        "read-only root": YES if given.get("readOnly") else "",
        "init": YES if given.get("init") else "",
        "capabilities dropped": capabilities(rights.get("drops")),
        "capabilities added": capabilities(rights.get("adds")),
        "security options": ", ".join(sorted(given.get("securityOpts") or [])),
        "log driver": given.get("logDriver") or "",
        **{f"log option {name}": value for name, value in (given.get("logOpts") or {}).items()},
    }
    return {name: str(value) for name, value in pairs.items() if value}


def _limits(given: Mapping[str, Any]) -> dict[str, str]:
    shm = whole(given.get("shmSize")) * MIB
    restart = str(given.get("restart") or "no")
    pairs = {
        MEMORY: mib(whole(given["memory"]) * MIB) if given.get("memory") else "",
        SWAP: mib(whole(given["memorySwap"]) * MIB) if given.get("memorySwap") else "",
        "CPUs": f"{float(given['cpus']):g}" if given.get("cpus") else "",
        "shared memory": mib(shm) if shm not in (0, DEFAULT_SHM) else "",
        RESTART: restart if restart != "no" else "",
    }
    return {name: value for name, value in pairs.items() if value}


def _health(check: Mapping[str, Any]) -> dict[str, str]:
    if not check:
        return {}
    return {
        "health check": shlex.join(map(str, check["tests"])),
        "health check interval": seconds(check.get("interval") or "0s"),
        "health check timeout": seconds(check.get("timeout") or "0s"),
        "health check start period": seconds(check.get("startPeriod") or "0s"),
        "health check retries": str(whole(check.get("retries"))),
    }


def _mount(each: Mapping[str, Any]) -> dict[str, str]:
    name = f"mount {each['target']}"
    if each["type"] == "tmpfs":
        options = each.get("tmpfsOptions") or {}
        return {name: memory_folder(options.get("sizeBytes"), options.get("mode"))}
    return {name: volume(each.get("source"), writable=not each.get("readOnly"))}
