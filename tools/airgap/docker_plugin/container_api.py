"""A container's inputs -> the body of Docker's `POST /containers/create`, and its inspection -> the state. Pure."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from tools.airgap.docker_plugin.diff import same
from tools.airgap.docker_plugin.labels import to_docker
from tools.airgap.docker_plugin.plan import expanded, recorded
from tools.airgap.docker_plugin.schema import CONTAINER, Kind
from tools.airgap.plugin.errors import PluginError

_MEGABYTE: Final = 1024 * 1024
_SECOND: Final = 1_000_000_000
_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3600 * _SECOND,
}


def request(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of the request that creates a container. What is not asked for is left to the daemon."""
    if "" in (inputs.get("command") or []):
        raise PluginError("command has an empty element; Docker takes none")
    volumes = inputs.get("volumes") or []
    body = {
        "Image": inputs["image"],
        "Cmd": inputs.get("command"),
        "Entrypoint": inputs.get("entrypoints"),
        "Env": inputs.get("envs"),
        "Labels": to_docker(inputs.get("labels")),
        "Hostname": inputs.get("hostname"),
        "User": inputs.get("user"),
        "WorkingDir": inputs.get("workingDir"),
        "StopSignal": inputs.get("stopSignal"),
        "StopTimeout": inputs.get("stopTimeout"),
        "Healthcheck": _health_request(inputs.get("healthcheck")),
        "ExposedPorts": {_port_key(port): {} for port in inputs.get("ports") or []},
        "Volumes": {entry["containerPath"]: {} for entry in volumes},
        "HostConfig": _host_request(inputs),
    }
    return {key: value for key, value in body.items() if value not in (None, "", [], {})}


def _host_request(inputs: Mapping[str, Any]) -> dict[str, Any]:
    capabilities = inputs.get("capabilities") or {}
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in inputs.get("ports") or []:
        binding = {"HostIp": port.get("ip") or "0.0.0.0", "HostPort": str(port.get("external") or 0)}  # noqa: S104 - the official default
        bindings.setdefault(_port_key(port), []).append(binding)
    body = {
        "AutoRemove": inputs.get("rm"),
        "Binds": [
            f"{source}:{entry['containerPath']}:{'ro' if entry.get('readOnly') else 'rw'}"
            for entry in inputs.get("volumes") or []
            if (source := entry.get("hostPath") or entry.get("volumeName"))
        ],
        "CapAdd": capabilities.get("adds"),
        "CapDrop": capabilities.get("drops"),
        "CpuShares": inputs.get("cpuShares"),
        "Dns": inputs.get("dns"),
        "ExtraHosts": [f"{entry['host']}:{entry['ip']}" for entry in inputs.get("hosts") or []],
        "GroupAdd": inputs.get("groupAdds"),
        "LogConfig": {"Type": inputs.get("logDriver") or "", "Config": inputs.get("logOpts") or {}},
        "Memory": (inputs.get("memory") or 0) * _MEGABYTE,
        "MemoryReservation": (inputs.get("memoryReservation") or 0) * _MEGABYTE,
        "MemorySwap": _swap(inputs),
        "Mounts": [_mount_request(mount) for mount in inputs.get("mounts") or []],
        "NetworkMode": inputs.get("networkMode"),
        "PortBindings": bindings,
        "Privileged": inputs.get("privileged"),
        "PublishAllPorts": inputs.get("publishAllPorts"),
        "ReadonlyRootfs": inputs.get("readOnly"),
        "RestartPolicy": {
            "Name": inputs.get("restart") or "no",
            "MaximumRetryCount": inputs.get("maxRetryCount") or 0,
        },
        "SecurityOpt": [option for option in inputs.get("securityOpts") or [] if option != "systempaths=unconfined"],
        "ShmSize": (inputs.get("shmSize") or 0) * _MEGABYTE,
        "Sysctls": inputs.get("sysctls"),
        "Tmpfs": inputs.get("tmpfs"),
        "Ulimits": [
            {"Name": entry["name"], "Soft": entry["soft"], "Hard": entry["hard"]}
            for entry in inputs.get("ulimits") or []
        ],
        **_processors(inputs),
    }
    if "systempaths=unconfined" in (inputs.get("securityOpts") or []):  # an option of clients, as in `docker run`
        body.update({"MaskedPaths": [], "ReadonlyPaths": []})
        return _without_nothing(body, keep={"MaskedPaths", "ReadonlyPaths"}) | {"Init": bool(inputs.get("init"))}
    return _without_nothing(body, keep=set()) | {"Init": bool(inputs.get("init"))}


def _without_nothing(body: Mapping[str, Any], keep: set[str]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key in keep or value not in (None, "", [], {}, 0, False)}


