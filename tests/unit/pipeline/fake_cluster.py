"""An API server in a thread that answers recorded JSON over HTTP, so that the official client is tried as it is."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

import yaml

from components.model import Settings
from tests.sample import settings

if TYPE_CHECKING:
    from collections.abc import Callable

REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
OURS = {"slipway.project": "shop", "slipway.stack": "dev"}
HOME = "/api/v1/namespaces/shop-dev"
APPS = "/apis/apps/v1/namespaces/shop-dev"


def named(name: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """An object with a name and labels of its own; ``labels``, ``uid`` and ``annotations`` go into its metadata."""
    metadata = {key: more.pop(key) for key in ("labels", "uid", "annotations", "namespace") if key in more}
    return {"metadata": {"name": name, **metadata}, **more}


def ours(name: str, component: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """An object of the stack; its uid is its name."""
    return named(name, uid=name, labels={**OURS, "slipway.component": component, "slipway.release": "r1"}, **more)


def listed(*objects: dict[str, Any]) -> dict[str, Any]:
    """A list of objects, as the server gives it."""
    return {"kind": "List", "items": list(objects)}


def node(name: str = "vm", cpu: str = "2", memory: str = "8Gi", **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """A node that is Ready."""
    status = {
        "allocatable": {"cpu": cpu, "memory": memory},
        "conditions": [{"type": "Ready", "status": "True"}],
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
    }
    return named(name, spec=spec, status=status)


def event(about: str, reason: str, message: str, at: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    """A warning."""
    return {"involvedObject": {"uid": about}, "reason": reason, "message": message, "lastTimestamp": at}


def secret(**data: str) -> dict[str, Any]:
    """A Secret with these values."""
    return named("app", data={key: base64.b64encode(value.encode()).decode() for key, value in data.items()})


class Api(ThreadingHTTPServer):
    """The server: answers by path, refusals by path, and what it does not let us do."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        default = {"storageclass.kubernetes.io/is-default-class": "true"}
        self.answers: dict[str, Any] = {
            "/api": {"versions": ["v1"]},
            "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.1"},
            "/api/v1/nodes": listed(node()),
            "/apis/storage.k8s.io/v1/storageclasses": listed(
                named("local-path", provisioner="rancher.io/local-path", annotations=default)
            ),
        }
        self.refusals: dict[str, tuple[int, str]] = {}
        self.denied: Callable[[dict[str, str]], bool] = lambda _: False
        self.asked: list[str] = []
        self.deleted: list[str] = []
        self.patched: list[tuple[str, Any]] = []
        self.filled_in: dict[str, Any] = {}
        """What comes back by itself where a patch has removed it, by its JSON pointer."""

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def kubeconfig(self, folder: Path, **more: Any) -> Path:  # noqa: ANN401 - any YAML
        """Write the kubeconfig of an administrator of it."""
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
            "users": [{"name": "me", "user": {"token": "t"}}],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "me"}}],
            "current-context": "fake",
            **more,
        }
        path = folder / "kubeconfig"
        path.write_text(yaml.safe_dump(content))
        return path

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        """Answer what is known, and 404 for the rest."""
        path = urlsplit(self.path)
        self.server.asked.append(self.path)
        if path.path in self.server.refusals:
            code, message = self.server.refusals[path.path]
            self._say(code, {"kind": "Status", "message": message})
        elif path.path in self.server.answers:
            answer = self.server.answers[path.path]
            self._say(200, answer(parse_qs(path.query)) if callable(answer) else answer)
        else:
            self._say(404, {"kind": "Status", "message": f"{path.path} not found"})

    def do_POST(self) -> None:
        """Answer access reviews."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == REVIEW
        self._say(201, {"status": {"allowed": not self.server.denied(body["spec"]["resourceAttributes"])}})

    def do_DELETE(self) -> None:
        """Forget an object."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.deleted.append(self.path)
        self._say(200, self.server.answers.pop(self.path, {}))

    def do_PATCH(self) -> None:
        """Remove fields from an object of a list, for good unless it is a dry run."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        url = urlsplit(self.path)
        dry = "dryRun" in parse_qs(url.query)
        folder, _, name = url.path.rpartition("/")
        items = self.server.answers[folder]["items"]
        index = next(number for number, each in enumerate(items) if each["metadata"]["name"] == name)
        changed = json.loads(json.dumps(items[index]))
        for each in body if isinstance(body, list) else []:
            if each["op"] == "remove":
                _remove(changed, each["path"], self.server.filled_in)
        if not dry:
            self.server.patched.append((url.path, body))
            items[index] = changed
        self._say(200, changed)

    def _say(self, code: int, answer: object) -> None:
        content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


def _remove(value: Any, pointer: str, filled_in: dict[str, Any]) -> None:  # noqa: ANN401 - any JSON
    *way, last = (each.replace("~1", "/").replace("~0", "~") for each in pointer.split("/")[1:])
    for step in way:
        value = value[int(step)] if isinstance(value, list) else value[step]
    del value[int(last) if isinstance(value, list) else last]
    if pointer in filled_in:
        value[last] = filled_in[pointer]


def of(api: Api, said: dict[str, Any] | None = None, **kubernetes: Any) -> Settings:  # noqa: ANN401 - any setting
    """Settings of a stack on that cluster, whose registry is the server itself."""
    group = {"namespace": "shop-dev", "registry": f"127.0.0.1:{api.server_port}", **kubernetes}
    return settings({"target": "kubernetes", "kubernetes": group, **(said or {})})
