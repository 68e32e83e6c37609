"""``env create``: from a name to a served page, or from a served page to the next release of it.

What is counted (environments, memory) is counted and noted under one lock, so that commands at once do not go beyond the
limits together. The same command again goes on where one was interrupted.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from components.budget import running_memory_mb
from components.model import Settings
from components.problems import SettingsError
from components.secrets import NAMESPACE, needed
from components.settings import parse
from pipeline import draft, interrupted, secrets, settings, stack, targets, up
from pipeline.console import PipelineError, Problem, problem
from pipeline.engine import Engine
from pipeline.env import destroy, gateway, images, lifetime, limits, lock, name, record, seed, stackfile
from pipeline.env.record import Record
from pipeline.env.stackfile import Template

LOCK = "env"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the command line says."""

    name: str
    """The name of the environment."""
    ttl: timedelta | None = None
    """How long it lives from now, unless it lives longer already; None for the template's time, or, for one that is there,
    for what it has."""
    ref: str | None = None
    """The branch, tag or commit of the repository of the project; None for the template's."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What there is of an environment before the command changes anything."""

    state: Mapping[str, Any] | None
    """What Pulumi knows of it; None where there is no stack."""
    record: Record | None
    """What is remembered of it."""
    kept: Mapping[str, Any]
    """What the file of its stack said last."""


def create(engine: Engine, template: Template, wanted: Wanted) -> int:
    """Make an environment, or bring one up to date."""
    console = engine.console
    with console.step("checks", f"Look at environment {wanted.name}"):
        stack.backend(engine)
        interrupted.release_stale_locks(engine)
        found = _look(engine, wanted)
    with lock.held(LOCK, engine.environ):
        noted = _note(engine, template, wanted, found)
    with console.step("secrets", "Make the secrets that it does not have"):
        _store(engine)
        secrets.init(engine.stack, engine)
    again = _command(template, wanted)
    try:
        noted = _bring(engine, noted, found.state or {})
    except PipelineError as error:
        raise seed.explained(error, template.review, again) from None
    loaded = settings.load(engine.stack, engine.root)
    if not noted.seeded:
        if loaded.review.seed.dump is not None:
            seed.restore(engine, loaded.review.seed.dump, again)
        noted = record.save(engine, replace(noted, seeded=True), noted)
    _report(engine, loaded, noted)
    return 0


def _look(engine: Engine, wanted: Wanted) -> Found:
    state = engine.exported()
    remembered = record.of(engine) if state is not None else None
    destroy.refuse_others(engine, state, remembered)
    kept, updated = stackfile.recover(engine, state)
    has_secrets = any(str(key).startswith(f"{NAMESPACE}:") for key in kept.get("config") or {})
    if state is not None and remembered is not None and state.get("resources") and not updated and not has_secrets:
        engine.console.say(
            f"    {wanted.name} was cut off at its first start, and its passwords are lost: it is made anew"
        )
        destroy.destroy(engine, wanted.name)
        return Found(state=None, record=None, kept={})
    if remembered is not None and (state or {}).get("resources") and not remembered.seeded and seed.step_of(kept):
        # The step may have run, or half of it, and would run a second time.
        engine.console.say(f"    {wanted.name} was never up with the data that it starts with: it is made anew")
        destroy.destroy(engine, wanted.name)
        return Found(state=None, record=replace(remembered, url=None, release=None, images=()), kept={})
    return Found(state=state, record=remembered, kept=kept)


def _note(engine: Engine, template: Template, wanted: Wanted, found: Found) -> Record:
    """Write the file of the stack, make sure that there is room, and note the environment in the backend."""
    file, now, before = engine.stack_file, record.now(), found.record
    old = file.read_text(encoding="utf-8") if file.exists() else None
    seeded = before is not None and before.seeded
    step = seed.step_of(found.kept) if seeded else seed.step(template.review)
    said = stackfile.config(template, wanted.name, wanted.ref, step)
    draft.write(file, stackfile.text(template, said, found.kept))
    try:
        with engine.console.step("checks", "Check its settings and the limits"):
            loaded = _parsed(engine, template)
            _refuse_long(wanted.name, loaded)
            memory = running_memory_mb(loaded)
            # One that is there stays, whatever the limits have become meanwhile.
            if before is None or memory > before.memory_mb:
                others = [each for each, _ in record.every(engine) if each.name != wanted.name]
                limits.check(wanted.name, memory, others, loaded.review, now)
            _refuse_lacking(engine)
            stack.passphrase(engine)
            if not seeded:
                seed.check(engine, loaded, _command(template, wanted))
        if loaded.edge.gateway is not None:
            gateway.ensure(engine, template)
    except BaseException:
        file.unlink() if old is None else draft.write(file, old)
        raise
    lives = wanted.ttl or timedelta(hours=loaded.review.ttl_hours)
    if found.state is None:
        given = ["--secrets-provider", template.provider] if template.provider else []
        engine.must("stack", "init", engine.stack, "--no-select", *given)
    if before is None:
        new = Record(name=wanted.name, project=loaded.app.name, created=now, expires=now + lives, memory_mb=memory)
        return record.save(engine, new)
    # Each push of a pull request says a time: what somebody has given with `env extend` is not taken away.
    expires = lifetime.later(before.expires, now, wanted.ttl)
    written = before if found.state is not None else None
    return record.save(engine, replace(before, memory_mb=memory, expires=expires), written)


