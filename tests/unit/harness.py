"""Runs a piece of a Pulumi program without an engine, and keeps everything that it registers.

Each run has an event loop of its own, a function that nobody expected is an error, and two resources with one URN are
too: the engine refuses those, Pulumi's mocks do not notice. What the engine does with a registration is not tested here.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks, rpc
from pulumi.runtime.stack import Stack

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key that marks a secret value."""

CONTAINER = "docker:index/container:Container"
VOLUME = "docker:index/volume:Volume"
NETWORK = "docker:index/network:Network"
REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage"
BUILT_IMAGE = "docker-build:index:Image"
STASH = "pulumi:index:Stash"
PROVIDER = "pulumi:providers:kubernetes"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
"""What every image that is built here has as its digest."""

MEMORY = {"/tmp": (None, True)}  # noqa: S108 - a path in a container
"""What every container may write to: memory of its own."""

Outcome = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""From the name and the inputs of a container to outputs that are not what they usually are."""


@dataclass(frozen=True, kw_only=True)
class Registered:
    """One resource, as the program told the engine."""

    type: str
    name: str
    urn: str
    parent: str
    custom: bool
    inputs: Mapping[str, Any]
    """Secret values are marked; see ``secret()`` and ``clear()``."""
    dependencies: frozenset[str]
    property_dependencies: Mapping[str, set[str]]
    """For each input, where its value comes from."""
    protect: bool
    retain_on_delete: bool
    deletes_first: bool | None
    ignore_changes: Sequence[str]
    replace_on_changes: Sequence[str]
    secret_outputs: Sequence[str]
    trigger: object
    provider: str
    """The provider that it was given, and its id; empty for the usual one."""
    timeouts: Mapping[str, str]
    """How long an operation may take."""

    @property
    def kind(self) -> str:
        """The last part of its type."""
        return self.type.rsplit(":", 1)[-1]

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata of an object of Kubernetes."""
        return dict(self.inputs["metadata"])

    @property
    def spec(self) -> dict[str, Any]:
        """The specification of an object of Kubernetes."""
        return dict(self.inputs["spec"])

    @property
    def pod(self) -> dict[str, Any] | None:
        """The specification of the pods that an object of Kubernetes makes; None if it makes none."""
        template = self.inputs.get("spec", {}).get("template") if self.type.startswith("kubernetes:") else None
        return dict(template["spec"]) if template else None

    @property
    def labels(self) -> dict[str, str]:
        """The labels of a container, a network, a volume or an object of Kubernetes."""
        if "metadata" in self.inputs:
            return dict(self.inputs["metadata"]["labels"])
        return {each["label"]: each["value"] for each in self.inputs["labels"]}

    @property
    def env(self) -> dict[str, str]:
        """The environment of a container."""
        return dict(each.split("=", 1) for each in self.inputs.get("envs", []))

    @property
    def mounts(self) -> dict[str, tuple[str | None, bool]]:
        """What a container mounts where: the volume (None for memory), and whether it can write."""
        return {each["target"]: (each.get("source"), not each.get("readOnly", False)) for each in self.inputs["mounts"]}


@dataclass(kw_only=True)
class Recorded:
    """Everything that a run did."""

    resources: list[Registered] = field(default_factory=list)
    result: Any = None
    outputs: dict[str, Any] = field(default_factory=dict)
    """What was exported, as the program said it."""

    def of(self, type_: str) -> list[Registered]:
        """Give the resources of a type."""
        return [each for each in self.resources if each.type == type_]

    def one(self, type_: str, name: str | None = None) -> Registered:
        """Give the only resource of a type, or of a type and a name."""
        (found,) = [each for each in self.of(type_) if name in {None, each.name}]
        return found

    @property
    def urns(self) -> list[str]:
        """Their URNs, sorted."""
        return sorted(each.urn for each in self.resources)


def secret(value: object) -> bool:
    """Whether an input is marked as secret."""
    return isinstance(value, dict) and SIGNATURE in value


def clear(value: Any) -> Any:  # noqa: ANN401 - any input
    """Give an input without the mark, at any depth."""
    if isinstance(value, dict):
        return clear(value["value"]) if SIGNATURE in value else {key: clear(each) for key, each in value.items()}
    return [clear(each) for each in value] if isinstance(value, list) else value


class _Strict(mocks.Mocks):
    def __init__(self, *, preview: bool, outcome: Outcome, state: Mapping[str, Any]) -> None:
        self._preview = preview
        self._outcome = outcome
        self._state = state

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        if args.token == "pulumi:pulumi:readStackOutputs":
            return {"outputs": {"url": "http://there"} if self._state else {}}, []
        if args.token == "pulumi:pulumi:readStackResourceOutputs":
            assert self._state, "the engine does not survive this question about a stack that was never deployed"
            return {"outputs": dict(self._state)}, []
        raise AssertionError(f"the program called {args.token}, which nobody expected")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if not args.custom:
            return "", dict(args.inputs)
        named = {"name": f"{args.name}-0123456"} if args.typ in {CONTAINER, VOLUME, NETWORK} else {}
        known = {**named, **args.inputs}
        if "metadata" in args.inputs:
            # An automatic name is known in previews too.
            known["metadata"] = {"name": f"{args.name}-01234567", **args.inputs["metadata"]}
        if self._preview:
            return "", known
        computed: Mapping[str, Any] = {}
        if args.typ == CONTAINER:
            once = args.inputs.get("attach", False)
            computed = {"exitCode": 0, "containerLogs": "", **self._outcome(args.name, args.inputs)} if once else {}
        if args.typ == REMOTE_IMAGE:
            computed = {"imageId": f"sha256:{args.inputs['name']}"}
        if args.typ == BUILT_IMAGE:
            computed = {"digest": DIGEST}
        if args.typ == STASH:
            computed = {"output": args.inputs["input"]}
        return f"{args.name}-id", {**known, **computed}


