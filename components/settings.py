"""The settings of one stack: frozen, complete, and validated before any resource exists.

This module owns the way from what a stack's file says to settings, and is the only reader of ``pulumi.Config`` for them.
What can be said is in ``components/model.py``, what one value asks of another in ``components/rules/``.
It does not read secrets (``components/secrets.py``), does not look at the Django project (``components/project.py``)
and does not create resources.
"""

import json
import os
import posixpath
import re
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from types import NoneType
from typing import Any, get_origin

import pulumi
from pydantic import TypeAdapter, ValidationError

from components import agent, assets, checkout, dependencies, project, rules
from components import source as remote
from components.defaults import BY_KIND, COMMON, DERIVED, ENTRIES
from components.keys import KEYS, NAME, Key, Path_, key_at
from components.model import Kind, Settings, Target
from components.problems import (
    NAMESPACE,
    SECRET,
    Problem,
    SettingsError,
    config_rm,
    config_set,
    full_key,
    show,
)
from components.resolved import CA_VARIABLE, FILE, REGISTRY_VARIABLE, Resolved, at
from components.rules import target
from components.values import text

ROOT = Path(__file__).resolve().parent.parent
"""The repository. Relative paths in settings start here."""


MOVED: Mapping[Path_, Path_] = {
    ("app", "requirements"): ("dependencies", "files"),
    ("app", "media_root"): ("media", "root"),
}
"""What had another name once."""

_ENTRIES: dict[Path_, dict[str, Any]] = {(name,): values for name, values in ENTRIES.items()}
_WITH_EXAMPLES: frozenset[Path_] = frozenset(
    {("edge", "routes"), ("edge", "headers"), ("edge", "redirects"), ("edge", "locations")}
)
"""Pairs whose example is a value for any name."""
_SETTINGS_MODULE = ("app", "settings_module")
_APPLICATIONS = {"wsgi": ("app", "wsgi_module"), "asgi": ("app", "asgi_module")}


def load() -> Settings:
    """Read the settings of the stack that is being deployed, or raise one error with every problem.

    Raises:
        SettingsError: if anything is wrong, including with the Django project that the settings point at.
    """
    loaded = check(_read(), pulumi.get_stack(), netrc=_netrc)
    # Neither a preview nor an image that was promoted builds anything.
    missing = None if pulumi.runtime.is_dry_run() else agent.problem(loaded)
    if missing is not None:
        raise SettingsError(pulumi.get_stack(), [missing])
    found = checkout.of(loaded.app, ROOT) if loaded.promoted.image is None else None
    if found is not None and found.note:
        pulumi.log.warn(found.note)
    return loaded


def _netrc() -> str | None:
    """Give the credentials of private git, which the repository of the project may want too."""
    return pulumi.runtime.config.CONFIG.get().get("secrets:netrc")


def check(said: Mapping[str, Any], stack: str, root: Path = ROOT, netrc: checkout.Netrc = lambda: None) -> Settings:
    """Turn what a stack says into settings that fit the files on this machine.

    Args:
        said: what stands below ``slipway:``.
        stack: its name.
        root: where relative paths start.
        netrc: gives credentials for the repository of the project, where it has to be asked.

    Raises:
        SettingsError: with every problem of the values and of the files that they point at.
    """
    resolved = resolve(said, stack, root)
    return _settings(resolved, stack, [*resolved.problems, *file_problems(resolved, stack, root, netrc)])


def parse(said: Mapping[str, Any], stack: str, root: Path = ROOT) -> Settings:
    """Turn what a stack says into settings, without a look at any file.

    Raises:
        SettingsError: with every problem of the values.
    """
    resolved = resolve(said, stack, root)
    return _settings(resolved, stack, resolved.problems)


