# ruff: noqa: ARG002, N802 - the methods have the names and arguments that Pulumi's protocol gives them
"""The plugin as Pulumi's engine sees it: the `ResourceProvider` service, for the types in schema.py.

It decodes requests, calls the module of the type, and encodes answers and errors; it knows nothing about Docker.
"""

import json
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tools.airgap.docker_plugin import VERSION, container, image, network, volume
from tools.airgap.docker_plugin.check import DEFAULTS, automatic_name, check
from tools.airgap.docker_plugin.daemon import TIMEOUT, Daemon, Operation, Settings, load_sdk
from tools.airgap.docker_plugin.diff import diff, same
from tools.airgap.docker_plugin.plan import planned
from tools.airgap.docker_plugin.schema import CONTAINER, IMAGE, NETWORK, TYPES, VOLUME, Kind, ResourceType
from tools.airgap.plugin import rpc
from tools.airgap.plugin.errors import InitializationError, UnsupportedError
from tools.airgap.plugin.wire import decode, encode

_OPERATIONS: Final[Mapping[str, ModuleType]] = {
    CONTAINER.token: container,
    NETWORK.token: network,
    VOLUME.token: volume,
    IMAGE.token: image,
}
_CONFIGURATION: Final = frozenset({"host", "certPath", "registryAuth"})


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One plugin process serves one `docker:Provider`."""

    def __init__(self, engine: str | None) -> None:
        self._log = rpc.Log(engine)
        self._daemon = Daemon(settings=Settings.of({}))

    # What the engine asks first.

    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Agree on what both sides understand."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, supports_autonaming_configuration=True)

    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Take the address of the engine that a debugger started this process for."""
        self._log = rpc.Log(request.address)
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Say which version of the official plugin the answers are those of."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(
        self, request: provider_pb2.GetSchemaRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetSchemaResponse:
        """List the types and inputs that are implemented; the SDK of each language comes from the official plugin."""
        return provider_pb2.GetSchemaResponse(schema=json.dumps(_schema()))

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Refuse configuration that is not implemented."""
        with rpc.answering(context, "docker"):
            values, _ = decode(request.news)
            refused = sorted(set(values) - _CONFIGURATION - {"version", "pluginDownloadURL"})
            taken = ", ".join(sorted(_CONFIGURATION))
            failures = [
                provider_pb2.CheckFailure(
                    property=name,
                    reason=f"{name} is not a setting of the docker provider that this plugin implements. It takes: {taken}",
                )
                for name in refused
            ]
            return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Any change of configuration is an update: it names another way to what is already there."""
        with rpc.answering(context, "docker"):
            changed = decode(request.olds)[0] != decode(request.news)[0]
            return provider_pb2.DiffResponse(
                changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
            )

    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Remember which daemon to use; it is asked nothing before the first operation."""
        with rpc.answering(context, "docker"):
            self._daemon = Daemon(settings=Settings.of(decode(request.args)[0]))
            return provider_pb2.ConfigureResponse(
                acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
            )

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """End every wait. Each operation then answers with what is true."""
        self._daemon.cancelled.set()
        return empty_pb2.Empty()

    # What is not implemented.

    def Parameterize(
        self, request: provider_pb2.ParameterizeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ParameterizeResponse:
        """Refuse."""
        with rpc.answering(context, "docker"):
            raise UnsupportedError("the docker plugin takes no parameters")

    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        """Refuse, by name."""
        with rpc.answering(context, "docker"):
            raise UnsupportedError(
                f"{request.tok} is a function, and this plugin implements none; it implements the resource types "
                f"{', '.join(sorted(TYPES))}"
            )

    def Call(self, request: provider_pb2.CallRequest, context: grpc.ServicerContext) -> provider_pb2.CallResponse:
        """Refuse, by name."""
        with rpc.answering(context, "docker"):
            raise UnsupportedError(f"{request.tok} is a method, and this plugin implements none")

    def Construct(
        self, request: provider_pb2.ConstructRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConstructResponse:
        """Refuse, by name."""
        with rpc.answering(context, "docker"):
            raise UnsupportedError(f"{request.type} is a component, and this plugin implements none")

    # Resources.

    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """See check.py."""
        with rpc.answering(context, "docker"):
            resource = _resource(request.urn)
            news, mask = decode(request.news)
            name = automatic_name(request.urn.split("::", 3)[3], request.randomSeed)
            if request.HasField("autonaming"):
                disabled = request.autonaming.mode == provider_pb2.CheckRequest.AutonamingOptions.DISABLE
                name = "" if disabled else request.autonaming.proposed_name
            inputs, problems = check(resource, news, decode(request.olds)[0], name)
            if resource.automatic_name and not inputs.get("name") and not problems:
                problems = [("name", "name is missing, and automatic names are switched off in pulumi:autonaming")]
            return provider_pb2.CheckResponse(
                inputs=encode(inputs, mask),
                failures=[provider_pb2.CheckFailure(property=path, reason=reason) for path, reason in problems],
            )

    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """See diff.py."""
        with rpc.answering(context, "docker"):
            found = diff(
                _resource(request.urn), decode(request.olds)[0], decode(request.news)[0], list(request.ignoreChanges)
            )
            response = provider_pb2.DiffResponse(
                changes=provider_pb2.DiffResponse.DIFF_SOME if found.changes else provider_pb2.DiffResponse.DIFF_NONE,
                replaces=found.replaces,
                deleteBeforeReplace=found.delete_first,
                diffs=sorted({path.split(".")[0].split("[")[0] for path in found.changes}),
                hasDetailedDiff=True,
            )
            for path, change in found.changes.items():
                replaced = path.split(".")[0].split("[")[0] in found.replaces
                kind = f"{change}_REPLACE" if replaced else str(change)
                response.detailedDiff[path].kind = provider_pb2.PropertyDiff.Kind.Value(kind)
            return response

    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        """Create a resource; in a preview, say what it will look like."""
        with rpc.answering(context, "docker"):
            resource = _resource(request.urn)
            inputs, mask = decode(request.properties)
            if request.preview:
                return provider_pb2.CreateResponse(properties=encode(planned(resource, inputs, None), mask))
            operations = _OPERATIONS[resource.token]
            try:
                id_, state = operations.create(self._operation(request.urn, request.timeout), inputs)
            except InitializationError as error:
                rpc.fail_with_state(context, error, mask)
            return provider_pb2.CreateResponse(id=id_, properties=encode(state, mask))

    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        """Look at what is there. No inputs: it is being imported."""
        with rpc.answering(context, "docker"):
            resource = _resource(request.urn)
            state, state_mask = decode(request.properties)
            inputs, inputs_mask = decode(request.inputs)
            load_sdk()
            found = _OPERATIONS[resource.token].read(self._daemon, request.id, state or inputs)
            if found is None:
                return provider_pb2.ReadResponse()
            id_, now = found
            return provider_pb2.ReadResponse(
                id=id_,
                properties=encode(now, {**state_mask, **inputs_mask}),
                inputs=encode(_inputs(resource, now, inputs), inputs_mask),
            )

    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        """Change a resource in place; in a preview, say what it will look like."""
        with rpc.answering(context, "docker"):
            resource = _resource(request.urn)
            state, state_mask = decode(request.olds)
            inputs, mask = decode(request.news)
            kept = {key: value for key, value in state_mask.items() if key not in resource.inputs}
            if request.preview:
                now = planned(resource, inputs, state)
            else:
                operation = self._operation(request.urn, request.timeout)
                now = _OPERATIONS[resource.token].update(operation, request.id, inputs, state)
            return provider_pb2.UpdateResponse(properties=encode(now, {**kept, **mask}))

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Delete a resource; one that is gone is deleted."""
        with rpc.answering(context, "docker"):
            operation = self._operation(request.urn, request.timeout)
            state, _ = decode(request.properties)
            _OPERATIONS[_resource(request.urn).token].delete(operation, request.id, state)
            return empty_pb2.Empty()

    def _operation(self, urn: str, timeout: float) -> Operation:
        load_sdk()
        return Operation(daemon=self._daemon, say=self._log.progress(urn), timeout=timeout or TIMEOUT)


