"""Talking to the API server of a cluster: which one a stack means, whether it answers, what it says.

It owns the connection and the errors of it. Answers are plain JSON: a pipeline that reads twenty fields needs no model
of the whole API. The official client is imported where it is used, since that costs half a second.
"""

import json
import os
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
import urllib3.exceptions
import yaml

from components.args import Place
from components.model import Settings
from components.problems import config_set
from components.tokens import KUBERNETES
from pipeline.console import PipelineError, problem
from pipeline.engine import Engine

CONNECT_SECONDS, ANSWER_SECONDS = 5, 8
FIRST_ERROR, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 300, 401, 403, 404
CONTEXT = ("kubernetes", "context")
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"
_PROVIDER = "pulumi:providers:kubernetes"

Json = dict[str, Any]


def place_of(settings: Settings) -> Place:
    """Where the settings put a stack."""
    return Place(context=settings.kubernetes.context, namespace=str(settings.kubernetes.namespace))


def place_in(state: Mapping[str, Any]) -> Place | None:
    """Where the state says that a stack is; None where it knows of no cluster."""
    for each in state.get("resources") or []:
        if each.get("type") == _PROVIDER and (each.get("inputs") or {}).get("namespace"):
            inputs = each["inputs"]
            return Place(context=inputs.get("context") or None, namespace=str(inputs["namespace"]))
    return None


class RefusedError(Exception):
    """The API server answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(f"{status}: {message}")


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One API server, and the namespace of a stack in it."""

    context: str
    """Name of the context that is used."""
    server: str
    """Address of the API server."""
    namespace: str
    """Namespace of the stack."""
    client: Any
    """The official client's connection, which has no types."""

    def ask(  # noqa: PLR0913 - what a request is made of
        self,
        method: str,
        path: str,
        body: object = None,
        query: Mapping[str, object] | None = None,
        *,
        accept: str = "application/json, */*",
        sent: str = "application/json",
    ) -> str:
        """Send one request and give the text of the answer.

        Args:
            method: of HTTP.
            path: of the API.
            body: what is sent, as JSON.
            query: parameters.
            accept: the form that is wanted.
            sent: the form of what is sent.

        Raises:
            RefusedError: if the server answers with an error.
        """
        headers = {"Accept": accept, "Content-Type": sent}
        # Not by `call_api`: it asks each answer for its headers in a way that its own HTTP library warns of.
        self.client.update_params_for_auth(headers, [], ["BearerToken"])
        answer = self.client.rest_client.pool_manager.request(
            method,
            f"{self.server}{path}" + (f"?{urlencode(query)}" if query else ""),
            headers=headers,
            body=None if body is None else json.dumps(body),
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS),
            redirect=False,
        )
        text = bytes(answer.data).decode(errors="replace")
        if answer.status >= FIRST_ERROR:
            raise RefusedError(answer.status, _message(text) or str(answer.reason))
        return text

    def get(self, path: str, **query: object) -> Json | None:
        """Read one object; None where there is none."""
        try:
            return dict(json.loads(self.ask("GET", path, query=query)))
        except RefusedError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def items(self, path: str, **query: object) -> list[Json]:
        """List objects; none where the server does not know the kind."""
        return list((self.get(path, **query) or {}).get("items") or [])

    def metadata(self, path: str) -> list[Json]:
        """List objects by their metadata alone: the server sends nothing else of them."""
        return list(json.loads(self.ask("GET", path, accept=METADATA)).get("items") or [])

    def inside(self, group: str, kind: str, name: str = "") -> str:
        """Path of the objects of a kind in the namespace: ``inside("apps/v1", "deployments")``."""
        return path_of(group, kind, self.namespace, name)

    def allowed(self, verb: str, group: str, resource: str, namespace: str | None) -> bool:
        """Ask the server whether it would let us do something."""
        resource, _, sub = resource.partition("/")
        attributes = {"verb": verb, "group": group, "resource": resource}
        attributes |= {"namespace": namespace} if namespace else {}
        attributes |= {"subresource": sub} if sub else {}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = json.loads(self.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review))
        return bool(answer["status"]["allowed"])

    @property
    def kubectl(self) -> str:
        """How a command for this namespace begins."""
        return f"kubectl --context {self.context} -n {self.namespace}"


