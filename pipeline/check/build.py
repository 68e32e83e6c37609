"""Builds the image of a stack without deploying anything: by Pulumi, with a state in a folder that goes away."""

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import docker.errors

from components import agent, image, release
from components.model import Settings
from components.problems import SettingsError
from pipeline.check import program
from pipeline.console import PipelineError, problem
from pipeline.engine import Engine, Result
from pipeline.explain import explain
from pipeline.host import throwaway
from pipeline.host.check import daemon

_MAIN = """\
import sys

sys.path.insert(0, {root!r})
from pipeline.check.program import main

main()
"""

_PROJECT = """\
name: slipway-check
description: Builds one image, to be looked at.
runtime:
  name: python
  options:
    virtualenv: {virtualenv}
"""


class BuildError(PipelineError):
    """The image cannot be built."""


@contextmanager
def built(engine: Engine, settings: Settings) -> Iterator[str]:
    """Give the name of the image while it is looked at. One that was built for this alone is gone afterwards.

    Raises:
        BuildError: if it cannot be built; what the build said was printed.
        SettingsError: if it needs an SSH agent, and there is none.
    """
    planned = release.plan(settings, engine.root)
    deployed = f"{settings.app.name}:{planned.identity}"
    with daemon(engine.environ) as client:
        throwaway.sweep(client)
        if _is_there(client, deployed):
            engine.console.say(f"    {deployed} is built already")
            yield deployed
            return
        missing = agent.problem(settings, engine.environ)
        if missing is not None:
            raise SettingsError(engine.stack, [missing])
        repository = f"{settings.app.name}-check"
        name = f"{repository}:{planned.identity}"
        _build(engine, settings, planned, repository)
        try:
            yield name
        finally:
            with suppress(docker.errors.APIError):  # somebody uses it, or it is gone
                client.images.remove(name)


def _is_there(client: "docker.DockerClient", name: str) -> bool:
    try:
        client.images.get(name)
    except docker.errors.ImageNotFound:
        return False
    return True


def _build(engine: Engine, settings: Settings, planned: release.Release, repository: str) -> None:
    folders = engine.root / ".slipway" / "check"
    folders.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = Path(tempfile.mkdtemp(prefix=f"{engine.stack}-", dir=folders))
    try:
        outcome = _run(engine, _prepared(engine, settings, planned, repository, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if outcome.code:
        known = explain(outcome.text, engine)
        if known is not None:
            raise BuildError(*known.problems)
        raise BuildError(
            *problem(
                "the image cannot be built (the reason is above)",
                mend=f"mend the reason, then python -m pipeline check {engine.stack} again",
            ).problems
        )


def _prepared(engine: Engine, settings: Settings, planned: release.Release, repository: str, folder: Path) -> Engine:
    """Write a program of Pulumi that builds the image, and give what runs it."""
    bundle = settings.build.ca_bundle
    plan = folder / "build.json"
    plan.write_text(
        json.dumps(
            {
                "repository": repository,
                "release": planned.identity,
                "context": str(planned.source),
                "dockerfile": str(folder / image.write(planned, engine.stack, folder)),
                "labels": planned.labels,
                "ca_bundle": str(engine.root / bundle) if bundle else None,
                "known_hosts": image.known_hosts(settings),
                "ssh_agent": engine.environ.get(agent.VARIABLE) if settings.dependencies.ssh_hosts else None,
            }
        ),
        encoding="utf-8",
    )
    (folder / "__main__.py").write_text(_MAIN.format(root=str(engine.root)), encoding="utf-8")
    virtualenv = os.path.relpath(engine.root / ".venv", folder)
    (folder / "Pulumi.yaml").write_text(_PROJECT.format(virtualenv=virtualenv), encoding="utf-8")
    (folder / "state").mkdir()
    environ = {
        **{name: value for name, value in engine.environ.items() if not name.startswith("PULUMI_CONFIG_PASSPHRASE")},
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": secrets.token_hex(16),
        program.PLAN: str(plan),
    }
    if settings.dependencies.netrc:
        environ[program.NETRC] = engine.must(
            "config", "get", "secrets:netrc", "--stack", engine.stack, "--non-interactive"
        )
    return replace(engine, stack="check", root=folder, environ=environ)


def _run(engine: Engine, builder: Engine) -> Result:
    builder.must("stack", "init", builder.stack, "--no-select")
    outcome = builder.stream("up", "--yes", "--skip-preview")
    log = engine.log_of("check")
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    log.write_text(outcome.text, encoding="utf-8")
    log.chmod(0o600)
    return outcome