def file_problems(
    resolved: Resolved, stack: str, root: Path = ROOT, netrc: checkout.Netrc = lambda: None
) -> list[Problem]:
    """Find what is wrong with the files that valid settings point at; those of a git repository are brought for it."""
    problems = []
    promoted = resolved.parts.get("promoted")
    if promoted is not None and promoted.image is not None:
        return []  # nothing is built, so nothing of the project is needed here
    if "app" in resolved.parts:
        try:
            checkout.of(resolved.parts["app"], root, stack, netrc)
        except checkout.CheckoutError as error:
            return [error.problem]
        problems += project.app_problems(resolved.parts["app"], stack, root)
        problems += _application_problems(resolved, problems, stack, root)
        if "dependencies" in resolved.parts and not problems and resolved.parts["app"].dockerfile is None:
            app, said = resolved.parts["app"], resolved.parts["dependencies"]
            problems += dependencies.problems(app, said, project.source_folder(app, root), stack)
            if "assets" in resolved.parts:
                problems += assets.problems(resolved.parts["assets"], project.source_folder(app, root), stack)
    if "build" in resolved.parts:
        problems += project.build_problems(resolved.parts["build"], stack, root)
    return problems


def _application_problems(resolved: Resolved, found: list[Problem], stack: str, root: Path) -> list[Problem]:
    """Find what is wrong with the application that is served, if nothing is that it follows from."""
    web, app = resolved.parts.get("web"), resolved.parts["app"]
    names = {problem.key for problem in found}
    if web is None or names - {full_key(_SETTINGS_MODULE)}:
        return []
    problems = project.application_problems(app, web, stack, root)
    guessed = {full_key(path) for path in _APPLICATIONS.values() if resolved.sources[path] != FILE}
    return [problem for problem in problems if not (names and problem.key in guessed)]


def _settings(resolved: Resolved, stack: str, problems: list[Problem] | tuple[Problem, ...]) -> Settings:
    if problems:
        raise SettingsError(stack, problems)
    return Settings(**resolved.parts)


def _read() -> dict[str, Any]:
    """Read everything under ``slipway:``. Groups of values come as JSON text, single ones as they are."""
    config = pulumi.Config(NAMESPACE)
    prefix = f"{NAMESPACE}:"
    given = {**pulumi.runtime.get_config_env(), **pulumi.runtime.config.CONFIG.get()}
    names = dict.fromkeys(
        [*Settings.model_fields, *(key.removeprefix(prefix) for key in given if key.startswith(prefix))]
    )
    said: dict[str, Any] = {}
    for name in names:
        if pulumi.runtime.is_config_secret(prefix + name):
            said[name] = {"secure": None}
            continue
        value = config.get(name)
        if value is not None:
            key = KEYS.get((name,))
            said[name] = _structure(value) if key is not None and (key.group or key.entry) else value
    return said