def _processors(inputs: Mapping[str, Any]) -> dict[str, int]:
    if not inputs.get("cpus"):
        return {"CpuPeriod": inputs.get("cpuPeriod") or 0, "CpuQuota": inputs.get("cpuQuota") or 0}
    nanoseconds = Decimal(inputs["cpus"]) * _SECOND
    if nanoseconds != nanoseconds.to_integral_value():
        raise PluginError(f"cpus is {inputs['cpus']!r}; it takes at most nine digits after the point")
    return {"NanoCpus": int(nanoseconds)}


def _swap(inputs: Mapping[str, Any]) -> int:
    swap: int = inputs.get("memorySwap") or 0
    return swap * _MEGABYTE if swap > 0 else swap


def _mount_request(mount: Mapping[str, Any]) -> dict[str, Any]:
    options = mount.get("tmpfsOptions") or {}
    body: dict[str, Any] = {"Type": mount["type"], "Target": mount["target"], "Source": mount.get("source") or ""}
    if mount.get("readOnly"):
        body["ReadOnly"] = True
    if mount["type"] == "tmpfs" and options:
        body["TmpfsOptions"] = {"SizeBytes": options.get("sizeBytes") or 0, "Mode": options.get("mode") or 0}
    return body


def _port_key(port: Mapping[str, Any]) -> str:
    return f"{port['internal']}/{port.get('protocol') or 'tcp'}"


