"""Waiting until an object is ready or gone: asking again and again, saying what it waits for, and at the end why not.

It asks instead of watching: each answer is as new as the request, and nothing is kept between operations.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tools.airgap.kubernetes_plugin import reasons
from tools.airgap.kubernetes_plugin.cluster import ApiError, CancelledError, Cluster, NoKindError, Resource
from tools.airgap.kubernetes_plugin.kinds import Kind
from tools.airgap.kubernetes_plugin.readiness import Judge, Object, Verdict
from tools.airgap.plugin.errors import PluginError

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 1.0
_QUIET: Final = 2.0  # seconds until a wait says what it waits for
_BETWEEN_EVENTS: Final = 3.0
_PATIENCE: Final = 30.0  # seconds that the API server may be away during a wait


class NotReadyError(PluginError):
    """An object is there and did not become ready."""

    def __init__(self, cause: str, lacks: list[str], live: Object) -> None:
        super().__init__(cause)
        self.lacks = lacks
        self.live = live


@dataclass(frozen=True, kw_only=True)
class Target:
    """One object of the API."""

    kind: Kind
    resource: Resource
    namespace: str | None
    name: str

    @property
    def path(self) -> str:
        """Its path in the API."""
        return self.resource.path(self.namespace, self.name)

    @property
    def id(self) -> str:
        """Its id in Pulumi's state."""
        return f"{self.namespace}/{self.name}" if self.resource.namespaced and self.namespace else self.name


@dataclass(kw_only=True)
class Surroundings:
    """What a judge and those who explain may ask beside the object itself."""

    cluster: Cluster
    namespace: str | None
    seconds: float = 0.0
    memory: dict[str, Any] = field(default_factory=dict)

    def listed(self, kind: Kind, selector: str) -> list[Object]:
        """List objects in the same namespace by labels."""
        path = self.cluster.resource(kind).path(self.namespace)
        return self.cluster.listed(path, {"labelSelector": selector})

    def found(self, kind: Kind, name: str, *, namespaced: bool = True) -> Object | None:
        """Look one up; what may not be read counts as not there."""
        try:
            return self.cluster.found(self.cluster.resource(kind).path(self.namespace if namespaced else None, name))
        except ApiError as error:
            if error.reason == "Forbidden":
                return None
            raise


@dataclass(kw_only=True)
class Wait:
    """One wait for one object to become ready."""

    cluster: Cluster
    target: Target
    judge: Judge
    limit: float
    say: Callable[[str], None]
    _start: float = field(default_factory=time.monotonic)
    _said: float = field(default_factory=time.monotonic)
    _told: float = field(default_factory=time.monotonic)
    _shown: set[str] = field(default_factory=set)
    _lost: float | None = None

    def until_ready(self, live: Object) -> Object:
        """Wait until the judge is content with the object; return it as it then is."""
        around = Surroundings(cluster=self.cluster, namespace=self.target.namespace)
        wanted = live["metadata"].get("generation") or 0
        pause = _FIRST_PAUSE
        while True:
            verdict = self._judged(live, around, wanted)
            if verdict.ready:
                return live
            around.seconds = time.monotonic() - self._start
            if verdict.failed or around.seconds >= self.limit:
                failed = f"Resource '{self.target.name}' was created but failed to initialize"
                cause = failed if verdict.failed else f"'{self.target.name}' timed out waiting to be Ready"
                raise NotReadyError(cause, [*verdict.lacks, *reasons.explained(self.target.kind, live, around)], live)
            self._tell(verdict, live, around)
            try:
                self.cluster.pause(min(pause, self.limit - around.seconds), self.target.name)
            except CancelledError as error:
                raise NotReadyError(str(error), verdict.lacks, live) from error
            pause = min(pause * 1.3, _LONGEST_PAUSE)
            live = _again(self.cluster, self.target, live)

    def _judged(self, live: Object, around: Surroundings, wanted: int) -> Verdict:
        if (live["metadata"].get("generation") or 0) < wanted:
            return Verdict(ready=False, lacks=["waiting for the API to show the new specification"])
        try:
            verdict = self.judge(live, around)
        except (ApiError, NoKindError) as error:
            now = time.monotonic()
            self._lost = self._lost or now
            if now - self._lost > _PATIENCE or (isinstance(error, ApiError) and error.reason == "Forbidden"):
                raise NotReadyError(str(error), [], live) from error
            return Verdict(ready=False, lacks=[str(error)])
        self._lost = None
        return verdict

    def _tell(self, verdict: Verdict, live: Object, around: Surroundings) -> None:
        """Say what is waited for, and each warning of the cluster once."""
        now = time.monotonic()
        if now - self._said >= _QUIET:
            self._said = now
            what = verdict.lacks[0] if verdict.lacks else "waiting"
            self.say(f"{what} ({around.seconds:.0f} s of at most {self.limit:.0f} s)")
        if now - self._told >= _BETWEEN_EVENTS:
            self._told = now
            for line in reasons.warnings(self.target.kind, live, around):
                if line not in self._shown:
                    self._shown.add(line)
                    self.say(line)


def _again(cluster: Cluster, target: Target, live: Object) -> Object:
    try:
        found = cluster.found(target.path)
    except ApiError:
        return live  # the next round's questions tell whether the API is away
    if found is None:
        raise NotReadyError(f"{target.kind.kind} {target.id} was deleted while it was waited for", [], live)
    return found


def now_ready(cluster: Cluster, target: Target, live: Object, judge: Judge) -> Verdict:
    """Ask once, as a refresh does: nothing is waited for."""
    around = Surroundings(cluster=cluster, namespace=target.namespace)
    first = judge(live, around)
    if first.ready:
        return first
    around.seconds = float("inf")  # what has not changed during this question counts as settled
    around.memory["changed"] = 0.0
    verdict = judge(live, around)
    if verdict.ready:
        return verdict
    return Verdict(
        ready=False, failed=verdict.failed, lacks=[*verdict.lacks, *reasons.explained(target.kind, live, around)]
    )


def until_gone(
    cluster: Cluster, target: Target, uid: str | None, limit: float, say: Callable[[str], None]
) -> Object | None:
    """Wait until an object is gone; return it if it is still there at the limit."""
    start = said = time.monotonic()
    pause = _FIRST_PAUSE
    while True:
        found: Mapping[str, Any] | None = None
        try:
            found = cluster.found(target.path)
        except ApiError as error:
            if error.status or time.monotonic() - start > _PATIENCE:
                raise
            found = {"metadata": {"uid": uid}}
        if found is None or (uid is not None and found["metadata"].get("uid") != uid):
            return None
        now = time.monotonic()
        if now - start >= limit:
            return dict(found)
        if now - said >= _QUIET:
            said = now
            held = found["metadata"].get("finalizers") or []
            why = f"; finalizers: {', '.join(held)}" if held else ""
            say(
                f"waiting for {target.kind.kind} {target.id} to be gone ({now - start:.0f} s of at most {limit:.0f} s{why})"
            )
        cluster.pause(min(pause, max(0.0, start + limit - now)), target.name)
        pause = min(pause * 1.3, _LONGEST_PAUSE)
