"""The file of a review environment's stack: the template, with the name in it, and the secrets that are its own.

It lives as long as the environment. A clone that does not have it gets it back from the backend, which keeps what the
last update was given; the salt of its passphrase is in the state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from components.model import Kind, Review, Target
from components.problems import NAMESPACE, SettingsError
from components.settings import resolve
from pipeline import draft, settings
from pipeline.console import problem
from pipeline.engine import Engine
from pipeline.env import seed

USUAL = "review"
"""The template of which nobody says another."""

HEADER = "# Made by `python -m pipeline env create`: it goes with the environment. Change stacks/{template} instead.\n"
SUFFIX = ".template.yaml"

ENCRYPTION = ("secretsprovider", "encryptionsalt", "encryptedkey")
"""What belongs to what encrypts the secrets."""


@dataclass(frozen=True, kw_only=True)
class Template:
    """What review environments have in common."""

    file: str
    """Its name in ``stacks/``."""
    config: Mapping[str, Any]
    """What it says under ``config:``."""
    review: Review
    """What it says about review environments, completed."""
    target: Target
    """Where they are deployed."""
    provider: str | None
    """What encrypts the secrets; None for a passphrase."""

    @property
    def name(self) -> str:
        """What the command line calls it."""
        return self.file.removesuffix(SUFFIX)

    @property
    def option(self) -> str:
        """What the commands are told, so that they take this one."""
        return "" if self.name == USUAL else f" --from {self.name}"


def read(name: str, root: Path) -> Template:
    """Read a template.

    Raises:
        PipelineError: if it is not there or is none of review environments.
        SettingsError: if what it says about them is wrong.
    """
    path = root / "stacks" / f"{name}{SUFFIX}"
    if not path.is_file():
        known = sorted(each.name.removesuffix(SUFFIX) for each in path.parent.glob(f"*{SUFFIX}"))
        raise problem(
            f"there is no template {name}: stacks/{path.name} does not exist",
            allowed=f"one of {', '.join(known)}" if known else None,
            mend="python -m pipeline env create NAME --from review",
        )
    config = settings.read(path)
    prefix = f"{NAMESPACE}:"
    said = {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}
    if said.get("environment") != Kind.REVIEW:
        raise problem(
            f"stacks/{path.name}: slipway:environment is {said.get('environment')!r}, and what `env create` makes goes "
            "away by itself",
            allowed=f"a template with slipway:environment: {Kind.REVIEW}",
            mend="python -m pipeline env create NAME --from review",
        )
    own = sorted(key for key in config if key.startswith("secrets:"))
    if own:
        raise problem(
            f"stacks/{path.name}: found {own[0]}; a secret is encrypted for one stack, and each environment has its own",
            allowed="no secrets: passwords are made for each environment, and others come from variables",
            mend=f"remove {own[0]}, and export {variable(own[0].removeprefix('secrets:'))}=VALUE where `env create` runs",
        )
    resolved = resolve(said, f"{name}.template", root)
    review, target = resolved.parts.get("review"), resolved.parts.get("target")
    if not isinstance(review, Review) or not isinstance(target, Target):
        raise in_template(SettingsError(f"{name}.template", resolved.problems), path.name)
    provider = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("secretsprovider")
    return Template(file=path.name, config=config, review=review, target=target, provider=provider)


def in_template(error: SettingsError, file: str) -> SettingsError:
    """Say of what is wrong that it is mended in the template: there the file of the stack comes from."""
    mend = f"change it in stacks/{file}, and give the same command again"
    return SettingsError(error.stack, [replace(each, mend=mend) for each in error.problems])


def variable(secret: str) -> str:
    """Name the environment variable that a secret is taken from which nobody can make up."""
    return f"SLIPWAY_SECRET_{secret.upper()}"


def config(template: Template, name: str, ref: str | None = None, step: str | None = None) -> dict[str, Any]:
    """Give what the file of an environment says, without its secrets.

    Args:
        template: what all have in common.
        name: the name of the environment.
        ref: what of the repository of the project it shows; None for what the template says.
        step: the command line that brings its data in the first release; None where none does.
    """
    said = {key: value for key, value in template.config.items() if not key.startswith("secrets:")}
    said[f"{NAMESPACE}:domain"] = f"{name}.{template.review.domain}"
    if template.target is Target.DOCKER:
        said[f"{NAMESPACE}:edge"] = {**_group(said, "edge"), "gateway": template.review.gateway.name}
    else:
        said[f"{NAMESPACE}:kubernetes"] = {"expose": "ingress", **_group(said, "kubernetes")}
    if ref is not None:
        said[f"{NAMESPACE}:app"] = {**_group(said, "app"), "ref": ref}
    if step is not None:
        release = _group(said, "release")
        once = release.get("once") if isinstance(release.get("once"), dict) else {}
        said[f"{NAMESPACE}:release"] = {**release, "once": {**(once or {}), seed.STEP: step}}
    return said


def _group(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = said.get(f"{NAMESPACE}:{name}")
    return dict(found) if isinstance(found, dict) else {}


def text(template: Template, said: Mapping[str, Any], kept: Mapping[str, Any]) -> str:
    """Write the file: what is said, and of what was there before the secrets and what encrypts them."""
    secrets = {key: value for key, value in (kept.get("config") or {}).items() if key.startswith("secrets:")}
    encryption = {key: kept[key] for key in ENCRYPTION if kept.get(key)}
    if not encryption and template.provider:
        encryption = {"secretsprovider": template.provider}
    content = {**encryption, "config": {**said, **secrets}}
    return HEADER.format(template=template.file) + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def recover(engine: Engine, state: Mapping[str, Any] | None) -> tuple[dict[str, Any], bool]:
    """Give what the file of a stack said at its last update, and whether there was one; the file is there afterwards.

    Args:
        engine: the stack.
        state: what Pulumi knows of it; None where there is no such stack.
    """
    updated = False
    if state is not None:
        done = engine.run("config", "refresh", "--force", "--stack", engine.stack)
        updated = done.code == 0
        if not updated and "no previous deployment" not in done.text:
            engine.refuse(done, ("config", "refresh"))
    found = _content(engine.stack_file)
    if state is not None and not any(found.get(key) for key in ENCRYPTION):
        known = {key: value for key, value in encryption(state).items() if value}
        if known:
            found = {**known, **found}
            draft.write(engine.stack_file, yaml.safe_dump(found))
    return found, updated


def encryption(state: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a stack's file says of the encryption, as its state has it."""
    provider = state.get("secrets_providers") or {}
    known = provider.get("state") or {}
    if provider.get("type") == "passphrase":
        return {"encryptionsalt": known.get("salt")}
    return {"secretsprovider": known.get("url"), "encryptedkey": known.get("encryptedkey")} if known.get("url") else {}


def is_ours(path: Path) -> bool:
    """Whether a file was made for an environment, and not by hand."""
    return path.is_file() and path.read_text(encoding="utf-8").startswith(HEADER.partition("{")[0])


def _content(path: Path) -> dict[str, Any]:
    found = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found if isinstance(found, dict) else {}
