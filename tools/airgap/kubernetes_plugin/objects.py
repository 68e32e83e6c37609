"""Create, preview, read, update and delete one object.

A failure after the object exists is an InitializationError: the object is recorded, with the reasons, and the next
update goes on from there. Nothing is recorded of a failure before that.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tools.airgap.kubernetes_plugin import waiting
from tools.airgap.kubernetes_plugin.check import has_unknowns, prepared
from tools.airgap.kubernetes_plugin.cluster import APPLY, JSON_PATCH, ApiError, Cluster, NoKindError
from tools.airgap.kubernetes_plugin.diff import INPUTS, Path, pruned
from tools.airgap.kubernetes_plugin.kinds import Kind
from tools.airgap.kubernetes_plugin.managers import left_alone, taken_over
from tools.airgap.kubernetes_plugin.readiness import Judge, judge_of, judged_at_refresh, usual_limit, wait_for
from tools.airgap.kubernetes_plugin.typed import dashed, fields, underscored
from tools.airgap.kubernetes_plugin.waiting import NotReadyError, Target
from tools.airgap.plugin.errors import InitializationError, PluginError

CREATOR: Final = "pulumi-kubernetes"
_MANAGER: Final = "__fieldManager"
_FIRST_API_VERSION: Final = "__initialApiVersion"
_ANNOTATION: Final = "pulumi.com/"
_PAUSES: Final = (1, 2, 4, 8, 16)  # seconds between the tries of a creation whose namespace or kind is not there yet
_NOT_FOUND: Final = 404
_INVALID: Final = 422
_CONFLICT_HELP: Final = (
    "server-side apply field conflict detected, see https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/"
    "managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources for troubleshooting help\n"
)
_EXISTS_HELP: Final = """

The resource already exists in the cluster. This can happen when:
  - a resource was renamed or moved in the program: give it an alias for its old name
  - something else made it and only some of its fields are to be set: use a Patch resource
  - it is to be managed by this program from now on: import it (pulumi import)
  - it is to be taken over whenever it is there: set upsertExistingObjects of the kubernetes provider"""
_PROPAGATION: Final = {"orphan": "Orphan", "background": "Background", "foreground": "Foreground"}
_GONE_WITHOUT_WAITING: Final = frozenset(
    {"Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job"}
)
_NOT_READ_BACK: Final = frozenset({"status"})
_NOT_IMPORTED: Final = frozenset({"creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"})
_NOT_IMPORTED_ANNOTATIONS: Final = frozenset(
    {"deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration"}
)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation of the engine on one object."""

    cluster: Cluster
    urn: str
    say: Callable[[str], None]
    """Show what it is at."""
    warn: Callable[[str], None]
    """Say something that stays in the display."""
    timeout: float = 0.0
    """Of `customTimeouts`; 0 if the program says nothing."""


def annotation(values: Mapping[str, Any], name: str) -> str | None:
    """Return an annotation of this plugin's own."""
    metadata = values.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    value = annotations.get(_ANNOTATION + name) if isinstance(annotations, dict) else None
    return value if isinstance(value, str) else None


