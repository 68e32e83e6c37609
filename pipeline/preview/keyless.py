"""A preview without the keys of a stack: its secrets are placeholders, on both sides of the comparison.

The stack's file and its state are copied into a folder that goes away, with a passphrase that nobody needs to know. The
real backend is read once, which needs no passphrase, and never written.

What is secret in the state cannot be read. So the program is asked first what it would make of nothing, and what it says
there for a secret property is put into the copy of the state: what differs then is never a secret one.
"""

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import yaml

from components.model import Settings
from components.tokens import SECRET, SIGNATURE
from pipeline import backend, settings, targets
from pipeline.console import PipelineError, problem
from pipeline.engine import Engine, Result
from pipeline.preview import run, stripped
from pipeline.preview.stripped import State
from pipeline.preview.value import Json

_INPUTS = "__inputs"
"""Under this key the plugin of Kubernetes keeps the inputs once more, among the outputs."""

_SHAPES = {
    "secrets:database_url": "postgresql://user:{}@database.invalid:5432/name",
    "secrets:redis_url": "redis://:{}@cache.invalid:6379/0",
    "secrets:registry_auth": '{{"auths": {{"registry.invalid": {{"auth": "{}"}}}}}}',
    "secrets:netrc": "machine host.invalid login user password {}",
}
"""Secrets that the program takes apart."""


class Compared(StrEnum):
    """What a preview was compared with, and what could be seen of it."""

    STATE = "state"
    """The state, with the keys of the stack."""
    BLIND = "state-without-secrets"
    """The state, with placeholders for its secrets."""
    NOTHING = "nothing"
    """Nothing: the stack is not deployed, or its state cannot be read from here."""


@dataclass(frozen=True, kw_only=True)
class Blind:
    """What came of a preview without the keys."""

    outcome: Result
    """What Pulumi said."""
    compared: Compared
    """What it was compared with."""
    reason: str = ""
    """Why it was compared with nothing."""
    state: State = field(default_factory=dict)
    """The state that it was compared with; empty for nothing."""


def preview(engine: Engine, loaded: Settings, options: tuple[str, ...] = (), copy_of: Path | None = None) -> Blind:
    """Preview a stack whose secrets nobody here can read.

    Args:
        engine: the stack.
        loaded: its settings.
        options: what else Pulumi is told.
        copy_of: a copy of its state; None for the state itself.

    Raises:
        PipelineError: if the state or the copy cannot be read, or the stack would turn to another target.
    """
    state, reason = (stripped.read(copy_of, engine), "") if copy_of is not None else _state(engine)
    if state:
        targets.refuse_move(engine, loaded, state)
    with _copy(engine) as copy:
        said = copy.root / "plan.json"
        first = run.events(copy, "--save-plan", str(said), "--show-secrets", *(() if state else options))
        if not state or first.code or not said.is_file():
            compared = Compared.NOTHING if not state else Compared.BLIND
            return Blind(outcome=first, compared=compared, reason=reason, state=state or {})
        made = copy.exported() or {}
        blind = {
            "version": 3,
            "deployment": {
                **state,
                "secrets_providers": made.get("secrets_providers"),
                "resources": blinded(
                    at_home(state.get("resources"), engine.environ),
                    wanted(json.loads(said.read_text(encoding="utf-8"))),
                ),
                "pending_operations": None,
            },
        }
        file = copy.root / "state.json"
        file.write_text(json.dumps(blind), encoding="utf-8")
        copy.must("stack", "import", "--stack", copy.stack, "--file", str(file), "--non-interactive")
        return Blind(outcome=run.events(copy, *options), compared=Compared.BLIND, state=state)


def _state(engine: Engine) -> tuple[State | None, str]:
    """Give the state of the stack with its secrets encrypted, or say why there is nothing to compare with.

    Raises:
        PipelineError: if there is a place for the state, and it cannot be read from here.
    """
    if not engine.environ.get(backend.VARIABLE):
        return None, f"{backend.VARIABLE} is not set, so its state cannot be read"
    folder = engine.backend_folder()
    own = folder is not None and folder.parts[-2:] == _OWN
    if folder is not None and not folder.is_dir() and not own:
        raise _unreadable(engine, f"{backend.VARIABLE}: the folder {folder} does not exist")
    reader = replace(engine, environ={**_without_keys(engine.environ), **stripped.NO_KEY})
    try:
        state = reader.exported() if folder is None or folder.is_dir() else None
    except PipelineError as error:
        raise _unreadable(engine, error.problems[0].found) from None
    if state and state.get("resources"):
        return state, ""
    if own:
        return None, "no state on this machine knows of it; whether it is deployed is not known here"
    return None, "nothing of it is deployed"


_OWN = (".slipway", "state")
"""Where the state is where nobody said otherwise: on this machine alone."""


def _unreadable(engine: Engine, found: str) -> PipelineError:
    return problem(
        found,
        allowed="a place that this machine may read, or a copy of the state",
        mend=f"python -m pipeline state {engine.stack} --output state.json   # where it may be read, and here:\n"
        f"python -m pipeline preview {engine.stack} --without-secrets --state state.json\n"
        f"env -u {backend.VARIABLE} python -m pipeline preview {engine.stack} --without-secrets"
        "   # compares with nothing",
    )


def _without_keys(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in environ.items() if not name.startswith("PULUMI_CONFIG_PASSPHRASE")}


