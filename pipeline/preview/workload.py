"""What runs, read in the same way from a container of Docker and from an object of Kubernetes. Pure.

Names that Pulumi makes up are no part of it: each preview makes up others.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from components import environment, steps
from components.labels import ATTEMPT, RELEASE, REVISION
from components.tokens import CONTAINER, KUBERNETES
from pipeline.preview import value
from pipeline.preview.plan import State
from pipeline.preview.value import Mark, Value

CLUSTER = "Cluster"
"""A database of CloudNativePG."""
_FOLLOWS = {RELEASE, REVISION, ATTEMPT}
"""Labels that differ because something else does."""
_LONG = ("Deployment", "StatefulSet", "CronJob")
_ONCE = ("Job",)
_UNITS = {"Ki": 1 / 1024, "Mi": 1, "Gi": 1024, "Ti": 1024**2, "k": 1e3 / 2**20, "M": 1e6 / 2**20, "G": 1e9 / 2**20}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|k|M|G|m)?")

READ_DOCKER = frozenset(
    {
        "__defaults",
        "name",
        "image",
        "envs",
        "labels",
        "command",
        "entrypoints",
        "memory",
        "memorySwap",
        "cpus",
        "mounts",
        "ports",
        "networksAdvanced",
        "uploads",
    }
)
"""Properties of a container that a workload holds, or that belong to one it holds."""


@dataclass(frozen=True, kw_only=True, order=True)
class Port:
    """A port that is published on a host."""

    address: str
    """Address of the host."""
    number: int
    """Port of the host."""

    @property
    def local(self) -> bool:
        """Whether the host alone reaches it."""
        return self.address.startswith("127.") or self.address in {"::1", "localhost"}


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Containers of one kind."""

    count: int = 1
    """How many there are."""
    once: bool = False
    """Whether it runs once, to its end, or never at all."""
    image: str = ""
    """The image by its name; empty where it is known by an identity alone."""
    release: str = ""
    """The release of the app that it runs."""
    environment: Mapping[str, Value] = field(default_factory=dict)
    """Environment variables."""
    command: Value = None
    """Command line."""
    memory_mb: int = 0
    """The limit of its memory, in MiB; 0 for none."""
    cpus: float = 0
    """The limit of its CPU, in cores; 0 for none."""
    ports: frozenset[Port] = frozenset()
    """Published ports."""
    networks: tuple[str, ...] = ()
    """Networks that it is on."""
    mounts: Mapping[str, str] = field(default_factory=dict)
    """What is mounted, by its path; an empty text for what has a name that Pulumi makes up."""
    named: Mapping[str, Value] = field(default_factory=dict)
    """Physical names of the secrets and the configuration that are mounted, which Pulumi makes up, by path."""
    labels: Mapping[str, Value] = field(default_factory=dict)
    """Labels that say something beside the release."""
    rest: Mapping[str, Value] = field(default_factory=dict)
    """Every other single property, by its path."""


def of(kind: str, state: State | None) -> Workload | None:
    """Read a resource; None for what runs nothing."""
    if state is None:
        return None
    if kind == CONTAINER:
        return _container(state.inputs)
    name = kind.rpartition(":")[2]
    if kind.startswith(KUBERNETES) and name in (*_LONG, *_ONCE):
        return _pods(state.inputs, once=name in _ONCE)
    return _instances(state.inputs) if kind.endswith(f":{CLUSTER}") else None


def _container(inputs: Mapping[str, Value]) -> Workload:
    variables = [value.text(each).partition("=") for each in value.items(inputs.get("envs"))]
    labels = {
        value.text(value.at(each, "label")): value.at(each, "value") for each in value.items(inputs.get("labels"))
    }
    image = value.text(inputs.get("image"))
    return Workload(
        once=inputs.get("mustRun") is False,
        image="" if image.startswith("sha256:") else image,
        release=value.text(labels.get(RELEASE)),
        environment={name: text for name, _, text in variables if name},
        command=_command(inputs.get("entrypoints"), inputs.get("command")),
        memory_mb=int(value.number(inputs.get("memory"))),
        cpus=float(value.text(inputs.get("cpus")) or 0),
        ports=frozenset(
            Port(address=value.text(value.at(each, "ip")), number=int(value.number(value.at(each, "external"))))
            for each in value.items(inputs.get("ports"))
        ),
        networks=tuple(
            sorted(value.text(value.at(each, "name")) for each in value.items(inputs.get("networksAdvanced")))
        ),
        mounts={
            value.text(value.at(each, "target")): _docker_source(each) for each in value.items(inputs.get("mounts"))
        },
        named={
            value.text(value.at(each, "target")): value.at(each, "source")
            for each in value.items(inputs.get("mounts"))
            if _is_made_up(value.at(each, "source"))
        },
        labels=_said(labels),
        rest=dict(_rest({key: each for key, each in inputs.items() if key not in READ_DOCKER})),
    )


def _command(entrypoint: Value, arguments: Value) -> Value:
    """Give a command line as somebody wrote it, without what Slipway puts before it."""
    words = [*value.items(entrypoint), *value.items(arguments)]
    texts = [value.text(each) for each in words]
    for begins, length in (
        (steps.PATIENTLY, len(steps.PATIENTLY) + 1),
        (environment.EXPORTING, len(environment.EXPORTING)),
    ):
        for index in range(len(words)):
            if tuple(texts[index : index + len(begins)]) == begins:
                words, texts = ([*each[:index], *each[index + length :]] for each in (words, texts))
                break
    return words