def _structure(value: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        return value


def resolve(said: Mapping[str, Any], stack: str, root: Path = ROOT) -> Resolved:
    """Complete what a stack says from the defaults of its kind, and find what is wrong with it."""
    environment = said.get("environment")
    kind = environment if isinstance(environment, str) and environment in BY_KIND else Kind.DEV
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    sources: dict[Path_, str] = {}
    _lay(values, sources, COMMON, "default")
    _lay(values, sources, BY_KIND[kind], f"default of {kind}")
    _lay(values, sources, _without_secrets(said, (), stack, problems), FILE)
    _derive(values, sources, stack, root)
    refused = tuple(problem.key + end for problem in problems for end in (".", "["))
    derived = {path for path in DERIVED if sources.get(path) != FILE}
    parts, wrong = _validate(values, stack)
    problems += [
        problem
        for path, problem in wrong.items()
        if path not in derived and not f"{problem.key}.".startswith(refused)  # what they follow from is named
    ]
    problems += rules.between(parts, stack)
    resolved = Resolved(values, sources, parts)
    found = (
        *target.only_on(resolved, stack),
        *target.instead(resolved, stack),
        *target.of_cluster(parts, stack),
    )
    return replace(resolved, problems=(*problems, *found))


def _lay(
    values: dict[str, Any], sources: dict[Path_, str], layer: Mapping[str, Any], source: str, above: Path_ = ()
) -> None:
    """Put one layer over the values below it, and note where each value comes from."""
    for name, value in layer.items():
        path = (*above, name)
        key = key_at(path)
        if source == FILE and key is not None and key.group is None and value in (None, ""):
            continue  # a key without a value says nothing; for a group, Pulumi itself refuses that
        if key is not None and key.group is not None and isinstance(value, Mapping):
            if path[-1] not in values and above in _ENTRIES:
                _lay(values.setdefault(name, {}), sources, _ENTRIES[above], "default", path)
            _lay(values.setdefault(name, {}), sources, value, source, path)
        elif key is not None and key.entry is not None and isinstance(value, Mapping):
            sources.setdefault(path, source)
            _lay(values.setdefault(name, {}), sources, value, source, path)
        else:
            values[name] = value
            sources[path] = source


def _derive(values: dict[str, Any], sources: dict[Path_, str], stack: str, root: Path) -> None:
    """Fill in what follows from other values."""
    app, build, cluster = values["app"], values.setdefault("build", {}), values["kubernetes"]
    if not isinstance(app, dict):
        return
    derived: list[tuple[dict[str, Any], Path_, Path_, str]] = []
    source, module = text(app.get("source")), text(app.get("settings_module"))
    if isinstance(source, str):
        derived.append((app, ("app", "name"), ("app", "source"), name_of(source, root)))
    if isinstance(module, str):
        derived += [(app, path, _SETTINGS_MODULE, application_of(module, kind)) for kind, path in _APPLICATIONS.items()]
    if isinstance(build, dict):
        derived.append((build, ("build", "base_image"), ("app", "python"), f"python:{app['python']}-slim"))
        _from_machine(build, sources, ("build", "ca_bundle"), CA_VARIABLE)
    if isinstance(cluster, dict):
        # The images of a Docker host need no registry.
        variable = REGISTRY_VARIABLE if values["target"] == Target.KUBERNETES else None
        _from_machine(cluster, sources, ("kubernetes", "registry"), variable)
        name = text(app.get("name", name_of(source, root) if isinstance(source, str) else ""))
        if isinstance(name, str):
            derived.append((cluster, ("kubernetes", "namespace"), ("app", "name"), namespace_of(name, stack)))
    for group, path, origin, value in derived:
        if path[-1] not in group:
            group[path[-1]] = value
            sources[path] = f"from {full_key(origin)}"


def _from_machine(group: dict[str, Any], sources: dict[Path_, str], path: Path_, variable: str | None) -> None:
    """Take a value from an environment variable, since what belongs to one machine has no place in a stack's file."""
    if path[-1] not in group:
        value = os.environ.get(variable) if variable else None
        group[path[-1]] = value or None
        sources[path] = f"from {variable}" if value else "default"


def name_of(source: str, root: Path = ROOT) -> str:
    """Make a name for an app out of the folder or the repository that it is in."""
    folder = (
        remote.name(source)
        if remote.is_remote(source)
        else posixpath.basename(posixpath.normpath(posixpath.join(str(root), source)))
    )
    slug = re.sub(r"[^a-z0-9]+", "-", folder.lower()).lstrip("-0123456789")[:31].strip("-")
    return slug or "app"


def namespace_of(name: str, stack: str) -> str:
    """Make the name of a namespace out of those of the app and of the stack."""
    return re.sub(r"[^a-z0-9]+", "-", f"{name}-{stack}".lower())[:63].strip("-")


def application_of(settings_module: str, kind: str) -> str:
    """Guess the WSGI or ASGI application from the settings module: they lie in one package, as Django lays them out."""
    parts = settings_module.split(".")
    package = parts[: parts.index("settings")] if "settings" in parts else parts[:-1]
    return ".".join([*package, kind]) + ":application"


def _without_secrets(said: Mapping[str, Any], above: Path_, stack: str, problems: list[Problem]) -> dict[str, Any]:
    """Take the secrets out. A structure that holds one is secret as a whole, and no diff of it can be read."""
    kept: dict[str, Any] = {}
    for name, value in said.items():
        path = (*above, str(name))
        if isinstance(value, Mapping) and list(value) == ["secure"]:
            problems.append(_secret_problem(path, stack))
        else:
            kept[str(name)] = _without_secrets(value, path, stack, problems) if isinstance(value, Mapping) else value
    return kept


def _secret_problem(path: Path_, stack: str) -> Problem:
    key = key_at(path)
    if key is not None and (key.group or key.entry) is not None:
        mend = f"{config_rm((*path, 'KEY'), stack)} (KEY is the one with `secure:` in the stack's file)"
    elif key is not None and isinstance(key.example, str | int | float):
        mend = config_set(path, key.example, stack).replace("config set", "config set --plaintext")
    else:
        mend = config_rm(path, stack)
    return Problem(
        key=full_key(path),
        found=SECRET,
        allowed="a value in clear; secrets are kept apart, under secrets:",
        mend=mend,
    )


def _validate(values: dict[str, Any], stack: str) -> tuple[dict[str, Any], dict[Path_, Problem]]:
    """Give the top-level values that are valid, and what is wrong with the others."""
    wrong: dict[Path_, Problem] = {}
    bad = set()
    try:
        Settings.model_validate(values)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_context=False, include_input=False):
            path = _of_a_key(tuple(str(part) for part in each["loc"] if part != "[key]"))
            bad.add(path[0])
            wrong.setdefault(path, _problem(path, each["type"], "[key]" in each["loc"], values, stack))
    parts = {
        name: TypeAdapter[Any](info.annotation or Any).validate_python(values[name])
        for name, info in Settings.model_fields.items()
        if name not in bad
    }
    return parts, wrong