def path_of(group: str, kind: str, namespace: str | None = None, name: str = "") -> str:
    """Path of objects in the API: of the core group for ``v1``, of a named one for ``apps/v1``."""
    root = f"/apis/{group}" if "/" in group else f"/api/{group}"
    middle = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{middle}/{kind}" + (f"/{name}" if name else "")


def plural(kind: str) -> str:
    """Give the name of a kind in the paths of the API."""
    word = kind.lower()
    if word.endswith("s"):
        return f"{word}es"
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2] not in "aeo" else f"{word}s"


def collection(token: str) -> tuple[str, str]:
    """Give the group and the name in the paths of the API of what Pulumi calls ``kubernetes:apps/v1:Deployment``."""
    group, kind = token.removeprefix(KUBERNETES).split(":")
    return group.removeprefix("core/"), plural(kind)


def _message(text: str) -> str:
    """What the server says in the body of an error."""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip()


# ---------------------------------------------------------------------------------------------------------------------
# The kubeconfig.


@dataclass(frozen=True, kw_only=True)
class Kubeconfig:
    """What the files of a kubeconfig say."""

    files: tuple[Path, ...]
    contexts: tuple[str, ...]
    current: str | None

    @property
    def shown(self) -> str:
        """The files, in words."""
        return " and ".join(str(file) for file in self.files)


def kubeconfig(environ: Mapping[str, str]) -> Kubeconfig:
    """Find and read the kubeconfig, as every client of Kubernetes does."""
    named = environ.get("KUBECONFIG", "")
    default = Path(environ.get("HOME") or "~").expanduser() / ".kube" / "config"
    wanted = [Path(each) for each in named.split(os.pathsep) if each] or [default]
    files = tuple(file for file in wanted if file.is_file())
    if not files:
        names = ", ".join(str(file) for file in wanted)
        raise problem(
            f"KUBECONFIG: there is no file {names}" if named else f"there is no kubeconfig: no KUBECONFIG, no {names}",
            allowed="a kubeconfig of the cluster that the stack is for",
            mend="export KUBECONFIG=path/of/the/kubeconfig\n"
            "make cluster && . .slipway/env   # or a cluster on this machine",
        )
    contexts: list[str] = []
    current = None
    for file in files:
        content = _content(file)
        current = current or content.get("current-context")
        contexts += [str(each["name"]) for each in content.get("contexts") or []]
    return Kubeconfig(files=files, contexts=tuple(contexts), current=current or None)


def _content(file: Path) -> Json:
    try:
        content = yaml.safe_load(file.read_bytes())
        if isinstance(content, dict) and all(each["name"] for each in content.get("contexts") or []):
            return content
        reason = "it has no clusters, users and contexts"
    except OSError as error:
        reason = error.strerror or "it cannot be read"
    except yaml.YAMLError as error:
        reason = f"it is not valid YAML: {' '.join(str(error).split())}"
    except (KeyError, TypeError):
        reason = "its contexts have no names"
    raise _unusable(file, reason)


def _unusable(file: object, reason: str) -> PipelineError:
    return problem(
        f"the kubeconfig {file} cannot be used: {reason}",
        allowed="a kubeconfig that kubectl accepts",
        mend="kubectl config view   # shows what it says\nexport KUBECONFIG=path/of/another/kubeconfig",
    )


def chosen(config: Kubeconfig, wanted: str | None, stack: str) -> str:
    """The context that a stack uses."""
    name = wanted or config.current
    if name in config.contexts:
        return str(name)
    known = ", ".join(config.contexts)
    first = config.contexts[0] if config.contexts else "NAME"
    mend = config_set(CONTEXT, first, stack)
    if wanted:
        raise problem(
            f'slipway:kubernetes.context: found "{wanted}", which {config.shown} does not have',
            allowed=known or "a context of the kubeconfig, which has none",
            mend=mend,
        )
    what = f'"{name}", which it does not have' if name else "nothing"
    raise problem(
        f"slipway:kubernetes.context is not set, and the current context of {config.shown} is {what}",
        allowed=known or "a context of the kubeconfig, which has none",
        mend=f"kubectl config use-context {first}\n{mend}   # or for this stack alone",
    )


