"""Looking at a cluster for what is not as a stack's state declares it.

It reads the state without its secrets, asks for no Secret's value, and changes nothing while it looks. Putting right is
Pulumi's work: a refresh makes it see what differs, and its update sets it again. The rest is in ``heal.py``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.labels import PROJECT
from pipeline.cluster import compare
from pipeline.cluster.compare import Change, changes
from pipeline.cluster.connection import JSON_PATCH, Cluster, Json, RefusedError, connect, path_of, place_in, plural
from pipeline.cluster.live import AUTOSCALER, CLAIM, SECRET, Known, Live, component, known
from pipeline.cluster.shown import NOTHING, both
from pipeline.console import problem
from pipeline.drift.difference import HIDDEN, Difference, Look, Remedy
from pipeline.engine import Engine
from pipeline.target import State

NO_DATA = ("static", "collected")
"""Claims whose files a step writes again, by their component."""
REFILLED_BY = {"postgres": ("migration",), "static": ("static",), "collected": ("static",)}
"""The steps that have to run again on a claim that is new, by its component."""


def look(engine: Engine, state: State) -> Look:
    """Compare what the cluster has of a stack with what its state declares.

    Raises:
        PipelineError: if the cluster does not answer, or does not let us look.
    """
    place = place_in(state)
    if place is None:
        raise problem(
            f"the state of stack {engine.stack} names no cluster, so nothing can be compared",
            mend=f"make up STACK={engine.stack}",
        )
    with connect(engine, place) as cluster:
        return Stack(cluster, engine.stack, state).look()


def take(cluster: Cluster, path: str, fields: Sequence[str], live: Json, **query: str) -> Json:
    """Take fields away from an object, unless somebody has written to it meanwhile, and give what is left of it."""
    version = {"op": "test", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]}
    # The last of a list first, since those behind it move up.
    patch = [{"op": "remove", "path": each} for each in sorted(fields, key=_order, reverse=True)]
    query = {"fieldManager": compare.MANAGER, **query}
    return dict(json.loads(cluster.ask("PATCH", path, [version, *patch], query, sent=JSON_PATCH)))


def _order(pointer: str) -> list[tuple[int, str]]:
    return [(int(each), "") if each.isdigit() else (-1, each) for each in pointer.split("/")]


class Stack:
    """One look at the objects of a stack."""

    def __init__(self, cluster: Cluster, stack: str, state: State) -> None:
        self._cluster = cluster
        self._name = stack
        self._known = known(state)
        self._now = [each for each in self._known if not each.leaving]
        self._live = Live(cluster)
        self.differing: dict[str, Json] = {}
        """Each object with something that nobody declared, by its path."""

    def look(self) -> Look:
        """Find every difference."""
        found = [each for one in self._now for each in self._object(one)]
        found += [*self._left(), *self._strangers()]
        unready = [each for one in self._now for each in self._unready(one, alone=not found)]
        return Look(containers=len(self._now), noun="objects", differences=[*found, *unready])

    def _object(self, one: Known) -> Iterator[Difference]:
        live = self._find(one)
        if live is None:
            yield self._gone(one, "no such object")
            return
        metadata = live["metadata"]
        if metadata.get("deletionTimestamp"):
            yield self._state(
                one,
                "being deleted" + (", once no pod uses it" if one.kind == CLAIM else ""),
                Remedy.NONE if one.kind == CLAIM else Remedy.REFRESH,
                mend=f"python -m pipeline data dump {self._name}   # while it is there" if one.kind == CLAIM else "",
            )
            return
        uid = one.recorded("uid")
        if uid and metadata.get("uid") != uid:
            if one.kind == CLAIM:
                yield self._gone(one, "another one of this name")
                return
            yield self._state(
                one,
                "another one of this name",
                Remedy.REPLACE if one.kind == SECRET else Remedy.REFRESH,
                what="identity",
                urns=(one.urn,) if one.kind == SECRET else (),
            )
        if (live.get("status") or {}).get("phase") == "Lost":
            yield self._state(one, "lost: its volume is gone", Remedy.NONE, mend=self._anew(one))
        declared = {"metadata": one.inputs["metadata"]} if one.kind == SECRET else one.inputs
        found = changes(declared, live, one.ignored)
        usual = self._usual(one, [each for each in found if each.declared is None and each.plain], live)
        yield from (self._field(one, each, live) for each in found if each not in usual)
        if one.kind == SECRET:
            yield from self._value(one, live)

    def _usual(self, one: Known, added: Sequence[Change], live: Json) -> Sequence[Change]:
        """Give what somebody has set to what the API fills in anyway: the server tells, without doing it."""
        if not added or one.kind == SECRET or one.inputs.get("immutable"):
            return []
        path = self._path(one.group, one.kind, one.namespace, one.name)
        try:
            without = take(self._cluster, path, [each.pointer for each in added], live, dryRun="All")
        except RefusedError:
            return []  # then it is shown, and somebody else may judge
        return [each for each in added if compare.filled_in(each, without)]

    def _gone(self, one: Known, found: str) -> Difference:
        holds = one.kind == CLAIM and one.component not in NO_DATA
        steps = REFILLED_BY.get(one.component, ()) if one.kind == CLAIM else ()
        jobs = [each for each in self._now if each.kind == "Job" and each.component in steps]
        urns = tuple(each.urn for each in jobs if self._find(each) is not None)
        return self._state(
            one, f"{found}{'; its data is gone' if holds else ''}", Remedy.REFRESH, urns=urns, data=holds
        )

    def _anew(self, one: Known) -> str:
        return f"{self._cluster.kubectl} delete pvc {one.name}   # then: python -m pipeline drift {self._name}"

    @staticmethod
    def _state(one: Known, found: str, remedy: Remedy, **more: Any) -> Difference:  # noqa: ANN401 - fields of a difference
        declared = "the one that Pulumi made" if more.get("what") == "identity" else "there"
        return Difference(
            component=one.component,
            name=f"{one.kind} {one.name}",
            declared=declared,
            found=found,
            remedy=remedy,
            **{"what": "state", **more},
        )

    def _field(self, one: Known, change: Change, live: Json) -> Difference:
        remedy, mend, identity = Remedy.UPDATE, "", ""
        path = self._path(one.group, one.kind, one.namespace, one.name)
        if one.inputs.get("immutable") or one.kind == SECRET:
            remedy = Remedy.REPLACE
        elif one.kind == CLAIM and change.text.startswith("spec"):
            remedy, mend = Remedy.NONE, _CLAIM.format(stack=self._name)
        elif change.declared is None:
            remedy, identity = Remedy.REMOVE, f"{path}#{change.pointer}"
            self.differing[path] = live
        declared, found = both(change)
        return Difference(
            component=one.component,
            name=f"{one.kind} {one.name}",
            what=change.text,
            declared=declared,
            found=found,
            remedy=remedy,
            urns=(one.urn,) if remedy is Remedy.REPLACE else (),
            id=identity,
            mend=mend,
        )

    def _value(self, one: Known, live: Json) -> Iterator[Difference]:
        """Tell by who has set them whether values of a Secret are those that were declared: nobody reads them."""
        told = False
        for entry in compare.others(live):
            for key in (entry.get("fieldsV1") or {}).get("f:data") or {}:
                if key.startswith("f:"):
                    told = True
                    yield self._secret(one, f"data{compare.step(key[2:]).text}", f"set by {entry['manager']}", entry)
        # Who takes a value away leaves no name, but a version. One that was made again is told by its identity.
        metadata = live["metadata"]
        written = one.recorded("resourceVersion") not in ("", str(metadata.get("resourceVersion")))
        if not told and written and compare.only_ours(live) and one.recorded("uid") == metadata.get("uid"):
            yield self._secret(one, "data", "written to since the last update", {})

    @staticmethod
    def _secret(one: Known, what: str, found: str, entry: Mapping[str, Any]) -> Difference:
        at = f" at {entry['time']}" if entry.get("time") else ""
        return Difference(
            component=one.component,
            name=f"{one.kind} {one.name}",
            what=what,
            declared=HIDDEN,
            found=f"{found}{at}",
            remedy=Remedy.REPLACE,
            urns=(one.urn,),
        )

    def _unready(self, one: Known, *, alone: bool) -> Iterator[Difference]:
        """Find less ready pods than were declared; where nothing else differs, no healing brings them."""
        live = self._find(one) if one.kind in ("Deployment", "StatefulSet") else None
        if live is None:
            return
        wanted = min(self._replicas(one), int(live["spec"].get("replicas", 1)))
        ready = int((live.get("status") or {}).get("readyReplicas") or 0)
        if ready >= wanted:
            return
        why = self._live.waiting(one.component)
        yield Difference(
            component=one.component,
            name=f"{one.kind} {one.name}",
            what="pods",
            declared=f"{wanted} ready",
            found=f"{ready} ready" + (f"; {why}" if why else ""),
            remedy=Remedy.NONE if alone else Remedy.UPDATE,
            mend=f"python -m pipeline doctor {self._name}   # they are as they were declared, and do not run"
            if alone
            else "",
        )

    def _replicas(self, one: Known) -> int:
        """Give how many pods there have to be at least."""
        if "spec.replicas" not in one.ignored:
            return int(one.inputs["spec"].get("replicas", 1))
        least = [
            int(each.inputs["spec"].get("minReplicas", 1))
            for each in self._now
            if each.kind == AUTOSCALER and each.inputs["spec"]["scaleTargetRef"].get("name") == one.name
        ]
        return max(least, default=0)

    def _left(self) -> Iterator[Difference]:
        """Find what an update that failed has left, which the state knows."""
        names = {(each.kind, each.name) for each in self._now}
        for one in self._known:
            if not one.leaving or (one.kind, one.name) in names or self._find(one) is None:
                continue
            yield Difference(
                component=one.component,
                name=f"{one.kind} {one.name}",
                what="state",
                declared="gone",
                found="there, left by an update that did not end",
                remedy=Remedy.NONE,
                mend=f"make up STACK={self._name}   # decides which release is to stay",
            )

    def _find(self, one: Known) -> Json | None:
        return self._live.find(one.group, one.kind, one.namespace, one.name)

    def _strangers(self) -> Iterator[Difference]:
        """Find objects with the labels of the stack that its state does not know."""
        labels = next((each.inputs["metadata"].get("labels") or {} for each in self._now if each.component), {})
        for group, kind, live in self._live.strangers(str(labels.get(PROJECT)), self._name, self._known):
            metadata = live["metadata"]
            if metadata.get("deletionTimestamp"):
                continue
            yield Difference(
                component=component(live),
                name=f"{kind} {metadata['name']}",
                what="state",
                declared=NOTHING,
                found="an object that Pulumi did not make",
                remedy=Remedy.REMOVE,
                id=self._path(group, kind, self._cluster.namespace, str(metadata["name"])),
            )

    @staticmethod
    def _path(group: str, kind: str, namespace: str | None, name: str) -> str:
        return path_of(group, plural(kind), namespace, name)


_CLAIM = "make up STACK={stack}   # with the size that there is in slipway:kubernetes.storage: no claim gets smaller"