@contextmanager
def _copy(engine: Engine) -> Iterator[Engine]:
    """Give the stack in a project, a backend and with a passphrase of their own."""
    folders = engine.root / ".slipway" / "preview"
    folders.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = Path(tempfile.mkdtemp(prefix=f"{engine.stack}-", dir=folders))
    try:
        content = settings.read(engine.stack_file)
        (folder / "Pulumi.yaml").write_text(project(engine.root), encoding="utf-8")
        (folder / "state").mkdir()
        (folder / "stacks").mkdir()
        plain = {key: each for key, each in content.items() if not is_secret(each)}
        file = folder / "stacks" / engine.stack_file.name
        file.write_text(yaml.safe_dump({"config": plain}, sort_keys=False, allow_unicode=True), encoding="utf-8")
        environ = {
            **_without_keys(engine.environ),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": secrets.token_hex(16),
        }
        copy = replace(engine, root=folder, environ=environ)
        copy.must("stack", "init", copy.stack, "--no-select", "--non-interactive")
        given = [text for key in content if key not in plain for text in ("--secret", f"{key}={placeholder(key)}")]
        if given:
            copy.must("config", "set-all", "--stack", copy.stack, "--non-interactive", *given)
        yield copy
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def project(root: Path) -> str:
    """Write a project that runs the program of this repository where it is, and keeps everything else elsewhere."""
    said = yaml.safe_load((root / "Pulumi.yaml").read_text(encoding="utf-8"))
    runtime = said.get("runtime")
    options = dict((runtime or {}).get("options") or {}) if isinstance(runtime, dict) else {}
    if "virtualenv" in options:
        options["virtualenv"] = str(root / options["virtualenv"])
    said |= {"main": os.fspath(root), "runtime": {"name": "python", "options": options}, "stackConfigDir": "stacks"}
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=1000)


def is_secret(said: object) -> bool:
    """Whether a value of a stack's file is encrypted."""
    return isinstance(said, dict) and list(said) == ["secure"]


def placeholder(key: str) -> str:
    """Give what stands for a secret: long enough for whatever wants a key, and of the shape that it has to have."""
    name = key.partition(":")[2].replace("_", "-")
    return _SHAPES.get(key, "{}").format(f"placeholder-of-{name}-which-is-no-secret-at-all-0123456789")


def wanted(plan: Mapping[str, Json]) -> dict[str, Json]:
    """Give the properties of every resource that the program would make of nothing, by its URN."""
    found: dict[str, Json] = {}
    plans = plan.get("resourcePlans")
    for urn, each in (plans if isinstance(plans, dict) else {}).items():
        goal = each.get("goal") if isinstance(each, dict) else None
        differs = goal.get("inputDiff") if isinstance(goal, dict) else None
        found[urn] = differs.get("adds") if isinstance(differs, dict) else None
    return found


def at_home(resources: Json, environ: Mapping[str, str]) -> Json:
    """Let the plugins find the daemon where this machine has it: another way there is no change of the stack."""
    host = environ.get("DOCKER_HOST", "")
    found = resources if isinstance(resources, list) else []
    return [_at_home(each, host) if isinstance(each, dict) and _is_builder(each) else each for each in found]


def _is_builder(resource: Mapping[str, Json]) -> bool:
    return resource.get("type") in {"pulumi:providers:docker", "pulumi:providers:docker-build"}


def _at_home(resource: dict[str, Json], host: str) -> Json:
    def moved(said: Json) -> Json:
        return {**said, "host": host} if isinstance(said, dict) and "host" in said else said

    return {key: moved(each) if key in _HIDING else each for key, each in resource.items()}


def blinded(resources: Json, new: Mapping[str, Json]) -> Json:
    """Put what the program says now in the place of every secret of a state."""
    if not isinstance(resources, list):
        return []
    return [_blind(each, new) for each in resources if isinstance(each, dict)]


def _blind(resource: dict[str, Json], new: Mapping[str, Json]) -> Json:
    inputs = _opened(new.get(str(resource.get("urn"))))
    known: dict[str, Json] = dict(inputs) if isinstance(inputs, dict) else {}
    if resource.get("type") == "pulumi:index:Stash":
        known["output"] = known.get("input")
    return {
        key: _filled(each, {**known, _INPUTS: known} if key == "outputs" else known) if key in _HIDING else each
        for key, each in resource.items()
    }


_HIDING = ("inputs", "outputs")


def _filled(said: Json, known: Json) -> Json:
    if isinstance(said, dict):
        if said.get(SIGNATURE) == SECRET:
            text = json.dumps("" if known is None else known)
            return {SIGNATURE: SECRET, "plaintext": text}
        found = known if isinstance(known, dict) else {}
        return {key: _filled(each, found.get(key)) for key, each in said.items()}
    if isinstance(said, list):
        others = known if isinstance(known, list) else []
        return [_filled(each, others[index] if index < len(others) else None) for index, each in enumerate(said)]
    return said


def _opened(said: Json) -> Json:
    """Give what placeholders the program made of placeholders: there is no other secret in it."""
    if isinstance(said, dict):
        if said.get(SIGNATURE) == SECRET:
            plain = said.get("plaintext")
            return _opened(json.loads(plain)) if isinstance(plain, str) else None
        return {key: _opened(each) for key, each in said.items()}
    return [_opened(each) for each in said] if isinstance(said, list) else said
