"""Every resource type and input that the plugin takes, as data: type, default, and what a change of it means.

It is the one place that check.py, diff.py and the operations look things up in. The facts are those of
terraform-provider-docker 4.5.0, which the official plugin 5.1.0 wraps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The shape of a value."""

    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    LIST = "list"
    SET = "set"  # a list whose order says nothing
    MAP = "map"  # of strings
    OBJECT = "object"


@dataclass(frozen=True, kw_only=True)
class Property:
    """One input."""

    kind: Kind
    replaces: bool = True
    """A change of it makes a new resource."""
    computed: bool = False
    """Docker fills it in when the program does not, so its absence is no change."""
    default: str | int | bool | None = None
    required: bool = False
    fields: Mapping[str, "Property"] | None = None
    """The fields of an object, or of each element of a list or set of objects; None: elements are strings."""
    pattern: str | None = None
    minimum: int | None = None


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """One resource type."""

    token: str
    inputs: Mapping[str, Property]
    outputs: frozenset[str]
    """What Docker alone decides, beside the inputs."""
    unset: frozenset[str] = field(default_factory=frozenset)
    """What the official plugin has and this one does not take: always present and null in the state."""
    automatic_name: bool = True
    deletes_first: bool = False
    """A replacement deletes the old one first even when its name is automatic."""
    meta: str = ""
    """What the official plugin expects in a state that it takes over: the version of its schema."""


def _string(**options: Any) -> Property:  # noqa: ANN401 - Property checks them
    return Property(kind=Kind.STRING, **options)


def _integer(**options: Any) -> Property:  # noqa: ANN401 - Property checks them
    return Property(kind=Kind.INTEGER, **options)


def _boolean(*, default: bool | None = False, **options: Any) -> Property:  # noqa: ANN401 - Property checks them
    return Property(kind=Kind.BOOLEAN, default=default, **options)


def _list(fields: Mapping[str, Property] | None = None, **options: Any) -> Property:  # noqa: ANN401 - the same
    return Property(kind=Kind.LIST, fields=fields, **options)


def _set(fields: Mapping[str, Property] | None = None, **options: Any) -> Property:  # noqa: ANN401 - the same
    return Property(kind=Kind.SET, fields=fields, **options)


def _map(**options: Any) -> Property:  # noqa: ANN401 - Property checks them
    return Property(kind=Kind.MAP, **options)


def _object(fields: Mapping[str, Property], **options: Any) -> Property:  # noqa: ANN401 - Property checks them
    return Property(kind=Kind.OBJECT, fields=fields, **options)


_LABELS = {"label": _string(required=True), "value": _string(required=True)}
_DURATION = r"^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$"

