"""A cluster as the tests of the kubernetes plugin look at it: its API, through the official client, and no plugin."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from kubernetes.client import ApiClient  # type: ignore[import-untyped]  # the client has no types
from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]  # the same
from kubernetes.config import ConfigException, new_client_from_config  # type: ignore[import-untyped]  # the same
from urllib3.exceptions import HTTPError

Object = dict[str, Any]
_NOT_FOUND: Final = 404
_SECONDS: Final = 120
CONFIG_MAPS: Final = "configmaps"


@dataclass(frozen=True, kw_only=True)
class Api:
    """Requests to one cluster."""

    kubeconfig: str
    client: ApiClient
    namespace: str = field(default_factory=lambda: f"e2e-conformance-{os.getpid()}")

    @classmethod
    def of_the_environment(cls) -> "Api":
        """Take the cluster that KUBECONFIG names."""
        path = os.environ.get("KUBECONFIG", "")
        try:
            client = new_client_from_config(path or None)
            found = cls(kubeconfig=path, client=client)
            found.ask("GET", "/version")
        except (ConfigException, HTTPError, ApiException) as error:
            pytest.fail(f"these tests need a Kubernetes cluster: {error}. Run: make cluster && . .slipway/env")
        return found

    def ask(self, method: str, path: str, body: object = None, content_type: str = "application/json") -> Object:
        """Send a request."""
        answer = self.client.call_api(
            path.partition("?")[0],
            method,
            query_params=[tuple(part.split("=", 1)) for part in path.partition("?")[2].split("&") if part],
            header_params={"Accept": "application/json", "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
            _preload_content=False,
            _return_http_data_only=True,
        )
        read: Object = json.loads(answer.data or b"{}")
        return read

    def path(self, plural: str, name: str = "", root: str = "/api/v1") -> str:
        """Return the path of objects in the tests' namespace."""
        return f"{root}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def found(self, path: str) -> Object | None:
        """Ask for one object; None if it is not there."""
        try:
            return self.ask("GET", path)
        except ApiException as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def until(self, what: str, check: Callable[[], object], limit: float = _SECONDS) -> None:
        """Wait until something is true."""
        end = time.monotonic() + limit
        while not check():
            if time.monotonic() > end:
                pytest.fail(f"{what}: not within {limit} s")
            time.sleep(0.2)

    def begin(self) -> None:
        """Make the tests' namespace."""
        metadata = {"name": self.namespace}
        self.ask("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    def end(self) -> None:
        """Remove it with everything in it."""
        self.ask("DELETE", f"/api/v1/namespaces/{self.namespace}")
        self.until("the namespace is gone", lambda: self.found(f"/api/v1/namespaces/{self.namespace}") is None)
        self.client.close()
