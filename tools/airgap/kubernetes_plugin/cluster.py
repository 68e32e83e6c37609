"""The connection to one cluster: requests, errors in plain words, where each kind lives in the API.

The official client makes the connection: kubeconfig, TLS, tokens, exec plugins, proxies. It is loaded when the first
operation needs the cluster, and without its 700 models.
"""

import importlib
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tools.airgap.kubernetes_plugin import VERSION
from tools.airgap.kubernetes_plugin.kinds import Kind
from tools.airgap.kubernetes_plugin.settings import NO_KUBECONFIG, Settings
from tools.airgap.plugin.errors import PluginError

APPLY: Final = "application/apply-patch+yaml"
JSON_PATCH: Final = "application/json-patch+json"
_JSON: Final = "application/json"
_CONNECT_SECONDS: Final = 10
_READ_SECONDS: Final = 65  # the API server ends a request after 60
_CONNECTIONS: Final = 64
_OLDEST: Final = (1, 13)
_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404
_UNREACHABLE: Final = "configured Kubernetes cluster is unreachable"
_LOADING: Final = threading.Lock()


class ApiError(PluginError):
    """The API server refused a request."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        """In one word, as the API gives it: NotFound, AlreadyExists, Conflict, ..."""


class NoKindError(PluginError):
    """The API server does not know a kind (yet)."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(f'no matches for kind "{kind.kind}" in version "{kind.api_version}"')