def _resource(urn: str) -> ResourceType:
    token = urn.split("::")[2].rpartition("$")[2]
    if token not in TYPES:
        raise UnsupportedError(
            f"{token} is not a resource type that this plugin implements; it implements {', '.join(sorted(TYPES))}"
        )
    return TYPES[token]


def _inputs(resource: ResourceType, state: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs that would give a state: those of before, where they still say the same."""
    result: dict[str, Any] = {}
    for key, spec in resource.inputs.items():
        now = state.get(key)
        if before and key in before:
            result[key] = before[key] if same(spec, now, before[key]) else now
        elif not before and not spec.computed and not same(spec, now, spec.default):
            result[key] = now
    return {**result, DEFAULTS: before.get(DEFAULTS, [])}


def _schema() -> dict[str, Any]:
    kinds = {Kind.SET: "array", Kind.LIST: "array", Kind.MAP: "object"}
    return {
        "name": "docker",
        "version": VERSION,
        "resources": {
            token: {
                "inputProperties": {
                    key: {"type": kinds.get(spec.kind, str(spec.kind))} for key, spec in resource.inputs.items()
                },
                "requiredInputs": sorted(
                    key
                    for key, spec in resource.inputs.items()
                    if spec.required and not (key == "name" and resource.automatic_name)
                ),
            }
            for token, resource in TYPES.items()
        },
    }


def serve(address: str | None, engine: int) -> None:
    """Serve an engine that listens at an address and has a process id."""
    rpc.serve(Provider(address), engine)