def _docker_source(mount: Value) -> str:
    source = value.at(mount, "source")
    memory = value.at(mount, "tmpfsOptions", "sizeBytes")
    if memory is not None:
        return f"memory of {int(value.number(memory)) // 2**20} MB"
    return "" if _is_made_up(source) else value.text(source)


def _is_made_up(source: Value) -> bool:
    """Whether Pulumi names a volume: that of a set of secrets."""
    return source is Mark.UNKNOWN or re.search(r"-secrets-[0-9a-f]{7}$", value.text(source)) is not None


def _pods(inputs: Mapping[str, Value], *, once: bool) -> Workload:
    spec = _spec(inputs)
    template = spec.get("template")
    pod = value.at(template, "spec")
    container = next(iter(value.items(value.at(pod, "containers"))), None)
    labels = value.mapping(value.at(template, "metadata", "labels"))
    limits = value.mapping(value.at(container, "resources", "limits"))
    replicas = spec.get("replicas")
    volumes = {value.text(value.at(each, "name")): _source(each) for each in value.items(value.at(pod, "volumes"))}
    return Workload(
        count=int(value.number(replicas)) if replicas is not None else 1,
        once=once,
        image=value.text(value.at(container, "image")),
        release=value.text(labels.get(RELEASE)),
        environment={
            value.text(value.at(each, "name")): value.at(each, "value")
            for each in value.items(value.at(container, "env"))
        },
        command=_command(value.at(container, "command"), value.at(container, "args")),
        memory_mb=int(megabytes(limits.get("memory"))),
        cpus=cores(limits.get("cpu")),
        mounts={
            value.text(value.at(each, "mountPath")): volumes.get(value.text(value.at(each, "name")), "")
            for each in value.items(value.at(container, "volumeMounts"))
        },
        named={
            value.text(value.at(each, "name")): value.at(each, *path)
            for each in value.items(value.at(pod, "volumes"))
            for path in (("secret", "secretName"), ("configMap", "name"))
            if value.at(each, *path) is not None
        },
        labels=_said(labels),
        rest=dict(_rest(_without_read(inputs))),
    )


def _spec(inputs: Mapping[str, Value]) -> Mapping[str, Value]:
    """Give what pods are made from; of what runs by the clock, with the clock."""
    spec = value.mapping(inputs.get("spec"))
    job = value.mapping(value.at(spec.get("jobTemplate"), "spec"))
    return {**job, **{key: each for key, each in spec.items() if key != "jobTemplate"}} if job else spec


def _instances(inputs: Mapping[str, Value]) -> Workload:
    spec = value.mapping(inputs.get("spec"))
    limits = value.mapping(value.at(spec.get("resources"), "limits"))
    read = ("instances", "imageName", "resources")
    return Workload(
        count=int(value.number(spec.get("instances"))),
        image=value.text(spec.get("imageName")),
        memory_mb=int(megabytes(limits.get("memory"))),
        cpus=cores(limits.get("cpu")),
        rest=dict(value.leaves({key: each for key, each in spec.items() if key not in read})),
    )


def _source(volume: Value) -> str:
    claim = value.text(value.at(volume, "persistentVolumeClaim", "claimName"))
    size = value.at(volume, "emptyDir", "sizeLimit")
    return claim or (f"memory of {int(megabytes(size))} MB" if size else "")


def _without_read(inputs: Mapping[str, Value]) -> dict[str, Value]:
    """Leave out what a workload holds, and the names of what Pulumi names."""
    spec = _spec(inputs)
    template = value.mapping(spec.get("template"))
    pod = value.mapping(template.get("spec"))
    read = ("image", "env", "command", "args", "resources", "volumeMounts")
    containers: list[Value] = [
        {key: each for key, each in value.mapping(container).items() if key not in read}
        for container in value.items(pod.get("containers"))
    ]
    kept = {key: each for key, each in pod.items() if key not in {"containers", "volumes"}}
    return {
        **{key: each for key, each in spec.items() if key not in {"replicas", "template", "selector"}},
        "pod": {**kept, "containers": containers},
    }


def _rest(inputs: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    for path, each in value.leaves(dict(inputs)):
        yield path.replace("pod.containers[0].", "container."), each


def _said(labels: Mapping[str, Value]) -> dict[str, Value]:
    return {name: each for name, each in labels.items() if name not in _FOLLOWS}


def megabytes(quantity: Value) -> float:
    """Read a quantity of memory of Kubernetes, in MiB; 0 for none."""
    found = _QUANTITY.fullmatch(value.text(quantity))
    if found is None:
        return value.number(quantity) / 2**20
    return float(found[1]) * _UNITS.get(found[2] or "", 1 / 2**20)


def cores(quantity: Value) -> float:
    """Read a quantity of CPU of Kubernetes, in cores; 0 for none."""
    found = _QUANTITY.fullmatch(value.text(quantity))
    if found is None:
        return value.number(quantity)
    return float(found[1]) / (1000 if found[2] == "m" else 1)


def shown(each: Value) -> str:
    """Write a value for people, in one line."""
    if isinstance(each, Mark):
        return each.value
    if isinstance(each, bool):
        return "yes" if each else "no"
    if each is None:
        return "nothing"
    text = " ".join(str(each).split())
    longest = 80
    return f"{text[: longest - 4]} ..." if len(text) > longest else text or '""'
