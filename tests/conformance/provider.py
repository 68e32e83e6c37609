"""A resource plugin as Pulumi's engine talks to it: started, configured, and asked over gRPC.

It knows nothing of Docker, of Kubernetes and of our own plugins, so that the official one answers the same questions.
"""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent import futures
from pathlib import Path
from typing import Any, Final, Self

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, provider_pb2_grpc, status_pb2

Properties = dict[str, Any]

UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the protocol writes for a value that only an update will know."""


def secret(value: object) -> Properties:
    """Return a value as the engine sends a secret."""
    return {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": value}


class InitializationError(Exception):
    """Create made the resource, and it did not become what was asked for."""

    def __init__(self, details: provider_pb2.ErrorResourceInitFailed) -> None:
        super().__init__("; ".join(details.reasons))
        self.id = details.id
        self.properties = _properties(details.properties)
        self.inputs = _properties(details.inputs)
        self.reasons = list(details.reasons)


class RefusedError(Exception):
    """The plugin answered with an error."""


class _Engine(engine_pb2_grpc.EngineServicer):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def Log(self, request: engine_pb2.LogRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: ARG002, N802 - the protocol's
        self.lines.append(request.message)
        return empty_pb2.Empty()


class Plugin:
    """One running plugin."""

    def __init__(
        self, command: Sequence[str], configuration: Mapping[str, str] | None = None, *, provider: str = "docker"
    ) -> None:
        self._engine = _Engine()
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        engine_pb2_grpc.add_EngineServicer_to_server(self._engine, self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        self._process = subprocess.Popen(
            [*command, f"127.0.0.1:{port}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        if self._process.stdout is None:
            raise AssertionError("Popen was asked for a pipe")
        first = self._process.stdout.readline()
        if not first.strip().isdigit():
            raise AssertionError(f"{command[0]} printed {first!r} instead of its port")
        self._channel = grpc.insecure_channel(f"127.0.0.1:{int(first)}")
        self.stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        settings = {f"{provider}:config:{key}": value for key, value in (configuration or {}).items()}
        reply = self.stub.Configure(
            provider_pb2.ConfigureRequest(
                args=_struct(configuration or {}),
                variables=settings,
                acceptSecrets=True,
                acceptResources=True,
                sends_old_inputs=True,
                sends_old_inputs_to_delete=True,
            ),
            timeout=60,
        )
        self.accepts_secrets = reply.acceptSecrets

    @property
    def lines(self) -> list[str]:
        """What the plugin said in the engine's display so far."""
        return self._engine.lines

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._channel.close()
        self._server.stop(None).wait()

    def check(
        self, token: str, inputs: Properties, olds: Properties | None = None
    ) -> tuple[Properties, list[list[str]]]:
        """Return the checked inputs, and each failure as a property and a reason."""
        reply = _ask(
            self.stub.Check,
            provider_pb2.CheckRequest(
                urn=_urn(token), olds=_struct(olds or {}), news=_struct(inputs), randomSeed=os.urandom(32)
            ),
        )
        return _properties(reply.inputs), [[failure.property, failure.reason] for failure in reply.failures]

    def create(
        self, token: str, inputs: Properties, *, preview: bool = False, seconds: float = 120
    ) -> tuple[str, Properties]:
        """Return the id and the outputs of a new resource."""
        request = provider_pb2.CreateRequest(
            urn=_urn(token), properties=_struct(inputs), timeout=0 if preview else seconds, preview=preview
        )
        reply = _ask(self.stub.Create, request)
        return reply.id, _properties(reply.properties)

    def diff(self, token: str, id_: str, state: Properties, old_inputs: Properties, inputs: Properties) -> Properties:
        """Return what a change of inputs would do."""
        reply = _ask(
            self.stub.Diff,
            provider_pb2.DiffRequest(
                urn=_urn(token), id=id_, olds=_struct(state), old_inputs=_struct(old_inputs), news=_struct(inputs)
            ),
        )
        return {
            "changes": provider_pb2.DiffResponse.DiffChanges.Name(reply.changes),
            "replaces": sorted(reply.replaces),
            "deleteBeforeReplace": reply.deleteBeforeReplace,
            "detailed": {
                path: provider_pb2.PropertyDiff.Kind.Name(change.kind)
                for path, change in sorted(reply.detailedDiff.items())
            },
        }

    def read(self, token: str, id_: str, state: Properties, inputs: Properties) -> tuple[str, Properties, Properties]:
        """Return the id ("" if it is gone), the outputs and the inputs of what is there."""
        reply = _ask(
            self.stub.Read,
            provider_pb2.ReadRequest(urn=_urn(token), id=id_, properties=_struct(state), inputs=_struct(inputs)),
        )
        return reply.id, _properties(reply.properties), _properties(reply.inputs)

    def update(  # noqa: PLR0913 - what the protocol sends
        self,
        token: str,
        id_: str,
        state: Properties,
        old_inputs: Properties,
        inputs: Properties,
        *,
        preview: bool = False,
        seconds: float = 120,
        ignore: Sequence[str] = (),
    ) -> Properties:
        """Return the outputs of a changed resource."""
        reply = _ask(
            self.stub.Update,
            provider_pb2.UpdateRequest(
                urn=_urn(token),
                id=id_,
                olds=_struct(state),
                old_inputs=_struct(old_inputs),
                news=_struct(inputs),
                timeout=0 if preview else seconds,
                preview=preview,
                ignoreChanges=ignore,
            ),
        )
        return _properties(reply.properties)

    def delete(self, token: str, id_: str, state: Properties, inputs: Properties) -> None:
        """Delete a resource."""
        _ask(
            self.stub.Delete,
            provider_pb2.DeleteRequest(
                urn=_urn(token), id=id_, properties=_struct(state), old_inputs=_struct(inputs), timeout=120
            ),
        )


def _ask(method: Callable[..., Any], request: Any) -> Any:  # noqa: ANN401 - any message of the protocol
    try:
        return method(request, timeout=180)
    except grpc.RpcError as error:
        metadata: Any = error.trailing_metadata()  # its stub says one pair where there are many
        for key, value in metadata or ():
            if key == "grpc-status-details-bin":
                for detail in status_pb2.Status.FromString(value).details:
                    failed = provider_pb2.ErrorResourceInitFailed()
                    if detail.Unpack(failed):
                        raise InitializationError(failed) from None
        raise RefusedError(error.details()) from None


def _urn(token: str) -> str:
    return f"urn:pulumi:dev::conformance::{token}::r"


def _struct(value: Mapping[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(dict(value), struct_pb2.Struct())


def _properties(message: struct_pb2.Struct) -> Properties:
    return json_format.MessageToDict(message)


def find(name: str, version: str, home: str | None, path: str, otherwise: list[str]) -> list[str]:
    """Return the command of an installed plugin: Pulumi's own directory, PATH, or else what is given."""
    program = f"pulumi-resource-{name}"
    places = [Path(home or "~/.pulumi").expanduser() / "plugins" / f"resource-{name}-v{version}"]
    places += [Path(entry) for entry in path.split(":") if entry]
    found = next((place / program for place in places if (place / program).is_file()), None)
    return [str(found)] if found else otherwise