CONTAINER = ResourceType(
    token="docker:index/container:Container",  # noqa: S106 - a type token
    deletes_first=True,
    meta=(
        '{"e2bfb730-ecaa-11e6-8f88-34363bc7c4c0":{"create":1200000000000,"delete":1200000000000,'
        '"update":1200000000000},"schema_version":"2"}'
    ),
    outputs=frozenset(
        {"bridge", "containerLogs", "exitCode", "networkDatas", "domainname", "ipcMode", "platform", "runtime"}
        | {"usernsMode", "cpuSet", "tty", "stdinOpen"}
    ),
    unset=frozenset(
        {"cgroupParent", "cgroupnsMode", "deviceReadBps", "deviceReadIops", "deviceRequests", "deviceWriteBps"}
        | {"deviceWriteIops", "devices", "dnsOpts", "dnsSearches", "gpus", "pidMode", "storageOpts"}
    ),
    inputs={
        "name": _string(required=True),
        "image": _string(required=True),
        "command": _list(computed=True),
        "entrypoints": _list(computed=True),
        "envs": _set(computed=True),
        "labels": _set(_LABELS, computed=True),
        "hostname": _string(computed=True),
        "user": _string(computed=True),
        "workingDir": _string(computed=True),
        "start": _boolean(default=True, replaces=False),
        "mustRun": _boolean(default=True, replaces=False),
        "attach": _boolean(replaces=False),
        "logs": _boolean(replaces=False),
        "wait": _boolean(replaces=False),
        "waitTimeout": _integer(default=60, replaces=False),
        "containerReadRefreshTimeoutMilliseconds": _integer(default=15000, replaces=False),
        "rm": _boolean(replaces=False),
        "restart": _string(default="no", replaces=False, pattern="^(no|on-failure|always|unless-stopped)$"),
        "maxRetryCount": _integer(replaces=False),
        "destroyGraceSeconds": _integer(replaces=False),
        "removeVolumes": _boolean(default=True, replaces=False),
        "stopSignal": _string(computed=True),
        "stopTimeout": _integer(computed=True),
        "healthcheck": _object(
            {
                "tests": _list(),
                "interval": _string(default="0s", pattern=_DURATION),
                "timeout": _string(default="0s", pattern=_DURATION),
                "startPeriod": _string(default="0s", pattern=_DURATION),
                "startInterval": _string(default="0s", pattern=_DURATION),
                "retries": _integer(default=0, minimum=0),
            },
            replaces=False,
            computed=True,
        ),
        "init": _boolean(default=None, replaces=False, computed=True),
        "networkMode": _string(default="bridge"),
        "networksAdvanced": _set({"name": _string(required=True), "aliases": _set(), "ipv4Address": _string()}),
        "ports": _list(
            {
                "internal": _integer(required=True),
                "external": _integer(computed=True),
                "ip": _string(default="0.0.0.0"),  # noqa: S104 - the official default; Slipway always sets it
                "protocol": _string(default="tcp"),
            },
        ),
        "publishAllPorts": _boolean(),
        "dns": _set(),
        "hosts": _set({"host": _string(required=True), "ip": _string(required=True)}),
        "mounts": _set(
            {
                "target": _string(required=True),
                "source": _string(),
                "type": _string(required=True, pattern="^(bind|volume|tmpfs)$"),
                "readOnly": _boolean(),
                "tmpfsOptions": _object({"sizeBytes": _integer(), "mode": _integer()}),
            }
        ),
        "volumes": _set(
            {
                "containerPath": _string(required=True),
                "volumeName": _string(),
                "hostPath": _string(pattern="^/"),
                "readOnly": _boolean(),
            }
        ),
        "tmpfs": _map(replaces=False),
        "uploads": _set(
            {
                "file": _string(required=True, pattern="^/"),
                "content": _string(),
                "contentBase64": _string(),
                "source": _string(),
                "sourceHash": _string(),
                "executable": _boolean(),
                "permissions": _string(pattern="^0[0-7]{3}$"),
            }
        ),
        "memory": _integer(replaces=False, minimum=0),
        "memoryReservation": _integer(default=0, replaces=False, minimum=0),
        "memorySwap": _integer(replaces=False, minimum=-1),
        "shmSize": _integer(computed=True, minimum=0),
        "cpus": _string(pattern=r"^[0-9]*\.?[0-9]+$"),
        "cpuShares": _integer(replaces=False, minimum=0),
        "cpuPeriod": _integer(replaces=False, minimum=0),
        "cpuQuota": _integer(replaces=False, minimum=0),
        "ulimits": _set(
            {"name": _string(required=True), "soft": _integer(required=True), "hard": _integer(required=True)}
        ),
        "capabilities": _object({"adds": _set(), "drops": _set()}),
        "securityOpts": _set(computed=True),
        "privileged": _boolean(),
        "readOnly": _boolean(),
        "sysctls": _map(),
        "groupAdds": _set(),
        "logDriver": _string(computed=True),
        "logOpts": _map(),
    },
)

NETWORK = ResourceType(
    token="docker:index/network:Network",  # noqa: S106 - a type token
    meta='{"schema_version":"1"}',
    outputs=frozenset({"scope"}),
    inputs={
        "name": _string(required=True),
        "driver": _string(computed=True),
        "options": _map(computed=True),
        "internal": _boolean(default=None, computed=True),
        "attachable": _boolean(),
        "ingress": _boolean(),
        "ipv6": _boolean(),
        "ipamDriver": _string(default="default"),
        "ipamOptions": _map(),
        "ipamConfigs": _set(
            {"subnet": _string(), "ipRange": _string(), "gateway": _string(), "auxAddress": _map()}, computed=True
        ),
        "labels": _set(_LABELS),
    },
)

VOLUME = ResourceType(
    token="docker:index/volume:Volume",  # noqa: S106 - a type token
    meta='{"schema_version":"1"}',
    outputs=frozenset({"mountpoint"}),
    unset=frozenset({"cluster"}),
    inputs={
        "name": _string(computed=True),
        "driver": _string(computed=True),
        "driverOpts": _map(),
        "labels": _set(_LABELS),
    },
)

IMAGE = ResourceType(
    token="docker:index/remoteImage:RemoteImage",  # noqa: S106 - a type token
    automatic_name=False,
    meta=(
        '{"e2bfb730-ecaa-11e6-8f88-34363bc7c4c0":{"create":1200000000000,"delete":1200000000000,"update":1200000000000}}'
    ),
    outputs=frozenset({"imageId", "repoDigest"}),
    unset=frozenset({"build"}),
    inputs={
        "name": _string(required=True),
        "keepLocally": _boolean(default=None, replaces=False),
        "forceRemove": _boolean(default=None, replaces=False),
        "platform": _string(),
        "pullTriggers": _set(),
        "triggers": _map(),
    },
)

TYPES: Mapping[str, ResourceType] = {kind.token: kind for kind in (CONTAINER, NETWORK, VOLUME, IMAGE)}