def preview_create(operation: Operation, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Say what a creation would give; the API tells, where it can be asked."""
    cluster = operation.cluster
    if has_unknowns(inputs) or cluster.unreachable is not None:
        return dict(inputs)
    kind, manager = Kind.of(inputs), _manager(inputs, {})
    try:
        target = _target(cluster, kind, inputs)
        if cluster.settings.flag("upsertExistingObjects"):
            live = _apply(cluster, target, inputs, _applying(manager, force=True, preview=True))
        else:
            live = _post(cluster, target, inputs, preview=True)
    except NoKindError:
        return dict(inputs)
    except ApiError as error:
        if error.reason in {"Forbidden", "NotFound", "AlreadyExists"} or "dry" in str(error).lower():
            return dict(inputs)
        raise
    return _state({key: value for key, value in live.items() if key != "status"}, inputs, kind.api_version, manager)


def create(operation: Operation, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Create an object, or take over the one that is there if the provider is to, and wait until it is ready."""
    cluster, kind, manager = operation.cluster, Kind.of(inputs), _manager(inputs, {})
    _judge(kind, inputs)  # refuses annotations that cannot be read, while there is nothing to record
    cluster.demand()
    target, live = _created(operation, kind, inputs, manager)

    def state(now: Mapping[str, Any]) -> dict[str, Any]:
        return _state(now, inputs, kind.api_version, manager)

    cause = (
        f'resource "{operation.urn}" was successfully created, but the Kubernetes API server reported that it failed to '
        "fully initialize or become live: "
    )
    return target.id, _awaited(operation, target, live, inputs, _Outcome(state=state, cause=cause))


def _created(
    operation: Operation, kind: Kind, inputs: Mapping[str, Any], manager: str
) -> tuple[Target, dict[str, Any]]:
    cluster = operation.cluster
    for number, pause in enumerate((*_PAUSES, 0), start=1):
        try:
            target = _target(cluster, kind, inputs)
            if cluster.settings.flag("upsertExistingObjects"):
                applying = _applying(manager, force=_forced(cluster, inputs), preview=False)
                return target, _apply(cluster, target, inputs, applying)
            return target, _post(cluster, target, inputs, preview=False)
        except NoKindError as error:
            failure: PluginError = PluginError(
                f"creation of resource {operation.urn!r} with kind {kind.api_version}, Kind={kind.kind} failed because the "
                "Kubernetes API server reported that the apiVersion for this resource does not exist. Verify that any "
                f"required CRDs have been created: {error}"
            )
        except ApiError as error:
            if error.reason == "Conflict":
                raise PluginError(_conflict(manager, error)) from error
            more = _EXISTS_HELP if error.reason == "AlreadyExists" else ""
            failure = PluginError(
                f'resource "{operation.urn}" was not successfully created by the Kubernetes API server: {error}{more}'
            )
            if error.status != _NOT_FOUND:
                raise failure from error
        if pause:
            operation.say(f"Retry #{number}; creation failed: {failure}")
            cluster.pause(pause, _name(inputs))
    raise failure


def preview_update(
    operation: Operation,
    id_: str,
    state: Mapping[str, Any],
    news: Mapping[str, Any],
    ignored: Sequence[Path] = (),
) -> dict[str, Any]:
    """Say what an update would give; the API tells, where it can be asked."""
    cluster = operation.cluster
    if has_unknowns(news) or cluster.unreachable is not None:
        return dict(news)
    kind, manager = Kind.of(news), _manager(news, state)
    try:
        target = _target(cluster, kind, news, id_)
        before = cluster.get(target.path)
        force = _forced(cluster, news, before) or _posted(before)
        applied = left_alone(news, before, manager, ignored)
        live = _applied(cluster, target, applied, before, _applying(manager, force=force, preview=True))
    except NoKindError:
        return dict(news)
    except ApiError as error:
        if error.reason == "Conflict":
            raise PluginError(_conflict(manager, error)) from error
        raise
    return _state(live, news, str(state.get(_FIRST_API_VERSION) or kind.api_version), manager)


def update(
    operation: Operation,
    id_: str,
    state: Mapping[str, Any],
    news: Mapping[str, Any],
    ignored: Sequence[Path] = (),
) -> dict[str, Any]:
    """Apply inputs to an object that is there, and wait until it is ready."""
    cluster, kind, manager = operation.cluster, Kind.of(news), _manager(news, state)
    _judge(kind, news)  # as in create
    cluster.demand()
    target = _target(cluster, kind, news, id_)
    before = cluster.found(target.path)
    if before is None:
        missing = f'{target.resource.plural} "{target.name}" not found'
        raise PluginError(
            f'update of resource "{operation.urn}" failed: {missing}\nunable to get cluster state: {missing}'
        )
    first = str(state.get(_FIRST_API_VERSION) or kind.api_version)

    def new_state(now: Mapping[str, Any]) -> dict[str, Any]:
        return _state(now, news, first, manager)

    cause = f'the Kubernetes API server reported that "{target.id}" failed to fully initialize or become live: '
    try:
        taken = taken_over(before["metadata"].get("managedFields") or [], manager)
        if taken is not None:
            patch = [
                {"op": "replace", "path": "/metadata/managedFields", "value": taken},
                {"op": "replace", "path": "/metadata/resourceVersion", "value": before["metadata"]["resourceVersion"]},
            ]
            cluster.request("PATCH", target.path, body=patch, content_type=JSON_PATCH)
        force = _forced(cluster, news, before)
        applied = left_alone(news, before, manager, ignored)
        live = _applied(cluster, target, applied, before, _applying(manager, force=force, preview=False))
        if manager != state.get(_MANAGER) and state.get(_MANAGER):
            _relinquish(cluster, target, str(state[_MANAGER]))
    except ApiError as error:
        said = _conflict(manager, error) if error.reason == "Conflict" else str(error)
        raise InitializationError(target.id, new_state(before), {}, [cause + said]) from error
    return _awaited(operation, target, live, news, _Outcome(state=new_state, cause=cause))


def read(
    cluster: Cluster, id_: str, token_kind: Kind, state: Mapping[str, Any], inputs: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return the state and the inputs of an object that is there; neither state nor inputs: it is being imported."""
    known = inputs or state.get(INPUTS) or {}
    kind = Kind.of(known) if "kind" in known else token_kind
    try:
        target = _target(cluster, kind, known, id_)
    except NoKindError:
        return None
    live = cluster.found(target.path)
    if live is None:
        return None
    now = pruned(prepared(kind, live), known) if known else _imported(kind, live)
    new_state = _state(
        live, now, str(state.get(_FIRST_API_VERSION) or kind.api_version), str(state.get(_MANAGER) or _manager(now, {}))
    )
    judge = _judge(kind, now) if known and judged_at_refresh(kind) else None
    if judge is not None:
        verdict = waiting.now_ready(cluster, target, live, judge)
        if not verdict.ready:
            reason = f"Resource '{target.name}' was created but failed to initialize"
            raise InitializationError(target.id, new_state, now, [reason, *verdict.lacks])
    return new_state, now


def delete(operation: Operation, id_: str, state: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
    """Delete an object and wait until it is gone; one that is gone is deleted."""
    cluster = operation.cluster
    known = inputs or state.get(INPUTS) or state
    kind = Kind.of(known)
    try:
        target = _target(cluster, kind, known, id_)
        wanted = (annotation(known, "deletionPropagationPolicy") or "foreground").lower()
        if wanted not in _PROPAGATION:
            raise PluginError(
                f"pulumi.com/deletionPropagationPolicy is {wanted!r}; it must be one of {', '.join(sorted(_PROPAGATION))}"
            )
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": _PROPAGATION[wanted]}
        answer = cluster.request("DELETE", target.path, body=options)
    except NoKindError:
        return
    except ApiError as error:
        if error.status == _NOT_FOUND:
            return
        raise
    if annotation(known, "skipAwait") == "true" and kind.kind in _GONE_WITHOUT_WAITING:
        return
    uid = (answer.get("metadata") or {}).get("uid") or (answer.get("details") or {}).get("uid")
    limit = _limit(operation, kind, known, deleting=True)
    left = waiting.until_gone(cluster, target, uid, limit, operation.say)
    if left is not None:
        held = ", ".join(left["metadata"].get("finalizers") or [])
        operation.warn(f"finalizers might be preventing deletion ({held})")
        reason = f"timed out waiting for the condition: {kind.kind} {target.id} is still there after {limit:.0f} s"
        raise InitializationError(target.id, {**state, **_shown(kind, left)}, {}, [reason])


def complete(cluster: Cluster, id_: str, inputs: Mapping[str, Any]) -> bool:
    """Say whether a Job ended well; one that cannot be asked about counts as such."""
    if cluster.unreachable is not None:
        return True
    kind = Kind.of(inputs)
    live = cluster.found(_target(cluster, kind, inputs, id_).path)
    judge = judge_of(kind)
    if live is None or judge is None:
        return False
    around = waiting.Surroundings(cluster=cluster, namespace=None)
    return judge(live, around).ready


def _target(cluster: Cluster, kind: Kind, values: Mapping[str, Any], id_: str = "") -> Target:
    resource = cluster.resource(kind)
    metadata = values.get("metadata") or {}
    name = str(id_.rpartition("/")[2] or metadata.get("name"))
    namespace = None
    if resource.namespaced:
        namespace = (id_.rpartition("/")[0] or metadata.get("namespace")) or cluster.settings.namespace or "default"
    return Target(kind=kind, resource=resource, namespace=namespace, name=name)


def _name(inputs: Mapping[str, Any]) -> str:
    return str((inputs.get("metadata") or {}).get("name"))


def _body(kind: Kind, inputs: Mapping[str, Any]) -> dict[str, Any]:
    body = {key: value for key, value in inputs.items() if not key.startswith("__")}
    return dict(dashed(body)) if kind.kind == "CustomResourceDefinition" else body


def _shown(kind: Kind, live: Mapping[str, Any]) -> dict[str, Any]:
    return dict(underscored(dict(live)) if kind.kind == "CustomResourceDefinition" else live)


def _post(cluster: Cluster, target: Target, inputs: Mapping[str, Any], *, preview: bool) -> dict[str, Any]:
    query = {"fieldManager": CREATOR, **({"dryRun": "All"} if preview else {})}
    path = target.resource.path(target.namespace)
    return cluster.request("POST", path, query, body=_body(target.kind, inputs))


def _apply(cluster: Cluster, target: Target, inputs: Mapping[str, Any], applying: Mapping[str, str]) -> dict[str, Any]:
    query = {"fieldValidation": "Warn", **applying}
    return cluster.request("PATCH", target.path, query, body=_body(target.kind, inputs), content_type=APPLY)


def _applying(manager: str, *, force: bool, preview: bool) -> dict[str, str]:
    query = {"fieldManager": manager, "force": "true" if force else "false"}
    return {**query, "dryRun": "All"} if preview else query


def _applied(
    cluster: Cluster,
    target: Target,
    inputs: Mapping[str, Any],
    before: Mapping[str, Any],
    applying: Mapping[str, str],
) -> dict[str, Any]:
    if target.kind.kind != "CustomResourceDefinition":
        return _apply(cluster, target, inputs, applying)
    body = _body(target.kind, inputs)  # versions and their schemas are replaced as a whole
    body["metadata"] = {**body["metadata"], "resourceVersion": before["metadata"]["resourceVersion"]}
    query = {key: value for key, value in applying.items() if key != "force"}
    return cluster.request("PUT", target.path, query, body=body)


def _relinquish(cluster: Cluster, target: Target, manager: str) -> None:
    metadata = {"name": target.name, **({"namespace": target.namespace} if target.namespace else {})}
    empty = {"apiVersion": target.kind.api_version, "kind": target.kind.kind, "metadata": metadata}
    _apply(cluster, target, empty, _applying(manager, force=False, preview=False))


def _forced(cluster: Cluster, inputs: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> bool:
    unmanaged = before is not None and not before["metadata"].get("managedFields")
    return annotation(inputs, "patchForce") == "true" or cluster.settings.flag("enablePatchForce") or unmanaged


def _posted(before: Mapping[str, Any]) -> bool:
    """Say whether a creation of ours still owns fields that the first update, unlike its preview, takes over."""
    return taken_over(before["metadata"].get("managedFields") or [], CREATOR) is not None


def _manager(inputs: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    return annotation(inputs, "patchFieldManager") or state.get(_MANAGER) or f"{CREATOR}-{secrets.token_hex(4)}"


def _conflict(manager: str, error: ApiError) -> str:
    if "Apply failed with" not in str(error):
        return str(error)
    return f'{_CONFLICT_HELP}The resource managed by field manager "{manager}" had an apply conflict: {error}'


def _state(live: Mapping[str, Any], inputs: Mapping[str, Any], first: str, manager: str) -> dict[str, Any]:
    kept = {key: value for key, value in inputs.items() if not key.startswith("__")}
    shown = _shown(Kind.of(kept), live) if "kind" in kept else dict(live)
    return {**shown, INPUTS: kept, _FIRST_API_VERSION: first, _MANAGER: manager}


def _judge(kind: Kind, inputs: Mapping[str, Any]) -> Judge | None:
    if annotation(inputs, "skipAwait") == "true":
        return None
    told = annotation(inputs, "waitFor")
    return wait_for(told) if told else judge_of(kind)


def _limit(operation: Operation, kind: Kind, inputs: Mapping[str, Any], *, deleting: bool = False) -> float:
    told = annotation(inputs, "timeoutSeconds") or ""
    if operation.timeout:
        return operation.timeout
    return float(told) if told.isdigit() else usual_limit(kind if not deleting else Kind("", "v1", ""))


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What is recorded of an object whatever becomes of it, and how a failure begins."""

    state: Callable[[Mapping[str, Any]], dict[str, Any]]
    cause: str


def _awaited(
    operation: Operation, target: Target, live: dict[str, Any], inputs: Mapping[str, Any], outcome: _Outcome
) -> dict[str, Any]:
    judge = _judge(target.kind, inputs)
    if judge is None:
        return outcome.state(live)
    wait = waiting.Wait(
        cluster=operation.cluster,
        target=target,
        judge=judge,
        limit=_limit(operation, target.kind, inputs),
        say=operation.say,
    )
    try:
        return outcome.state(wait.until_ready(live))
    except NotReadyError as error:
        reasons = [f"{outcome.cause}{error}", *dict.fromkeys(error.lacks)]
        raise InitializationError(target.id, outcome.state(error.live), {}, reasons) from error
    except PluginError as error:  # the object is there, so it is recorded whatever happened
        raise InitializationError(target.id, outcome.state(live), {}, [f"{outcome.cause}{error}"]) from error


def _imported(kind: Kind, live: Mapping[str, Any]) -> dict[str, Any]:
    known = fields(kind)
    kept = {key: value for key, value in live.items() if key not in _NOT_READ_BACK and (known is None or key in known)}
    metadata = {key: value for key, value in live["metadata"].items() if key not in _NOT_IMPORTED}
    annotations = {
        key: value
        for key, value in (metadata.pop("annotations", None) or {}).items()
        if key not in _NOT_IMPORTED_ANNOTATIONS
    }
    return {**kept, "metadata": {**metadata, **({"annotations": annotations} if annotations else {})}}
