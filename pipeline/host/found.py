"""What the daemon tells of a container, in the words of ``components/docker/declaration.py``, and what of it differs.

Pure: it reads what ``docker inspect`` gives of the container and of its image. What comes from the image, or is the
daemon's own choice, is no difference where nothing else was declared.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.docker import declaration as d
from components.labels import DECLARED

NOTHING = "nothing"

_DAEMONS = ("hostname", "stop signal", "log driver", "log option ")
"""What the daemon or the image chooses where nobody else does."""


def describe(container: Mapping[str, Any], image: Mapping[str, Any]) -> dict[str, str]:
    """Give each property of a container that is not the daemon's default."""
    config, host = container["Config"], container["HostConfig"]
    found = {d.IMAGE: str(container["Image"]), **_configured(config)}
    for name, value in (("hostname", config.get("Hostname")), ("stop signal", config.get("StopSignal"))):
        if value:
            found[name] = str(value)
    found |= _rights(host)
    found |= _limits(host)
    found |= _mounts(container, set((image.get("Config") or {}).get("Volumes") or {}))
    for internal, bound in (host.get("PortBindings") or {}).items():
        found[d.port(internal)] = ", ".join(f"{each.get('HostIp')}:{each.get('HostPort')}" for each in bound or [])
    for name, end in (container["NetworkSettings"].get("Networks") or {}).items():
        # Docker adds the beginning of the container's id.
        given = [each for each in end.get("Aliases") or [] if not str(container.get("Id", "")).startswith(each)]
        found[d.network(name)] = d.joined(given)
    return found


def of_image(image: Mapping[str, Any]) -> dict[str, str]:
    """Give what a container has from its image."""
    return _configured(image.get("Config") or {})


def _configured(config: Mapping[str, Any]) -> dict[str, str]:
    """Give what a container may have from its image, of the one or of the other."""
    found = d.variables(config.get("Env") or [])
    found |= {f"label {name}": value for name, value in (config.get("Labels") or {}).items()}
    found |= _health(config.get("Healthcheck") or {})
    for name, value in (
        ("user", config.get("User")),
        ("command", shlex.join(config.get("Cmd") or [])),
        ("entrypoint", shlex.join(config.get("Entrypoint") or [])),
    ):
        if value:
            found[name] = str(value)
    return found


def differences(
    declared: Mapping[str, str], found: Mapping[str, str], image: Mapping[str, str], skipped: Sequence[str] = ()
) -> Iterator[tuple[str, str, str]]:
    """Compare: the property, what was declared and what was found.

    Args:
        declared: what was declared of a container.
        found: what it is.
        image: what it has from its image.
        skipped: beginnings of the properties whose declaration cannot be read.
    """
    given_command = "entrypoint" in declared and "command" not in declared
    for name in sorted({*declared, *found, *image}):
        if name == f"label {DECLARED}" or name.startswith(tuple(skipped)):
            continue
        now = found.get(name)
        if name in declared:
            if now != declared[name]:
                yield name, declared[name], now or NOTHING
        elif name.startswith(_DAEMONS) or (name == "command" and given_command and now is None):
            continue
        elif now != image.get(name):
            yield name, image.get(name) or NOTHING, now or NOTHING


def _rights(host: Mapping[str, Any]) -> dict[str, str]:
    log = host.get("LogConfig") or {}
    pairs = {
        "read-only root": d.YES if host.get("ReadonlyRootfs") else "",
        "init": d.YES if host.get("Init") else "",
        "privileged": d.YES if host.get("Privileged") else "",
        "capabilities dropped": d.capabilities(host.get("CapDrop")),
        "capabilities added": d.capabilities(host.get("CapAdd")),
        "security options": ", ".join(sorted(host.get("SecurityOpt") or [])),
        "processes of": host.get("PidMode") or "",
        "devices": ", ".join(str(each.get("PathOnHost")) for each in host.get("Devices") or []),
        "extra hosts": ", ".join(sorted(host.get("ExtraHosts") or [])),
        "log driver": log.get("Type") or "",
        **{f"log option {name}": value for name, value in (log.get("Config") or {}).items()},
    }
    return {name: str(value) for name, value in pairs.items() if value}


def _limits(host: Mapping[str, Any]) -> dict[str, str]:
    cpus = (host.get("NanoCpus") or 0) / 1e9 or (
        (host.get("CpuQuota") or 0) / (host.get("CpuPeriod") or 100_000) if (host.get("CpuQuota") or 0) > 0 else 0
    )
    shm = host.get("ShmSize") or 0
    restart = (host.get("RestartPolicy") or {}).get("Name") or "no"
    pairs = {
        d.MEMORY: d.mib(host["Memory"]) if host.get("Memory") else "",
        d.SWAP: d.mib(host["MemorySwap"]) if host.get("MemorySwap") else "",
        "CPUs": f"{cpus:g}" if cpus else "",
        "shared memory": d.mib(shm) if shm not in (0, d.DEFAULT_SHM) else "",
        d.RESTART: restart if restart != "no" else "",
        "processes at most": str(host["PidsLimit"]) if host.get("PidsLimit") else "",
    }
    return {name: value for name, value in pairs.items() if value}


def _health(check: Mapping[str, Any]) -> dict[str, str]:
    if not check.get("Test"):
        return {}
    return {
        "health check": shlex.join(check["Test"]),
        **{
            f"health check {name}": f"{(check.get(key) or 0) / 1e9:g} s"
            for name, key in (("interval", "Interval"), ("timeout", "Timeout"), ("start period", "StartPeriod"))
        },
        "health check retries": str(check.get("Retries") or 0),
    }


def _mounts(container: Mapping[str, Any], of_the_image: set[str]) -> dict[str, str]:
    found = {}
    for each in container.get("Mounts") or []:
        name, writable = f"mount {each['Destination']}", bool(each.get("RW"))
        if each["Type"] == "volume":
            # One without a name of its own is what Docker makes where the image wants one.
            if each["Destination"] not in of_the_image or not _anonymous(each.get("Name")):
                found[name] = d.volume(each.get("Name"), writable=writable)
        elif each["Type"] == "bind":
            found[name] = f"{each.get('Source')} of the host, {'writable' if writable else 'read-only'}"
    for each in container["HostConfig"].get("Mounts") or []:
        if each["Type"] == "tmpfs":
            options = each.get("TmpfsOptions") or {}
            found[f"mount {each['Target']}"] = d.memory_folder(options.get("SizeBytes"), options.get("Mode"))
    for target, options in (container["HostConfig"].get("Tmpfs") or {}).items():
        found[f"mount {target}"] = f"in memory, {options}"
    return found


def _anonymous(name: object) -> bool:
    digits = 64
    return isinstance(name, str) and len(name) == digits and not set(name) - set("0123456789abcdef")