class CancelledError(PluginError):
    """The user pressed Ctrl-C while an operation waited."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """Where the objects of a kind live."""

    root: str
    """`/api/v1` or `/apis/GROUP/VERSION`."""
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str | None = None) -> str:
        """Return the path of one object, or of all in a namespace."""
        where = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{self.root}{where}/{self.plural}" + (f"/{name}" if name else "")


@dataclass(kw_only=True)
class Cluster:
    """One cluster, used by many operations at once."""

    settings: Settings
    cancelled: threading.Event = field(default_factory=threading.Event)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _client: Any = None
    _resources: dict[str, dict[str, Resource]] = field(default_factory=dict)
    _asked: bool = False
    _unreachable: str | None = None

    @property
    def unreachable(self) -> str | None:
        """Why the cluster cannot be reached; None if it can. It is asked once in the life of a plugin."""
        with self._lock:
            if not self._asked:
                self._unreachable = self._ask()
                self._asked = True
            return self._unreachable

    def demand(self) -> None:
        """Fail unless the cluster can be reached."""
        if self.unreachable is not None:
            raise PluginError(f"{_UNREACHABLE}: {self.unreachable}")

    def _ask(self) -> str | None:
        try:
            version = self.get("/version")
            self.get("/apis")
        except ApiError as error:
            if error.status == _UNAUTHORIZED:
                return (
                    "unable to load schema information from the API server: the server has asked for the client to "
                    f"provide credentials ({self._client.configuration.host})"
                )
            return None if error.status else f"unable to load schema information from the API server: {error}"
        except PluginError as error:
            return str(error)
        numbers = tuple(int("".join(filter(str.isdigit, version.get(key) or "")) or 0) for key in ("major", "minor"))
        if numbers < _OLDEST:
            raise PluginError(f"minimum supported cluster version is v1.13. found v{numbers[0]}.{numbers[1]}")
        return None

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Ask for one object."""
        return self.request("GET", path, query)

    def found(self, path: str) -> dict[str, Any] | None:
        """Ask for one object; None only if the API says that it is not there."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def listed(self, path: str, query: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """Ask for a list of objects."""
        return self.get(path, query).get("items") or []

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = _JSON,
    ) -> dict[str, Any]:
        """Send one request and return the object of the answer."""
        answer = self._send(method, path, query, body, content_type)
        read: dict[str, Any] = json.loads(answer or "{}")
        return read

    def text(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """Ask for something that is no object: the log of a container."""
        return self._send("GET", path, query, None, _JSON)

    def _send(self, method: str, path: str, query: Mapping[str, str] | None, body: object, content_type: str) -> str:
        client = self._connected()
        exceptions = importlib.import_module("kubernetes.client.exceptions")
        urllib3 = importlib.import_module("urllib3")
        if self.cancelled.is_set():
            raise CancelledError("Resource operation was cancelled")
        try:
            response = client.call_api(
                path,
                method,
                query_params=list((query or {}).items()),
                header_params={"Accept": "application/json, */*", "Content-Type": content_type},
                body=body,
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=(_CONNECT_SECONDS, _READ_SECONDS),
            )
            return str(response.data.decode(errors="replace"))
        except exceptions.ApiException as error:
            raise _api_error(error) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            host = client.configuration.host
            raise ApiError(0, "", f'{method.capitalize()} "{host}{path}": {_cause(error, host)}') from error

    def _connected(self) -> Any:  # noqa: ANN401 - the client has no types
        with self._lock:
            if self._client is None:
                self._client = _connect(self.settings)
            return self._client

    def resource(self, kind: Kind) -> Resource:
        """Look up where the objects of a kind live."""
        root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"
        with self._lock:
            known = self._resources.get(root, {}).get(kind.kind)
        if known is not None:
            return known
        try:
            listed = self.get(root).get("resources") or []
        except ApiError as error:
            if error.status == _NOT_FOUND:
                raise NoKindError(kind) from error
            raise
        found = {
            entry["kind"]: Resource(root=root, plural=entry["name"], namespaced=entry["namespaced"])
            for entry in listed
            if "/" not in entry["name"]
        }
        with self._lock:
            self._resources[root] = found
        if kind.kind not in found:
            raise NoKindError(kind)
        return found[kind.kind]

    def pause(self, seconds: float, waiting_for: str) -> None:
        """Wait a moment; Ctrl-C ends it."""
        if self.cancelled.wait(seconds):
            raise CancelledError(f'Resource operation was cancelled for "{waiting_for}"')


def _connect(settings: Settings) -> Any:  # noqa: ANN401 - the client has no types
    config, api_client, configuration, urllib3 = _loaded()
    chosen = configuration.Configuration()
    try:
        text = settings.kubeconfig_text()
        paths = [str(path) for path in settings.kubeconfig_paths() if path.is_file()]
        if text is not None:
            config.load_kube_config_from_dict(
                settings.kubeconfig(), context=settings.context, client_configuration=chosen, persist_config=False
            )
        elif paths:
            settings.kubeconfig()  # in our words, if it cannot be parsed
            config.load_kube_config(
                os.pathsep.join(paths), context=settings.context, client_configuration=chosen, persist_config=False
            )
        elif "KUBERNETES_SERVICE_HOST" in os.environ and not settings.values.get("kubeconfig"):
            importlib.import_module("kubernetes.config.incluster_config").load_incluster_config(chosen)
        else:
            raise PluginError(NO_KUBECONFIG)
    except importlib.import_module("kubernetes.config.config_exception").ConfigException as error:
        raise PluginError(f"unable to load Kubernetes client configuration from kubeconfig file: {error}") from error
    chosen.retries = urllib3.Retry(total=2, connect=0, backoff_factor=0.2)
    chosen.connection_pool_maxsize = _CONNECTIONS
    client = api_client.ApiClient(chosen)
    client.user_agent = f"pulumi-kubernetes/{VERSION} (Slipway)"
    return client


def _loaded() -> tuple[Any, Any, Any, Any]:
    """Import the parts of the official client that a connection needs: 0.3 s instead of 0.9 s in a plugin's process."""
    with _LOADING:
        configuration = importlib.import_module("kubernetes.client.configuration")
        api_client = importlib.import_module("kubernetes.client.api_client")
        package = importlib.import_module("kubernetes.client")
        if not hasattr(package, "ApiClient"):  # hollow, see __main__; the next import takes these two from it
            package.__dict__.update(ApiClient=api_client.ApiClient, Configuration=configuration.Configuration)
        config = importlib.import_module("kubernetes.config.kube_config")
        return config, api_client, configuration, importlib.import_module("urllib3")


def _api_error(error: Any) -> ApiError:  # noqa: ANN401 - the client has no types
    body = error.body.decode(errors="replace") if isinstance(error.body, bytes) else error.body or ""
    try:
        status = json.loads(body)
    except ValueError:
        status = {}
    if not isinstance(status, dict):
        status = {}
    message = status.get("message") or body.strip() or f"{error.reason}"
    return ApiError(error.status or 0, status.get("reason") or "", message)


def _cause(error: Exception, host: str) -> str:
    """Put what went wrong with a connection into the words of Go's client, which people search for."""
    text = str(error)
    for sign, words in (
        ("Connection refused", "connect: connection refused"),
        ("Name or service not known", "no such host"),
        ("Temporary failure in name resolution", "no such host"),
        ("timed out", "i/o timeout"),
        ("No route to host", "connect: no route to host"),
        ("CERTIFICATE_VERIFY_FAILED", "tls: failed to verify certificate"),
    ):
        if sign in text:
            return words if words.startswith("tls") else f"dial tcp {host.partition('://')[2]}: {words}"
    return text