def _problem(path: Path_, kind: str, is_name: bool, values: dict[str, Any], stack: str) -> Problem:  # noqa: FBT001  # a fact about path
    """Say in our words what pydantic found."""
    if kind == "extra_forbidden":
        return _unknown(path, values, stack)
    key = key_at(path)
    if is_name and key is not None:
        group = key_at(path[:-1]) or key
        return Problem(
            key=full_key(path), found="a name that is not allowed", allowed=group.allowed, mend=config_rm(path, stack)
        )
    if key is None:  # one of pairs, such as a variable of an environment
        above = key_at(path[:-1])
        return Problem(
            key=full_key(path),
            found="a name that is not allowed" if is_name else _entry(path, values),
            allowed=above.allowed if above is not None else "",
            mend=config_rm(path, stack) if is_name else _mended_entry(path, above, stack),
        )
    return Problem(
        key=full_key(path),
        found=show(None if kind == "missing" else at(values, path)),
        allowed=key.allowed,
        mend=config_rm(path, stack)
        if isinstance(key.example, dict | NoneType)
        else config_set(path, _example(key, stack), stack),
    )


def _entry(path: Path_, values: dict[str, Any]) -> str:
    """Say what was found below a name that the stack's file chose; texts of a project may be secret."""
    return "something that is not text (not shown)" if _is_text(path) else show(at(values, path))


def _mended_entry(path: Path_, above: Key | None, stack: str) -> str:
    """Give the command that mends what was found below a name that the stack's file chose."""
    if _is_text(path):
        return config_set(path, "TEXT", stack)
    if path[:-1] in _WITH_EXAMPLES and above is not None and isinstance(above.example, dict):
        return config_set(path, next(iter(above.example.values())), stack)
    return config_rm(path, stack)


def _is_text(path: Path_) -> bool:
    return path[-2] in {"environment", "files"}


def _of_a_key(path: Path_) -> Path_:
    """Cut a path where its key ends: what is wrong with one word of a list is wrong with the list."""
    ends = (end for end in range(1, len(path)) if _is_list(key_at(path[:end])))
    return path[: next(ends, len(path))]


def _is_list(key: Key | None) -> bool:
    return key is not None and get_origin(key.info.annotation) is list and key.group is None


def _example(key: Key, stack: str) -> object:
    """Give an allowed value; a stack that is named like a kind is probably of that kind."""
    return stack if key.path == ("environment",) and stack in BY_KIND else key.example


def _unknown(path: Path_, values: dict[str, Any], stack: str) -> Problem:
    """Name the known key that was probably meant. The value of an unknown one is only shown where one is near."""
    group = key_at(path[:-1])
    siblings = [key.path for key in KEYS.values() if key.path[:-1] == (group.path if group else ())]
    near = [MOVED[path]] if path in MOVED else []
    near += [(*path[:-1], name) for name in get_close_matches(path[-1], [sibling[-1] for sibling in siblings], 1)]
    near += [other for other in KEYS if other[-1] == path[-1] and NAME not in other]
    value = at(values, path)
    mend = config_rm(path, stack)
    known = key_at(near[0]) if near else None
    if known is not None and known.single and isinstance(value, str | int | float):
        mend = f"{config_set(near[0], value, stack)} && {mend}"
    names = ", ".join(sibling[-1] for sibling in siblings)
    return Problem(
        key=full_key(path),
        found="a key that is not known",
        allowed=f"probably {full_key(near[0])}" if near else f"one of {names}",
        mend=mend,
    )