def _parsed(engine: Engine, template: Template) -> Settings:
    try:
        return parse(settings.said(engine.stack, engine.root), engine.stack, engine.root)
    except SettingsError as error:
        raise stackfile.in_template(error, template.file) from None


def _refuse_long(wanted: str, loaded: Settings) -> None:
    """Raise where the parts of the stack would have names that no network knows."""
    room = name.room(loaded.app.name)
    if len(wanted) > room:
        raise problem(
            f"{wanted} has {len(wanted)} characters, and beside {loaded.app.name}, the name of the project, there is "
            f"room for {room}",
            allowed=f"a name of at most {room} characters, or a shorter slipway:app.name",
            mend=f"python -m pipeline env create {wanted[:room].rstrip('-')}",
        )


def _refuse_lacking(engine: Engine) -> None:
    """Raise for the secrets that nobody can make up and nobody has given."""
    absent = secrets.missing(engine.stack, engine.root)
    made = secrets.makeable(absent, engine.stack, engine.root)
    lacking = [each for each in absent if each not in made and not engine.environ.get(stackfile.variable(each))]
    if lacking:
        raise PipelineError(
            *(
                Problem(
                    f"{NAMESPACE}:{each}: found nothing",
                    allowed="a value that every reviewer may use: never the one of production",
                    mend=f"export {stackfile.variable(each)}=VALUE   # and the same command again",
                )
                for each in lacking
            )
        )


def _store(engine: Engine) -> None:
    """Store the secrets that variables of this command's environment hold."""
    for each in needed(parse(settings.said(engine.stack, engine.root), engine.stack, engine.root)):
        value = engine.environ.get(stackfile.variable(each))
        if value:
            key = f"{NAMESPACE}:{each}"
            engine.must("config", "set", "--secret", key, "--stack", engine.stack, "--non-interactive", stdin=value)


def _bring(engine: Engine, noted: Record, state: Mapping[str, Any]) -> Record:
    """Bring the stack up, and note what serves and which images there are, also where it fails."""
    known = [*noted.images, *images.of(state)]
    try:
        up.bring(engine)
    except BaseException:
        record.save(engine, replace(noted, images=_together(known, images.of(engine.exported() or {}))), noted)
        raise
    now = engine.exported() or {}
    said = _outputs(now)
    new = replace(noted, url=said.get("url"), release=said.get("release"), images=_together(images.of(now)))
    new = record.save(engine, new, noted)
    gone = [tag for tag in known if tag not in new.images]
    for each in images.remove(engine, targets.of_state(engine, now), gone):
        engine.console.say(f"    stays: {each}")
    return new


def _together(*tags: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag for each in tags for tag in each))


def _outputs(state: Mapping[str, Any]) -> dict[str, str]:
    """Give the outputs of a stack that are text."""
    of_stack = [each for each in state.get("resources") or [] if each.get("type") == "pulumi:pulumi:Stack"]
    return {
        key: value for each in of_stack for key, value in (each.get("outputs") or {}).items() if isinstance(value, str)
    }


def _command(template: Template, wanted: Wanted) -> str:
    """Give the command that makes this environment."""
    ref = f" --ref {shlex.quote(wanted.ref)}" if wanted.ref else ""
    return f"python -m pipeline env create {wanted.name}{template.option}{ref}"


def _report(engine: Engine, loaded: Settings, noted: Record) -> None:
    console = engine.console
    console.say()
    console.say(f"{console.paint(f'Review: {noted.url}', '1;32')}  (release {noted.release})")
    if loaded.edge.basic_auth is not None:
        console.say(f"        user {loaded.edge.basic_auth}, password from")
        console.say(f"        pulumi config get {NAMESPACE}:basic_auth_password --stack {engine.stack}")
    console.say(
        f"Until:  {lifetime.moment(noted.expires)} ({lifetime.until(noted.expires, record.now())}); "
        f"longer: python -m pipeline env extend {noted.name} --ttl {lifetime.longer(noted.expires, record.now())}"
    )
    console.say(f"Time:   {console.summary()}")