def _health_request(health: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if health is None:
        return None
    durations = {
        "Interval": "interval",
        "Timeout": "timeout",
        "StartPeriod": "startPeriod",
        "StartInterval": "startInterval",
    }
    return {
        "Test": health.get("tests") or [],
        "Retries": health.get("retries") or 0,
        **{field: nanoseconds(health.get(key) or "0s") for field, key in durations.items()},
    }


def nanoseconds(duration: str) -> int:
    """Read a duration as Go writes it ("1m30s")."""
    parts = re.findall(r"([0-9.]+)(ns|us|µs|ms|s|m|h)", duration)
    return int(sum(Decimal(number) * _UNITS[unit] for number, unit in parts))


def duration(amount: int) -> str:
    """Write a duration as Go does ("1m30s"), which is how the official plugin reads it back."""
    if amount % _SECOND == 0:
        seconds = amount // _SECOND
        hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
        return f"{hours}h{minutes}m{rest}s" if hours else f"{minutes}m{rest}s" if minutes else f"{rest}s"
    if amount < _SECOND:
        unit = "ms" if amount >= _UNITS["ms"] else "µs" if amount >= _UNITS["us"] else "ns"
        return f"{_decimal(amount, _UNITS[unit])}{unit}"
    minutes, rest = divmod(amount, 60 * _SECOND)
    text = f"{_decimal(rest, _SECOND)}s"
    if not minutes:
        return text
    return f"{minutes // 60}h{minutes % 60}m{text}" if minutes >= 60 else f"{minutes}m{text}"  # noqa: PLR2004 - an hour


def _decimal(amount: int, unit: int) -> str:
    return format((Decimal(amount) / unit).normalize(), "f")


def processors(nano: int) -> str:
    """Write a number of CPUs as the official plugin reads it back: "1.0", "0.5", "0.25"."""
    text = f"{nano // _SECOND}.{nano % _SECOND:09d}"
    if text.count("0") == 9:  # noqa: PLR2004 - its own rule for "round" values
        return f"{text[:-8]}"
    return text.rstrip("0").rstrip(".")


def state(known: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state: what Docker tells, and what is known (inputs, or the state before) for the rest."""
    config, host, network = found["Config"], found["HostConfig"], found["NetworkSettings"]
    kept = {key: known.get(key) for key in ("containerLogs", "exitCode")}
    running = found["State"]["Running"]
    told = {
        "id": found["Id"],
        "name": found["Name"].lstrip("/"),
        "rm": host["AutoRemove"],
        "readOnly": host["ReadonlyRootfs"],
        "image": found["Image"] if str(known.get("image", "")).startswith("sha256:") else config["Image"],
        "hostname": config["Hostname"],
        "domainname": config["Domainname"],
        "command": config["Cmd"],
        "entrypoints": config["Entrypoint"],
        "user": config["User"],
        "workingDir": config["WorkingDir"],
        "stopSignal": config.get("StopSignal") or "",
        "stopTimeout": config.get("StopTimeout") or 0,
        "tty": config["Tty"],
        "stdinOpen": config["OpenStdin"],
        "healthcheck": _health_state(config.get("Healthcheck"), known.get("healthcheck")),
        "dns": host.get("Dns"),
        "securityOpts": host.get("SecurityOpt"),
        "publishAllPorts": host["PublishAllPorts"],
        "restart": host["RestartPolicy"]["Name"] or "no",
        "maxRetryCount": host["RestartPolicy"]["MaximumRetryCount"],
        "init": bool(host.get("Init")),
        "capabilities": _capabilities_state(host, known.get("capabilities")),
        "runtime": host["Runtime"],
        "platform": found["Platform"],
        "mounts": [_mount_state(mount) for mount in host.get("Mounts") or []],
        "tmpfs": host.get("Tmpfs"),
        "hosts": [
            dict(zip(("host", "ip"), entry.split(":", 1), strict=True)) for entry in host.get("ExtraHosts") or []
        ],
        "privileged": host["Privileged"],
        "memory": host["Memory"] // _MEGABYTE,
        "memoryReservation": host["MemoryReservation"] // _MEGABYTE,
        "memorySwap": host["MemorySwap"] // _MEGABYTE if host["MemorySwap"] > 0 else host["MemorySwap"],
        "shmSize": host["ShmSize"] // _MEGABYTE,
        "cpus": processors(host["NanoCpus"]) if host["NanoCpus"] else known.get("cpus"),
        "cpuShares": host["CpuShares"],
        "cpuSet": host["CpusetCpus"],
        "logDriver": host["LogConfig"]["Type"],
        "logOpts": host["LogConfig"]["Config"] if known.get("logOpts") else None,
        "networkMode": host["NetworkMode"],
        "usernsMode": host["UsernsMode"],
        "ipcMode": host["IpcMode"],
        "sysctls": host.get("Sysctls"),
        "groupAdds": host.get("GroupAdd"),
        "bridge": network.get("Bridge", ""),
        "networkDatas": _networks(network.get("Networks") or {}),
    }
    if known.get("ulimits"):
        told["ulimits"] = [
            {"name": entry["Name"], "soft": entry["Soft"], "hard": entry["Hard"]} for entry in host.get("Ulimits") or []
        ]
    if known.get("ports") and (running or known.get("mustRun", True)):
        told["ports"] = _ports_state(network.get("Ports") or {})
    if not running:
        kept["exitCode"] = found["State"]["ExitCode"]
        told["mustRun"] = False  # a difference that the next update mends by starting it
    return {**recorded(CONTAINER, known), **kept, **_in_known_order(told, known)}


def _in_known_order(told: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what is known wherever it means the same: Docker's order of a set, for one, says nothing."""
    result = {}
    for key, value in told.items():
        spec = CONTAINER.inputs.get(key)
        keep = (
            spec is not None
            and spec.kind in {Kind.LIST, Kind.SET, Kind.OBJECT}
            and known.get(key) is not None
            and value is not None
            and same(spec, value, known[key])
        )
        chosen = known[key] if keep else value
        result[key] = expanded(spec, chosen) if spec is not None else chosen
    return result


def _health_state(health: Mapping[str, Any] | None, known: Any) -> Any:  # noqa: ANN401 - from a state
    if not health:
        return known
    return {
        "tests": health.get("Test") or None,
        "interval": duration(health.get("Interval") or 0),
        "timeout": duration(health.get("Timeout") or 0),
        "startPeriod": duration(health.get("StartPeriod") or 0),
        "startInterval": duration(health.get("StartInterval") or 0),
        "retries": health.get("Retries") or 0,
    }


def _capabilities_state(host: Mapping[str, Any], known: Any) -> Any:  # noqa: ANN401 - from a state
    if not host.get("CapAdd") and not host.get("CapDrop"):
        return known
    return {"adds": host.get("CapAdd") or None, "drops": host.get("CapDrop") or None}


def _mount_state(mount: Mapping[str, Any]) -> dict[str, Any]:
    options = mount.get("TmpfsOptions")
    return {
        "target": mount["Target"],
        "source": mount.get("Source") or "",
        "type": mount["Type"],
        "readOnly": mount.get("ReadOnly", False),
        "tmpfsOptions": {"sizeBytes": options.get("SizeBytes", 0), "mode": options.get("Mode", 0)} if options else None,
    }


def _ports_state(ports: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "internal": int(key.split("/")[0]),
            "external": int(binding["HostPort"]),
            "ip": binding["HostIp"],
            "protocol": key.split("/")[1],
        }
        for key, bindings in sorted(ports.items(), key=lambda item: int(item[0].split("/")[0]))
        for binding in bindings or []
    ]


def _networks(networks: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "networkName": name,
            "ipAddress": network["IPAddress"],
            "ipPrefixLength": network["IPPrefixLen"],
            "gateway": network["Gateway"],
            "globalIpv6Address": network["GlobalIPv6Address"],
            "globalIpv6PrefixLength": network["GlobalIPv6PrefixLen"],
            "ipv6Gateway": network["IPv6Gateway"],
            "macAddress": network["MacAddress"],
        }
        for name, network in sorted(networks.items())
    ]
