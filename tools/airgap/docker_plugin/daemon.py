"""The connection to one Docker daemon: clients, errors in plain words, waits that end on Ctrl-C, progress.

The Docker SDK is imported when the first operation needs the daemon: a preview of an unchanged stack never does.
"""

import importlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tools.airgap.plugin.errors import PluginError

if TYPE_CHECKING:
    from docker import APIClient

DEFAULT_HOST: Final = "unix:///var/run/docker.sock"
TIMEOUT: Final = 20 * 60
"""Seconds that one operation may take, as in the official plugin; `customTimeouts` of a resource replace it."""
_REQUEST_TIMEOUT: Final = 300
_QUIET: Final = 2.0  # seconds until a wait says what it waits for

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 0.5

T = TypeVar("T")


_SDK: Final = ("docker", "docker.auth", "docker.errors", "docker.tls", "docker.types", "requests.exceptions")
_LOADING: Final = threading.Lock()


def load_sdk() -> None:
    """Import all of the SDK that operations use, once. Two that import it at the same time can each see half of it."""
    with _LOADING:
        for name in _SDK:
            importlib.import_module(name)


class CancelledError(PluginError):
    """The user pressed Ctrl-C while an operation waited."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The configuration of a `docker:Provider` or of `docker:*` in a stack's configuration."""

    host: str
    cert_path: str | None = None
    registry_auth: tuple[Mapping[str, str], ...] = ()

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> "Settings":
        """Take what a program configures; the environment says the rest, as for the docker command."""
        auth = configuration.get("registryAuth") or []
        return cls(
            host=configuration.get("host") or os.environ.get("DOCKER_HOST") or DEFAULT_HOST,
            cert_path=configuration.get("certPath") or os.environ.get("DOCKER_CERT_PATH"),
            registry_auth=tuple(json.loads(auth) if isinstance(auth, str) else auth),
        )


@dataclass(kw_only=True)
class Daemon:
    """One daemon, used by many operations at once."""

    settings: Settings
    cancelled: threading.Event = field(default_factory=threading.Event)
    _clients: threading.local = field(default_factory=threading.local)
    _version: str | None = None
    _images: dict[str, threading.Lock] = field(default_factory=dict)

    @property
    def client(self) -> "APIClient":
        """A client of this thread's own: its connections are not made to be shared."""
        client: APIClient | None = getattr(self._clients, "client", None)
        if client is None:
            client = self._clients.client = self._connect()
        return client

    def _connect(self) -> "APIClient":
        host = self.settings.host
        if host.startswith("ssh://"):
            raise PluginError(
                f"docker host {host}: ssh:// is not implemented by this plugin; unix:// and tcp:// are. "
                "Forward the socket (ssh -L /tmp/docker.sock:/var/run/docker.sock HOST) and use unix:///tmp/docker.sock"
            )
        import docker  # noqa: PLC0415 - see load_sdk
        from docker.errors import DockerException  # noqa: PLC0415 - the same
        from docker.tls import TLSConfig  # noqa: PLC0415 - the same

        certificates = self.settings.cert_path
        try:
            tls = (
                TLSConfig(
                    client_cert=(f"{certificates}/cert.pem", f"{certificates}/key.pem"),
                    ca_cert=f"{certificates}/ca.pem",
                    verify=True,
                )
                if certificates and not host.startswith("unix://")
                else False
            )
            client = docker.APIClient(host, version=self._version or "auto", timeout=_REQUEST_TIMEOUT, tls=tls)
        except DockerException as error:
            raise PluginError(_unreachable(host, error)) from error
        self._version = client.api_version
        return client

    @contextmanager
    def explained(self, doing: str) -> Iterator[None]:
        """Turn whatever the SDK raises into one sentence: what was being done, and what the daemon said."""
        from docker.errors import APIError, DockerException  # noqa: PLC0415 - see load_sdk
        from requests.exceptions import RequestException  # noqa: PLC0415 - the same

        try:
            yield
        except APIError as error:
            raise PluginError(f"{doing}: {error.explanation or error}") from error
        except (DockerException, RequestException) as error:
            raise PluginError(f"{doing}: {_unreachable(self.settings.host, error)}") from error

    def found(self, inspect: Callable[[str], Any], name: str) -> dict[str, Any] | None:
        """Inspect something; None only if the daemon says that it is not there."""
        from docker.errors import NotFound  # noqa: PLC0415 - see load_sdk

        with self.explained(f"cannot inspect {name}"):
            try:
                found: dict[str, Any] = inspect(name)
            except NotFound:
                return None
            return found

    @contextmanager
    def one_at_a_time(self, image: str) -> Iterator[None]:
        """Let one operation look for an image while the others wait for what it finds."""
        with self._images.setdefault(image, threading.Lock()):
            yield


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation of the engine on one resource."""

    daemon: Daemon
    say: Callable[[str], None]
    """Show what it is at."""
    timeout: float

    def until(self, poll: Callable[[], T | None], *, limit: float, waiting: str) -> T | None:
        """Ask again and again until there is an answer; None at the limit. Ctrl-C raises CancelledError."""
        start = said = time.monotonic()
        pause = _FIRST_PAUSE
        while True:
            answer = poll()
            if answer is not None:
                return answer
            now = time.monotonic()
            if now - start >= limit:
                return None
            if now - said >= _QUIET:
                said = now
                self.say(f"waiting for {waiting} ({now - start:.0f} s of at most {limit:.0f} s)")
            if self.daemon.cancelled.wait(min(pause, max(0.0, start + limit - now))):
                raise CancelledError(f"cancelled while waiting for {waiting}")
            pause = min(pause * 1.5, _LONGEST_PAUSE)


def _unreachable(host: str, error: Exception) -> str:
    cause = str(error)
    for hidden in ("No such file or directory", "Connection refused", "Permission denied", "timed out"):
        if hidden in cause:
            cause = hidden
    return (
        f"cannot reach the Docker daemon at {host} ({cause}). Start it, or name another with docker:host or DOCKER_HOST"
    )