# ---------------------------------------------------------------------------------------------------------------------
# The connection.


@contextmanager
def connect(engine: Engine, place: Place) -> Iterator[Cluster]:
    """Talk to the cluster of a stack; one clear problem when it cannot be reached or does not know us."""
    config = kubeconfig(engine.environ)
    context = chosen(config, place.context, engine.stack)
    client = _client(config, context, engine.environ)
    try:
        cluster = Cluster(
            context=context, server=str(client.configuration.host), namespace=place.namespace, client=client
        )
        with explained(cluster):
            cluster.ask("GET", "/api")  # unlike /version, it is for those alone whom the server knows
            yield cluster
    finally:
        client.close()


def _client(config: Kubeconfig, context: str, environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - it has no types
    from kubernetes.client import ApiClient, Configuration  # type: ignore[import-untyped]  # noqa: PLC0415 - untyped and slow
    from kubernetes.config import ConfigException, load_kube_config  # type: ignore[import-untyped]  # noqa: PLC0415 - untyped and slow

    settings = Configuration()
    try:
        files = os.pathsep.join(str(file) for file in config.files)
        load_kube_config(files, context, settings, persist_config=False)
    except (ConfigException, ValueError, KeyError, TypeError, OSError) as error:
        raise _unusable(config.shown, " ".join(str(error).split())) from None
    settings.retries = False  # each error at once, and as itself
    settings.no_proxy = environ.get("NO_PROXY") or environ.get("no_proxy")  # the client reads it and forgets it
    return ApiClient(settings)


@contextmanager
def explained(cluster: Cluster) -> Iterator[None]:
    """Turn errors of the connection into one clear problem."""
    try:
        yield
    except RefusedError as error:
        raise _refused(cluster, error) from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise _unreachable(cluster, error) from None


def _refused(cluster: Cluster, error: RefusedError) -> PipelineError:
    where = f"context {cluster.context} ({cluster.server})"
    if error.status == UNAUTHORIZED or "system:anonymous" in error.message:
        return problem(
            f"the cluster of {where} does not accept the credentials of the kubeconfig: {error.message}",
            allowed="credentials that are valid now",
            mend=f"kubectl --context {cluster.context} auth whoami   # log in again as your cluster's provider says",
        )
    if error.status == FORBIDDEN:
        return problem(
            f"the cluster of {where} forbids what is needed: {error.message}",
            mend=f"kubectl --context {cluster.context} auth can-i --list -n {cluster.namespace}",
        )
    return problem(f"the cluster of {where} answers {error.status}: {error.message}")


def _unreachable(cluster: Cluster, error: Exception) -> PipelineError:
    text = " ".join(str(error).split())
    where = f"context {cluster.context} ({cluster.server})"
    if "certificate" in text.lower() or isinstance(error, ssl.SSLError | urllib3.exceptions.SSLError):
        return problem(
            f"the cluster of {where} cannot be trusted: {_tail(text)}",
            allowed="an API server whose certificate the kubeconfig's certificate-authority has signed",
            mend="kubectl config view   # the cluster was made anew? then get its kubeconfig anew",
        )
    return problem(
        f"the cluster of {where} does not answer: {_why(text)}",
        allowed=f"an API server that answers within {ANSWER_SECONDS} s",
        mend=f"kubectl --context {cluster.context} cluster-info\n"
        "make cluster   # starts the one of this machine, where it is that one",
    )


def _why(text: str) -> str:
    for words, reason in (
        ("Connection refused", "connection refused"),
        ("timed out", "no answer in time"),
        ("Name or service not known", "there is no such host"),
        ("nodename nor servname", "there is no such host"),
        ("Temporary failure in name resolution", "its name cannot be resolved"),
        ("No route to host", "no route to host"),
        ("Network is unreachable", "the network is unreachable"),
    ):
        if words in text:
            return reason
    return _tail(text)


def _tail(text: str) -> str:
    """The reason at the end of a chain of errors, without the names of the client's classes."""
    return re.sub(r" \(_ssl\.c:\d+\)", "", text.rpartition(": ")[2] or text)