class _Recorder(mocks.MockMonitor):
    def __init__(self, strict: _Strict, recorded: Recorded, stack: str) -> None:
        super().__init__(strict)
        self._recorded = recorded
        self._stack = stack

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Make the URN of the engine: Pulumi's mocks forget the stack on threads, and count it as a parent."""
        above = parent.split("::")[2] if parent else ""
        qualified = type_ if above in {"", "pulumi:pulumi:Stack"} else f"{above}${type_}"
        return f"urn:pulumi:{self._stack}::slipway::{qualified}::{name}"

    def Invoke(self, request: Any) -> Any:  # noqa: ANN401, N802 - the engine's own interface
        with _closed_loop():
            return super().Invoke(request)  # type: ignore[no-untyped-call] # Pulumi's mocks have no types

    def RegisterResource(self, request: Any) -> Any:  # noqa: ANN401, N802 - the same
        if request.type != "pulumi:pulumi:Stack":
            self._record(request)
        with _closed_loop():
            return super().RegisterResource(request)  # type: ignore[no-untyped-call] # Pulumi's mocks have no types

    def _record(self, request: Any) -> None:  # noqa: ANN401 - the same
        urn = self.make_urn(request.parent, request.type, request.name)
        if urn in self.resources or any(each.urn == urn for each in self._recorded.resources):
            raise AssertionError(f"two resources have the URN {urn}")
        trigger = (
            json_format.MessageToDict(request.replacement_trigger) if request.HasField("replacement_trigger") else None
        )
        self._recorded.resources.append(
            Registered(
                type=request.type,
                name=request.name,
                urn=urn,
                parent=request.parent,
                custom=request.custom,
                inputs=rpc.deserialize_properties(request.object, keep_unknowns=True),
                dependencies=frozenset(request.dependencies),
                property_dependencies={key: set(each.urns) for key, each in request.propertyDependencies.items()},
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
                deletes_first=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
                ignore_changes=list(request.ignoreChanges),
                replace_on_changes=list(request.replaceOnChanges),
                secret_outputs=list(request.additionalSecretOutputs),
                trigger=trigger,
                provider=request.provider,
                timeouts={
                    each: value for each in ("create", "update") if (value := getattr(request.customTimeouts, each))
                },
            )
        )


def run(  # noqa: PLR0913 - what a run of a program depends on
    build: Callable[[], Any],
    *,
    preview: bool = False,
    stack: str = "test",
    config: Mapping[str, str] | None = None,
    secrets: Sequence[str] = (),
    outcome: Outcome = lambda _name, _inputs: {},
    state: Mapping[str, Any] | None = None,
) -> Recorded:
    """Run a program and give what it registered; what it raises, an ``apply`` included, is raised.

    Args:
        build: the program. Outputs in what it returns are in ``result`` by their values.
        preview: whether outputs of new resources are unknown.
        stack: name of the stack.
        config: the stack's configuration.
        secrets: which keys of it are secret.
        outcome: how containers end that run once.
        state: what is known of the stack's resources from the time before.
    """
    recorded = Recorded()

    def program() -> pulumi.Output[None]:
        return pulumi.Output.from_input(build()).apply(lambda value: setattr(recorded, "result", value))

    with _runtime(config or {}, secrets):
        strict = _Strict(preview=preview, outcome=outcome, state=state or {})
        pulumi.runtime.set_mocks(
            strict,
            project="slipway",
            stack=stack,
            preview=preview,
            monitor=_Recorder(strict, recorded, stack),
            organization="organization",
        )
        pulumi.runtime.test(program)()  # type: ignore[no-untyped-call] # Pulumi's mocks have no types
        root = pulumi.runtime.get_root_resource()
        recorded.outputs.update(root.outputs if isinstance(root, Stack) else {})
    return recorded


@contextmanager
def _closed_loop() -> Iterator[None]:
    """Close the event loop that Pulumi's mocks open for each thread that they answer on, and forget."""
    yield
    if threading.current_thread() is not threading.main_thread():
        with suppress(RuntimeError):
            asyncio.get_event_loop().close()
        asyncio.set_event_loop(None)


@contextmanager
def _runtime(config: Mapping[str, str], secrets: Sequence[str]) -> Iterator[None]:
    before = dict(pulumi.runtime.config.CONFIG.get())
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    pulumi.runtime.set_all_config(dict(config), list(secrets))
    try:
        yield
    finally:
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()
        pulumi.runtime.set_all_config(before, [])
        pulumi.runtime.settings.reset_options()
