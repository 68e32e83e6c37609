"""Running commands inside the containers of a stack on a Docker host."""

import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from socket import SHUT_RDWR
from typing import Any

import docker
import docker.errors
from docker.models.containers import Container

from components.labels import COMPONENT, PROJECT, RELEASE, STACK
from components.model import Settings
from pipeline.console import problem
from pipeline.data.process import IDLE_SECONDS, Done, Output
from pipeline.engine import Engine
from pipeline.host.check import daemon

_HEADER = struct.Struct(">BxxxL")
_ERR = 2
_MOST = 1 << 20


class Containers:
    """The containers of one stack."""

    def __init__(self, client: docker.DockerClient, settings: Settings, stack: str) -> None:
        self._client = client
        self._stack = stack
        self._labels = [f"{PROJECT}={settings.app.name}", f"{STACK}={stack}"]

    @property
    def release(self) -> str:
        """The release that runs."""
        return str(self._one("web").labels.get(RELEASE, ""))

    @property
    def image(self) -> str:
        """The identity of the image that runs."""
        return str(self._one("web").attrs["Image"])

    def run(
        self,
        component: str,
        command: Sequence[str],
        *,
        feed: Iterable[bytes] = (),
        sink: Callable[[bytes], None] | None = None,
    ) -> Done:
        """Run a command in a container of a component."""
        api, output = self._client.api, Output(sink)
        made = api.exec_create(self._one(component).id, list(command), stdin=True, stdout=True, stderr=True)
        opened: Any = api.exec_start(made["Id"], socket=True)
        socket = getattr(opened, "_sock", opened)
        socket.settimeout(IDLE_SECONDS)
        feeder = threading.Thread(target=_feed, args=(socket, feed), daemon=True)
        feeder.start()
        try:
            for stream, piece in _frames(socket):
                (output.err if stream == _ERR else output.out)(piece)
        finally:
            opened.close()
            socket.close()
        feeder.join(timeout=5)
        return output.done(self._code(made["Id"]))

    def restart(self, limit: float) -> list[str]:
        """Start the containers of the app again, one after the other, and name those that do not get healthy."""
        end, silent = time.monotonic() + limit, []
        for container in self._running():
            component = container.labels.get(COMPONENT, "")
            if component != "web" and not component.startswith("process-"):
                continue
            container.restart(timeout=30)
            container.reload()  # or it would still be as well as before
            while not _serves(container) and time.monotonic() < end:
                time.sleep(0.5)
                container.reload()
            if not _serves(container):
                silent.append(str(container.name))
        return silent

    def _code(self, command: str) -> int:
        """The exit code, which the daemon may know a moment after the end of the output."""
        end = time.monotonic() + 10
        while (told := self._client.api.exec_inspect(command))["Running"] and time.monotonic() < end:
            time.sleep(0.05)
        return -1 if told["ExitCode"] is None else int(told["ExitCode"])

    def _running(self) -> list[Container]:
        return list(self._client.containers.list(filters={"label": self._labels}))

    def _one(self, component: str) -> Container:
        found = [each for each in self._running() if each.labels.get(COMPONENT) == component]
        found.sort(key=lambda each: (not _serves(each), str(each.name)))
        if not found:
            raise problem(
                f"no container of {component} runs in stack {self._stack}",
                allowed="a stack that is up",
                mend=f"make up STACK={self._stack}",
            )
        return found[0]


def _serves(container: Container) -> bool:
    health = (container.attrs["State"].get("Health") or {}).get("Status")
    return container.status == "running" and health in (None, "healthy")


def _feed(socket: Any, feed: Iterable[bytes]) -> None:  # noqa: ANN401 - whatever connection the SDK has made
    try:
        for piece in feed:
            try:
                socket.sendall(piece)
            except OSError:  # a program that ended needs no more; its exit code says why
                return
    except BaseException:  # there is no more input: let the program and whoever waits for it know
        socket.shutdown(SHUT_RDWR)
        raise


def _frames(socket: Any) -> Iterator[tuple[int, bytes]]:  # noqa: ANN401 - the same
    """Take the pieces of both outputs apart: each has a header with the output and its length."""
    while header := _exactly(socket, _HEADER.size):
        stream, left = _HEADER.unpack(header)
        while left:
            piece = socket.recv(min(left, _MOST))
            if not piece:
                return
            left -= len(piece)
            yield stream, piece


def _exactly(socket: Any, size: int) -> bytes:  # noqa: ANN401 - the same
    read = b""
    while len(read) < size:
        piece = socket.recv(size - len(read))
        if not piece:
            return b""
        read += piece
    return read


@contextmanager
def open_(engine: Engine, settings: Settings) -> Iterator[Containers]:
    """Reach the containers of a stack."""
    with daemon(engine.environ) as client:
        try:
            yield Containers(client, settings, engine.stack)
        except (docker.errors.APIError, OSError) as error:
            raise problem(f"the Docker daemon ended the transfer: {error}") from None
