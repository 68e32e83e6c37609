"""What errors of Pulumi, Docker and the build mean, and the command that mends each.

A table of patterns, tried in order; it runs nothing and changes nothing. What is not in it is printed as Pulumi said it.
"""

import re
from collections.abc import Callable
from re import Match
from typing import TYPE_CHECKING

from pipeline.console import PipelineError, Problem
from pipeline.readable import plain

if TYPE_CHECKING:
    from pipeline.engine import Engine

type_of_rule = Callable[[Match[str], "Engine"], Problem]


def _passphrase_wrong(_found: Match[str], engine: "Engine") -> Problem:
    source = engine.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    where = "PULUMI_CONFIG_PASSPHRASE" if "PULUMI_CONFIG_PASSPHRASE" in engine.environ else (source or "no variable")
    return Problem(
        f"the passphrase (from {where}) does not open the secrets of stack {engine.stack}",
        allowed=f"the passphrase that stacks/{engine.stack_file.name} was made with",
        mend="export PULUMI_CONFIG_PASSPHRASE_FILE=path/of/the/right/passphrase",
    )


def _passphrase_missing(_found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"no passphrase is set, and the secrets of stack {engine.stack} need one",
        allowed="PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE",
        mend="tools/bootstrap && . .slipway/env",
    )


def _locked(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"another update of stack {engine.stack} is running: {found['who']}",
        mend=f"wait for it; if it is gone for good: pulumi cancel --yes {engine.stack}",
    )


def _secret(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"stacks/{engine.stack_file.name}: the secret {found['key']} is missing",
        mend=f"python -m pipeline secrets init {engine.stack}",
    )


def _disk(_found: Match[str], _engine: "Engine") -> Problem:
    return Problem(
        "the disk is full: no space left on device",
        mend="docker system df   # shows what Docker holds\ndocker image prune   # removes images nothing uses",
    )


def _port(found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"slipway:edge.port: {found['address']} is taken by another program",
        mend=f"pulumi config set --path slipway:edge.port OTHER_PORT --stack {engine.stack}",
    )


def _build(found: Match[str], engine: "Engine") -> Problem:
    """Name what the project's own code said while its static files were collected."""
    error = found["error"].strip()
    module = re.search(r"No module named '([\w.]+)'", error)
    if module is None:
        return Problem(
            f"the image cannot be built, since Django does not start in it: {error}",
            allowed="settings that can be imported with a made-up SECRET_KEY, DATABASE_URL and REDIS_URL",
            mend="mend the project and run the same command again",
        )
    return Problem(
        f"the image cannot be built, since Django does not start in it: No module named '{module[1]}'",
        allowed="modules of the project, and packages that its requirements list",
        mend=f"list the package in the requirements; or, if the settings module is wrong:\n"
        f"pulumi config set --path slipway:app.settings_module NAME --stack {engine.stack}",
    )


def _registry(found: Match[str], _engine: "Engine") -> Problem:
    return Problem(
        f"a registry cannot be reached: {found['what'].strip()}",
        allowed="a route to the registry, or the images in the local one",
        mend="tools/bootstrap   # brings images where registries cannot be reached, and says what is missing",
    )


def _image(found: Match[str], _engine: "Engine") -> Problem:
    return Problem(
        f"the image {found['image']} cannot be had from any registry that this machine reaches",
        mend="tools/bootstrap   # brings the images of the default settings; or set another image",
    )


def _daemon(_found: Match[str], engine: "Engine") -> Problem:
    return Problem(
        f"the Docker daemon does not answer at {engine.environ.get('DOCKER_HOST', 'unix:///var/run/docker.sock')}",
        mend="tools/bootstrap   # starts it where it may, or says how",
    )


RULES: list[tuple[str, type_of_rule]] = [
    (r"incorrect passphrase", _passphrase_wrong),
    (r"passphrase must be set with PULUMI_CONFIG_PASSPHRASE", _passphrase_missing),
    (r"stack is currently locked by (?s:.*?)created by (?P<who>[^\n]+)", _locked),
    (r"Missing required configuration variable '(?P<key>secrets:[\w-]+)'", _secret),
    (r"no space left on device", _disk),
    (
        r"(?:Bind for|listen tcp4?) (?P<address>\S+?):? (?:failed: port is already allocated|bind: address already in use)",
        _port,
    ),
    (
        r"#\d+ [\d.]+ (?P<error>[A-Z][\w.]*(?:Error|Exception|ImproperlyConfigured): [^\n]+|django[\w.]+: [^\n]+)",
        _build,
    ),
    (r"(?:manifest for|pull access denied for) (?P<image>\S+?),? (?:not found|repository does not exist)", _image),
    (
        r"(?P<what>(?:lookup \S+|dial tcp \S+)[^\n]*(?:no such host|connection refused|i/o timeout|server misbehaving))",
        _registry,
    ),
    (r"Cannot connect to the Docker daemon|error during connect", _daemon),
]


def explain(text: str, engine: "Engine") -> PipelineError | None:
    """Find what an output means; None when the table does not know it."""
    clean = "\n".join(plain(line) for line in text.splitlines())
    for pattern, rule in RULES:
        found = re.search(pattern, clean)
        if found is not None:
            return PipelineError(rule(found, engine))
    return None
