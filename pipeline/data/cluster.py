"""Running commands inside the pods of a stack on a Kubernetes cluster."""

import contextlib
import select
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import yaml

from components.labels import COMPONENT, PROJECT, RELEASE, STACK
from components.model import Settings
from pipeline.cluster.connection import Cluster, Json, connect, explained, place_of
from pipeline.console import problem
from pipeline.data.process import IDLE_SECONDS, Done, Output
from pipeline.engine import Engine

_STDIN, _OUT, _ERR, _STATUS = 0, 1, 2, 3
_PIECE = 1 << 16
"""How much is sent at once; the API server refuses messages that are much longer."""


class Pods:
    """The pods of one stack."""

    def __init__(self, cluster: Cluster, project: str, stack: str) -> None:
        self._cluster = cluster
        self._stack = stack
        self._ours = f"{PROJECT}={project},{STACK}={stack}"

    @property
    def release(self) -> str:
        """The release that runs."""
        return str(self._one("web")["metadata"]["labels"].get(RELEASE, ""))

    @property
    def image(self) -> str:
        """The name of the image that runs, with its digest."""
        return str(self._one("web")["spec"]["containers"][0]["image"])

    def run(
        self,
        component: str,
        command: Sequence[str],
        *,
        feed: Iterable[bytes] = (),
        sink: Callable[[bytes], None] | None = None,
    ) -> Done:
        """Run a command in a pod of a component."""
        pod, output = self._one(component), Output(sink)
        messages = _Messages(self._open(pod, list(command)))
        status = b""

        def take(wait: float | None) -> bool:
            nonlocal status
            for channel, piece in messages.read(wait):
                if channel == _STATUS:
                    status += piece
                elif channel in (_OUT, _ERR):
                    (output.err if channel == _ERR else output.out)(piece)
            return messages.open

        try:
            for piece in feed:
                for start in range(0, len(piece), _PIECE):
                    messages.send(piece[start : start + _PIECE])
                    if not take(0) or status:
                        break
                if not messages.open or status:
                    break
            while not status and take(IDLE_SECONDS):
                pass
        finally:
            messages.close()
        return output.done(_code(status))

    def restart(self, limit: float) -> list[str]:
        """Let the cluster replace the pods of the app as in a release, and name what does not get ready."""
        from kubernetes.client import AppsV1Api  # type: ignore[import-untyped]  # noqa: PLC0415 - untyped and slow

        deployments = self._cluster.inside("apps/v1", "deployments")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        change = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": now}}}}}
        names = []
        for each in self._cluster.items(deployments, labelSelector=self._ours):
            component = each["metadata"].get("labels", {}).get(COMPONENT, "")
            if component == "web" or component.startswith("process-"):
                name = each["metadata"]["name"]
                AppsV1Api(self._cluster.client).patch_namespaced_deployment(name, self._cluster.namespace, change)
                names.append(name)
        end = time.monotonic() + limit
        while names and time.monotonic() < end:
            now_there = {each["metadata"]["name"]: each for each in self._cluster.items(deployments)}
            names = [name for name in names if name in now_there and not _settled(now_there[name])]
            time.sleep(1)
        return names

    def _one(self, component: str) -> Json:
        pods = self._cluster.inside("v1", "pods")
        selector = f"{self._ours},{COMPONENT}={component}"
        found = [each for each in self._cluster.items(pods, labelSelector=selector) if _serves(each)]
        if not found:
            raise problem(
                f"no pod of {component} is ready in the namespace {self._cluster.namespace}",
                allowed="a stack that is up",
                mend=f"{self._cluster.kubectl} get pods   # shows what is there\nmake up STACK={self._stack}",
            )
        return min(found, key=lambda each: str(each["metadata"]["name"]))

    def _open(self, pod: Json, command: list[str]) -> Any:  # noqa: ANN401 - the client has no types
        from kubernetes.client import CoreV1Api  # noqa: PLC0415 - half a second
        from kubernetes.stream import stream  # type: ignore[import-untyped]  # noqa: PLC0415 - untyped and slow

        return stream(
            CoreV1Api(self._cluster.client).connect_get_namespaced_pod_exec,
            pod["metadata"]["name"],
            self._cluster.namespace,
            container=pod["spec"]["containers"][0]["name"],
            command=command,
            stdin=True,
            stdout=True,
            stderr=True,
            tty=False,
            binary=True,
            _preload_content=False,
        )


class _Messages:
    """The connection to one command: messages that begin with the number of a channel.

    The client's own reader asks the operating system whether there is something to read, and misses what TLS has read
    already; it also keeps everything in memory.
    """

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - the client has no types
        self._client = client
        self._web = client.sock
        self._web.settimeout(IDLE_SECONDS)
        self.open = True

    def send(self, piece: bytes) -> None:
        """Send a piece of the input."""
        with contextlib.suppress(OSError):  # a program that ended needs no more; what it said is still to be read
            self._client.write_channel(_STDIN, piece)

    def read(self, wait: float | None) -> Iterator[tuple[int, bytes]]:
        """Give the messages that are there, and wait for the first of them."""
        from websocket import ABNF, WebSocketException  # noqa: PLC0415 - comes with the client, as slow

        begun = False
        while self.open and self._ready(0 if begun else wait):
            begun = True
            try:
                kind, frame = self._web.recv_data_frame(control_frame=True)
            except (WebSocketException, ConnectionError):
                self.open = False
                return
            if kind == ABNF.OPCODE_CLOSE:
                self.open = False
            elif kind in (ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT) and len(frame.data) > 1:
                yield frame.data[0], bytes(frame.data[1:])
        if not begun and wait:
            raise problem(f"the command in the pod said nothing for {wait:.0f} s")

    def _ready(self, wait: float | None) -> bool:
        raw = self._web.sock
        if raw is None:
            self.open = False
            return False
        if getattr(raw, "pending", lambda: 0)():
            return True
        poll = select.poll()
        poll.register(raw, select.POLLIN)
        return bool(poll.poll(None if wait is None else wait * 1000))

    def close(self) -> None:
        """End it."""
        self._client.close()


def _code(status: bytes) -> int:
    """The exit code, as the cluster tells it at the end."""
    told = yaml.safe_load(status) if status else {}
    if not isinstance(told, dict) or not told:
        raise problem(
            "the connection to the pod ended before the command did",
            mend="the same command again; a proxy between here and the cluster may limit how long a connection lasts",
        )
    if told.get("status") == "Success":
        return 0
    causes = (told.get("details") or {}).get("causes") or []
    codes = [each["message"] for each in causes if each.get("reason") == "ExitCode"]
    if not codes:
        raise problem(f"the command could not run in the pod: {told.get('message')}")
    return int(codes[0])


def _serves(pod: Json) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return "deletionTimestamp" not in pod["metadata"] and any(
        each["type"] == "Ready" and each["status"] == "True" for each in conditions
    )


def _settled(deployment: Json) -> bool:
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
    counts = {status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas")}
    return bool(seen and counts == {wanted})


@contextmanager
def open_(engine: Engine, loaded: Settings) -> Iterator[Pods]:
    """Reach the pods of a stack."""
    from kubernetes.client import ApiException  # noqa: PLC0415 - half a second

    with connect(engine, place_of(loaded)) as cluster, explained(cluster):
        try:
            yield Pods(cluster, loaded.app.name or "", engine.stack)
        except ApiException as error:
            raise problem(
                f"the cluster refused to run a command in a pod: {error.status} {error.reason}",
                allowed="the right to create pods/exec in the namespace",
                mend=f"{cluster.kubectl} auth can-i create pods/exec",
            ) from None
