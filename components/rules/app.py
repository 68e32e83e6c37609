"""What the settings of the app ask of each other: its variables, its files, its assets, its image. Pure."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components import assets, environment, source, storage, template
from components.keys import KEYS, Path_
from components.model import App, Assets, PostgresProvider, Promoted, RedisProvider, Target
from components.problems import Problem, config_rm, config_set, full_key, show
from components.rules.needed import required


def between(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find what is wrong with the app, with what is made for it, and with the image that takes its place."""
    app = parts.get("app")
    if isinstance(app, App):
        yield from _variables(app, _ours(parts), stack)
        yield from _templates(app, stack)
        yield from _rendered(app, [path for _, path in storage.paths_of(parts)], stack)
        yield from _ref(app, stack)
    if isinstance(parts.get("assets"), Assets):
        yield from _assets(parts["assets"], app, stack)
    if isinstance(parts.get("promoted"), Promoted):
        yield from _promoted(parts["promoted"], parts.get("target"), stack)


OURS = frozenset(
    {
        "DJANGO_SETTINGS_MODULE",
        "SLIPWAY_RELEASE",
        *(name + end for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL") for end in ("", "_FILE")),
    }
)
"""Environment variables that Slipway sets."""


SECRET_VARIABLES = frozenset({"SECRET_KEY", "DATABASE_URL", "REDIS_URL"})
"""Those of them that a project may read from its environment, if what they say is a secret there too."""


def _ours(parts: Mapping[str, Any]) -> set[str]:
    """Name the variables that Slipway sets in a stack: none for a store that it does not have."""
    absent = {
        variable
        for group, variable, none in (
            ("postgres", "DATABASE_URL", PostgresProvider.NONE),
            ("redis", "REDIS_URL", RedisProvider.NONE),
        )
        if group in parts and parts[group].provider is none
    }
    return {name for name in OURS if name.removesuffix("_FILE") not in absent}


def _variables(app: App, ours: set[str], stack: str) -> Iterator[Problem]:
    """Find variables that are not the project's to set."""
    for name in sorted(ours & set(app.environment)):
        path: Path_ = ("app", "environment", name)
        if name not in SECRET_VARIABLES:
            found, allowed = "a variable that Slipway sets itself", f"any name but {', '.join(sorted(ours))}"
        elif template.is_plain(app.environment[name]):
            found = "a value in clear (not shown)"
            allowed = f"a value that names a secret, such as {_USUAL[name]}"
        else:
            continue
        yield Problem(key=full_key(path), found=found, allowed=allowed, mend=config_rm(path, stack))


_USUAL = {"SECRET_KEY": "${secrets.django_key}", "DATABASE_URL": "${database.url}", "REDIS_URL": "${redis.url}"}


def _templates(app: App, stack: str) -> Iterator[Problem]:
    """Find names that mean nothing, and values that nobody could hand to the process."""
    for group, texts in (("environment", app.environment), ("files", app.files)):
        for name, text in texts.items():
            path: Path_ = ("app", group, name)
            for each in template.references(text):
                if not template.is_known(each):
                    yield _unknown_name(path, each, text, stack)
    if app.dockerfile is not None and environment.exported(app):
        path = ("app", "environment", environment.exported(app)[0])
        yield Problem(
            key=full_key(path),
            found="a value that names a secret, which the command of a Dockerfile of the project's own cannot get",
            allowed="with slipway:app.dockerfile: the path of a file, such as ${database.url.file}",
            mend=config_rm(path, stack),
        )


def _unknown_name(path: Path_, name: str, text: str, stack: str) -> Problem:
    near = template.meant(name)
    shown = name if name.startswith("${") else f"${{{name}}}"
    return Problem(
        key=full_key(path),
        found=f"{show(shown)}, which " + ("has no }" if name.startswith("${") else "means nothing"),
        allowed=(f"probably ${{{near}}}; " if near else "")
        + f"one of {', '.join(template.names())}, with {template.PATH} after it for the path of a file, "
        f"{template.QUOTED} for a quoted text; "
        "$${ for a ${ that is meant as it is",
        mend=config_set(path, text.replace(shown, f"${{{near}}}"), stack)
        if near and path[1] == "environment"
        else f"correct it in stacks/Pulumi.{stack}.yaml",
    )


def _rendered(app: App, kept: Sequence[str], stack: str) -> Iterator[Problem]:
    """Find rendered files that would lie on what is there already, or that nobody could link."""
    ours = {environment.SECRET_KEY, environment.DATABASE_URL, environment.REDIS_URL, environment.EXPORTED}
    for name in app.files:
        folder, _, file = name.rpartition("/")
        inside = folder == environment.SECRETS_DIR
        around = [other for other in (*app.files, *kept) if name.startswith(f"{other}/")]
        if inside and (file in ours or file in environment.value_files(app) or file.startswith("..")):
            found = "a file that Slipway or the platform writes itself"
            allowed = f"another name in {environment.SECRETS_DIR}"
        elif name == environment.SECRETS_DIR or (name.startswith(f"{environment.SECRETS_DIR}/") and not inside):
            found = "a folder of the secret files"
            allowed = f"a file right in {environment.SECRETS_DIR}, or elsewhere"
        elif around:
            found, allowed = (
                f"a path below {around[0]}",
                "a path that no other file, no uploads and no volume are above",
            )
        elif app.dockerfile is not None and name in environment.links(app):
            found = "a path that an image of Slipway's would link"
            allowed = f"with slipway:app.dockerfile: a path in {environment.SECRETS_DIR}, which the Dockerfile links"
        else:
            continue
        path: Path_ = ("app", "files", name)
        yield Problem(key=full_key(path), found=found, allowed=allowed, mend=config_rm(path, stack))


def _ref(app: App, stack: str) -> Iterator[Problem]:
    """Find a commit that is asked of a folder."""
    if app.ref is not None and not source.is_remote(app.source):
        path: Path_ = ("app", "ref")
        yield Problem(
            key=full_key(path),
            found=f"{show(app.ref)}, and slipway:app.source is a folder of this machine",
            allowed="nothing: what is in a folder is deployed as it is; or the address of a git repository as source",
            mend=config_rm(path, stack),
        )


def _promoted(said: Promoted, target: object, stack: str) -> Iterator[Problem]:
    """Find an image without the name of its release, and one that a cluster cannot pull."""
    path: Path_ = ("promoted", "image")
    if said.image is None:
        for name in ("release", "stack"):
            if getattr(said, name) is not None:
                yield Problem(
                    key=full_key(("promoted", name)),
                    found=show(getattr(said, name)),
                    allowed="nothing without slipway:promoted.image, which `python -m pipeline promote` writes with it",
                    mend=config_rm(("promoted",), stack),
                )
        return
    if said.release is None:
        yield Problem(
            key=full_key(("promoted", "release")),
            found="nothing",
            allowed="the release that slipway:promoted.image is; `python -m pipeline promote` writes both",
            mend=config_rm(("promoted",), stack),
        )
    if target is Target.KUBERNETES and "@" not in said.image:
        yield Problem(
            key=full_key(path),
            found=f"{show(said.image)}, an image of one Docker host",
            allowed="an image in a registry that the cluster pulls from, as NAME@sha256:DIGEST",
            mend=f"python -m pipeline promote {said.stack or 'STACK'} {stack} --registry registry.example.org/team",
        )


def _assets(said: Assets, app: object, stack: str) -> Iterator[Problem]:
    """Find what the assets lack, and what nothing could be made with."""
    if said.directory is None:
        given = [name for name in ("image", "install", "build", "inputs", "outputs") if getattr(said, name)]
        if given:
            yield required(("assets", "directory"), f"slipway:assets.{given[0]} is about what is made there", stack)
        return
    if isinstance(app, App) and app.dockerfile is not None:
        yield Problem(
            key=full_key(("assets", "directory")),
            found="a folder, with slipway:app.dockerfile",
            allowed="nothing: a Dockerfile of the project's own makes its assets itself",
            mend=config_rm(("assets",), stack),
        )
    if not said.outputs:
        yield required(("assets", "outputs"), "nothing else of what is made gets into the image", stack)
    elif "." in assets.outputs(said):
        path: Path_ = ("assets", "outputs")
        yield Problem(
            key=full_key(path),
            found='".", which is the whole project',
            allowed=KEYS[path].allowed,
            mend=config_set(path, posixpath.normpath(f"{said.directory}/dist"), stack),
        )
