"""``python -m pipeline manifests``: the Kubernetes objects of a deployed stack as files, for readers and for GitOps.

They are what Pulumi has sent, from its state: neither the cluster nor a passphrase is asked. Secrets are left out, and
so is everything that carries one; the README beside the files names them.
"""

import argparse
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.tokens import KUBERNETES, SIGNATURE
from pipeline import stack
from pipeline.arguments import add_command, add_stack
from pipeline.console import Console, problem
from pipeline.engine import Engine

EXAMPLES = """examples:
  python -m pipeline manifests prod --to manifests/prod
  kubectl diff -f manifests/prod                  what differs in the cluster
"""
MARKER = "# Made by `python -m pipeline manifests`; changes are lost."
PROVIDERS = "pulumi:providers:"
PULUMI = "pulumi.com/"
ORDER = (
    "Namespace",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "NetworkPolicy",
    "ConfigMap",
    "PersistentVolumeClaim",
    "Service",
    "Cluster",
    "StatefulSet",
    "Job",
    "Deployment",
    "PodDisruptionBudget",
    "HorizontalPodAutoscaler",
    "Ingress",
    "HTTPRoute",
)
"""What others need comes first: files are applied in the order of their names."""

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One object."""

    kind: str
    """Its kind."""
    name: str
    """Its name."""
    body: Json
    """The object."""
    secret: bool
    """Whether it is a secret or carries one, so that it is not written."""

    @property
    def rank(self) -> int:
        """Its place among the kinds."""
        return ORDER.index(self.kind) if self.kind in ORDER else len(ORDER)

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.rank:02d}-{self.kind.lower()}-{re.sub(r'[^a-z0-9.-]', '-', self.name.lower())}.yaml"

    @property
    def text(self) -> str:
        """The file."""
        return f"{MARKER}\n{yaml.safe_dump(self.body, sort_keys=True, allow_unicode=True, width=120)}"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "manifests",
        run,
        summary="the Kubernetes objects of a stack as YAML files",
        description=__doc__,
        examples=EXAMPLES,
    )
    add_stack(parser)
    parser.add_argument("--to", metavar="DIR", type=Path, required=True, help="a folder for them alone")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Write one file for each object."""
    engine, folder = Engine(arguments.stack, console), arguments.to
    stack.backend(engine)
    state = engine.exported() if engine.stack_file.exists() else None
    manifests = objects(state or {})
    if not manifests:
        raise problem(
            f"stack {engine.stack} has nothing on a cluster",
            allowed="a stack with slipway:target kubernetes that is up",
            mend=f"make up STACK={engine.stack}",
        )
    write(folder, engine.stack, manifests)
    written = [each for each in manifests if not each.secret]
    console.say(f"{len(written)} objects are in {folder}; {len(manifests) - len(written)} with secrets are left out")
    return 0


def objects(state: Mapping[str, Any]) -> list[Manifest]:
    """Every object of a stack, in the order in which they can be applied."""
    found = [_manifest(each) for each in _resources(state)]
    return sorted(found, key=lambda each: (each.rank, each.kind, each.name))


def _resources(state: Mapping[str, Any]) -> Iterator[Json]:
    for each in state.get("resources") or []:
        kind = str(each.get("type"))
        if kind.startswith(KUBERNETES) and each.get("custom") and not each.get("delete"):
            yield each


def _manifest(resource: Json) -> Manifest:
    inputs, outputs = resource.get("inputs") or {}, resource.get("outputs") or {}
    body = {key: value for key, value in inputs.items() if not key.startswith("__") and key != "status"}
    kind = str(body.get("kind") or outputs.get("kind") or resource["type"].rpartition(":")[2])
    body |= {"kind": kind, "apiVersion": body.get("apiVersion") or outputs.get("apiVersion")}
    secret = kind == "Secret" or _has_secret(body)
    told = outputs.get("metadata") or {}
    metadata = {} if _has_secret(body.get("metadata")) else dict(body.get("metadata") or {})
    for key in ("name", "namespace"):
        if not metadata.get(key) and isinstance(told, dict) and told.get(key):
            metadata[key] = told[key]
    notes = {key: value for key, value in (metadata.pop("annotations", None) or {}).items() if PULUMI not in key}
    body["metadata"] = {**metadata, **({"annotations": notes} if notes else {})}
    name = str(metadata.get("name") or resource["urn"].rpartition("::")[2])
    return Manifest(kind=kind, name=name, body=body, secret=secret)


def _has_secret(value: object) -> bool:
    if isinstance(value, dict):
        return SIGNATURE in value or any(_has_secret(each) for each in value.values())
    return isinstance(value, list) and any(_has_secret(each) for each in value)


def write(folder: Path, name: str, manifests: list[Manifest]) -> None:
    """Write the files into a folder that holds nothing else, in the place of those from before."""
    if folder.exists():
        foreign = sorted(each.name for each in folder.iterdir() if not _ours(each)) if folder.is_dir() else ["a file"]
        if foreign:
            raise problem(
                f"--to {folder}: holds something else: {', '.join(foreign[:3])}",
                allowed="a new folder, an empty one, or one that this command has made",
                mend="another folder",
            )
    draft = folder.resolve().with_name(f"{folder.resolve().name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True)
        (draft / "README.md").write_text(readme(name, manifests), encoding="utf-8")
        for each in manifests:
            if not each.secret:
                (draft / each.file).write_text(each.text, encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        draft.replace(folder)
    except OSError as error:
        raise problem(f"--to {folder}: cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _ours(path: Path) -> bool:
    if not path.is_file() or path.suffix not in {".yaml", ".md"}:
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline().rstrip("\n") in {MARKER, f"<!-- {MARKER[2:]} -->"}


def readme(name: str, manifests: list[Manifest]) -> str:
    """Say what the files are and what is missing."""
    lines = [
        f"<!-- {MARKER[2:]} -->",
        f"# The Kubernetes objects of stack {name}",
        "",
        "As Pulumi has sent them, without what is for Pulumi alone. The order of a release (migration, static files,",
        "web, check) is Pulumi's: applied all at once, nothing waits for anything.",
        "",
        "| Kind | Name | File |",
        "|---|---|---|",
        *(f"| {each.kind} | {each.name} | `{each.file}` |" for each in manifests if not each.secret),
        "",
        "Left out, since they hold secrets. They must be in the namespace under these names:",
        "",
        *([f"- {each.kind} {each.name}" for each in manifests if each.secret] or ["- none"]),
        "",
    ]
    return "\n".join(lines)
