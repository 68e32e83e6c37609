# ruff: noqa: ARG002, N802 - the methods have the names and arguments that Pulumi's protocol gives them
"""The plugin as Pulumi's engine sees it: the `ResourceProvider` service, for every kind of object.

It decodes requests, calls check.py, diff.py or objects.py, and encodes answers and errors.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tools.airgap.kubernetes_plugin import VERSION, objects
from tools.airgap.kubernetes_plugin import diff as differences
from tools.airgap.kubernetes_plugin.check import Naming, check, secret_mask
from tools.airgap.kubernetes_plugin.cluster import ApiError, Cluster, NoKindError
from tools.airgap.kubernetes_plugin.diff import INPUTS, parsed
from tools.airgap.kubernetes_plugin.kinds import Kind, namespaced, refuse_unsupported
from tools.airgap.kubernetes_plugin.names import automatic_name
from tools.airgap.kubernetes_plugin.objects import Operation, annotation
from tools.airgap.kubernetes_plugin.settings import TAKEN, Settings, refused, replaced
from tools.airgap.plugin import rpc
from tools.airgap.plugin.errors import InitializationError, PluginError, UnsupportedError
from tools.airgap.plugin.wire import Mask, decode, encode

_NAME: Final = "kubernetes"
_REPLACE_UNREADY: Final = '.metadata.annotations["pulumi.com/replaceUnready"]'
_FORGET: Final = (
    "If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the operation with the "
    'PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"'
)


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One plugin process serves one `kubernetes.Provider`."""

    def __init__(self, engine: str | None) -> None:
        self._log = rpc.Log(engine)
        self._cluster = Cluster(settings=Settings({}))

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
        """Name the plugin and its settings; the kinds are the API's, and the SDKs come from the official plugin."""
        settings = {name: {"type": "string"} for name in sorted(TAKEN)}
        schema = {"name": _NAME, "version": VERSION, "provider": {"inputProperties": settings}, "resources": {}}
        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema))

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Refuse configuration that is not implemented."""
        with rpc.answering(context, _NAME):
            failures = [
                provider_pb2.CheckFailure(property=name, reason=reason)
                for name, reason in refused(decode(request.news)[0])
            ]
            return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Another cluster means all new objects; everything else is another way to the same ones."""
        with rpc.answering(context, _NAME):
            changed, replaces = replaced(decode(request.olds)[0], decode(request.news)[0])
            some = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
            return provider_pb2.DiffResponse(changes=some, diffs=changed, replaces=replaces)

    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Remember which cluster to use; it is asked nothing before the first operation."""
        with rpc.answering(context, _NAME):
            self._cluster = Cluster(settings=Settings.of(dict(request.variables)))
            return provider_pb2.ConfigureResponse(
                acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
            )

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """End every wait. Each operation then answers with what is true."""
        self._cluster.cancelled.set()
        return empty_pb2.Empty()

    # What is not implemented.

    def Parameterize(
        self, request: provider_pb2.ParameterizeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ParameterizeResponse:
        """Refuse."""
        with rpc.answering(context, _NAME):
            raise UnsupportedError("the kubernetes plugin takes no parameters")

    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        """Refuse, by name."""
        with rpc.answering(context, _NAME):
            raise UnsupportedError(
                f"{request.tok} is a function, and this plugin implements none (no Helm, Kustomize or YAML); "
                "it implements the objects of the Kubernetes API"
            )

    def Call(self, request: provider_pb2.CallRequest, context: grpc.ServicerContext) -> provider_pb2.CallResponse:
        """Refuse, by name."""
        with rpc.answering(context, _NAME):
            raise UnsupportedError(f"{request.tok} is a method, and this plugin implements none")

    def Construct(
        self, request: provider_pb2.ConstructRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConstructResponse:
        """Refuse, by name."""
        with rpc.answering(context, _NAME):
            raise UnsupportedError(
                f"{request.type} is a component, and this plugin implements none (no Helm, Kustomize or YAML)"
            )

    # Resources.

    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """See check.py."""
        with rpc.answering(context, _NAME):
            token, name = _token(request.urn), request.urn.split("::", 3)[3]
            refuse_unsupported(token, None)
            news, mask = decode(request.news)
            olds, _ = decode(request.olds)
            kind = Kind.of(news)
            refuse_unsupported(token, kind)
            settings = self._cluster.settings
            if settings.flag("skipUpdateUnreachable") and self._cluster.unreachable is not None:
                self._log.warn(request.urn, f"{self._cluster.unreachable}; the object stays as it is")
                return provider_pb2.CheckResponse(inputs=request.olds)
            naming = Naming(automatic=lambda: automatic_name(name, request.randomSeed))
            if request.HasField("autonaming"):
                options = provider_pb2.CheckRequest.AutonamingOptions
                proposed = request.autonaming.proposed_name
                naming = Naming(automatic=lambda: proposed, disabled=request.autonaming.mode == options.DISABLE)
            inputs, problems = check(
                kind, news, olds, naming, lambda: settings.namespace if self._namespaced(kind) else None
            )
            return provider_pb2.CheckResponse(
                inputs=encode(inputs, secret_mask(kind, mask)),
                failures=[provider_pb2.CheckFailure(property=path, reason=reason) for path, reason in problems],
            )

    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """See diff.py. Only a Job that is to be replaced unless it ended well is looked at."""
        with rpc.answering(context, _NAME):
            news, state = decode(request.news)[0], decode(request.olds)[0]
            kind = Kind.of(news)
            found = differences.diff(
                kind,
                state,
                news,
                namespaced=self._namespaced(kind),
                ignored=list(request.ignoreChanges),
                mutable=self._cluster.settings.mutable,
            )
            replaces, delete_first = list(found.replaces), found.delete_first
            if annotation(news, "replaceUnready") == "true" and self._is_unready(request.urn, kind, request.id, news):
                replaces.append(_REPLACE_UNREADY)
                delete_first = delete_first or differences.keeps_its_name(
                    state, news, namespaced=self._namespaced(kind)
                )
            some = bool(found.changes or replaces)
            response = provider_pb2.DiffResponse(
                changes=provider_pb2.DiffResponse.DIFF_SOME if some else provider_pb2.DiffResponse.DIFF_NONE,
                replaces=replaces,
                deleteBeforeReplace=delete_first,
                hasDetailedDiff=True,
            )
            for path, change in found.changes.items():
                response.detailedDiff[path].kind = provider_pb2.PropertyDiff.Kind.Value(
                    f"{change}_REPLACE" if path in found.replaces else str(change)
                )
            return response

    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        """Create an object; in a preview, say what it will look like."""
        with rpc.answering(context, _NAME):
            inputs, given = decode(request.properties)
            mask = _state_mask(Kind.of(inputs), given)
            operation = self._operation(request.urn, request.timeout)
            if request.preview:
                return provider_pb2.CreateResponse(properties=encode(objects.preview_create(operation, inputs), mask))
            try:
                id_, state = objects.create(operation, inputs)
            except InitializationError as error:
                rpc.fail_with_state(context, error, mask)
            return provider_pb2.CreateResponse(id=id_, properties=encode(state, mask))

    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        """Look at what is there. No inputs and no state: it is being imported."""
        with rpc.answering(context, _NAME):
            state, state_mask = decode(request.properties)
            inputs, inputs_mask = decode(request.inputs)
            kind = Kind.of(inputs or state) if (inputs or state) else _kind_of_token(_token(request.urn))
            if self._cluster.unreachable is not None:
                return self._not_read(request)
            mask = _state_mask(kind, {**state_mask, **inputs_mask})
            try:
                found = objects.read(self._cluster, request.id, kind, state, inputs)
            except InitializationError as error:
                rpc.fail_with_state(context, error, mask)
            if found is None:
                return provider_pb2.ReadResponse()
            now, new_inputs = found
            return provider_pb2.ReadResponse(
                id=request.id, properties=encode(now, mask), inputs=encode(new_inputs, secret_mask(kind, inputs_mask))
            )

    def _not_read(self, request: provider_pb2.ReadRequest) -> provider_pb2.ReadResponse:
        settings = self._cluster.settings
        self._log.warn(request.urn, f"configured Kubernetes cluster is unreachable: {self._cluster.unreachable}")
        if settings.flag("skipUpdateUnreachable"):
            return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
        if settings.flag("deleteUnreachable"):
            return provider_pb2.ReadResponse()
        raise PluginError(f"failed to read resource state due to unreachable cluster. {_FORGET}")

    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        """Change an object in place; in a preview, say what it will look like."""
        with rpc.answering(context, _NAME):
            state, _ = decode(request.olds)
            news, given = decode(request.news)
            mask = _state_mask(Kind.of(news), given)
            operation = self._operation(request.urn, request.timeout)
            ignored = [parsed(path) for path in request.ignoreChanges]
            if request.preview:
                planned = objects.preview_update(operation, request.id, state, news, ignored)
                return provider_pb2.UpdateResponse(properties=encode(planned, mask))
            try:
                now = objects.update(operation, request.id, state, news, ignored)
            except InitializationError as error:
                rpc.fail_with_state(context, error, mask)
            return provider_pb2.UpdateResponse(properties=encode(now, mask))

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Delete an object; one that is gone is deleted."""
        with rpc.answering(context, _NAME):
            if self._cluster.unreachable is not None:
                if self._cluster.settings.flag("deleteUnreachable"):
                    return empty_pb2.Empty()
                raise PluginError(f"configured Kubernetes cluster is unreachable. {_FORGET}")
            state, state_mask = decode(request.properties)
            inputs, _ = decode(request.old_inputs)
            try:
                objects.delete(self._operation(request.urn, request.timeout), request.id, state, inputs)
            except InitializationError as error:
                rpc.fail_with_state(context, error, state_mask)
            return empty_pb2.Empty()

    def _operation(self, urn: str, timeout: float) -> Operation:
        return Operation(
            cluster=self._cluster,
            urn=urn,
            say=self._log.progress(urn),
            warn=lambda text: self._log.warn(urn, text),
            timeout=timeout,
        )

    def _namespaced(self, kind: Kind) -> bool:
        """Say whether a kind has namespaces; for one of a CRD the cluster tells, and if it cannot, it has."""
        known = namespaced(kind)
        if known is not None:
            return known
        try:
            return self._cluster.unreachable is not None or self._cluster.resource(kind).namespaced
        except (ApiError, NoKindError):
            return True

    def _is_unready(self, urn: str, kind: Kind, id_: str, news: Mapping[str, Any]) -> bool:
        if (kind.group, kind.kind) != ("batch", "Job"):
            self._log.warn(urn, f"pulumi.com/replaceUnready is for Jobs; it does nothing on a {kind.kind}")
            return False
        return not objects.complete(self._cluster, id_, news)


def _token(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _kind_of_token(token: str) -> Kind:
    """Read a kind from a type like `kubernetes:apps/v1:Deployment`, for an import."""
    _, api, kind = token.split(":")
    group, _, version = api.rpartition("/")
    return Kind("" if group == "core" else _LONG_GROUPS.get(group, group), version, kind)


_LONG_GROUPS: Final[Mapping[str, str]] = {
    "rbac": "rbac.authorization.k8s.io",
    "flowcontrol": "flowcontrol.apiserver.k8s.io",
}


def _state_mask(kind: Kind, given: Mapping[str, Mask]) -> dict[str, Mask]:
    mask = secret_mask(kind, {key: value for key, value in given.items() if not key.startswith("__")})
    return {**mask, INPUTS: dict(mask)} if mask else mask


def serve(address: str | None, engine: int) -> None:
    """Serve an engine that listens at an address and has a process id."""
    rpc.serve(Provider(address), engine)
