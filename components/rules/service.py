"""Rules about services beside the app: which names mean one, and what one value of a service asks of another."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from components import environment, services, template
from components.keys import Path_
from components.model import App, PostgresProvider, RedisProvider, Service, Target
from components.problems import Problem, config_rm, config_set, full_key, show

LONGEST_HOST = 63
"""Letters of a name on a network."""

_TOP = ("bin", "boot", "dev", "etc", "home", "lib", "lib64", "opt", "proc", "root", "run", "sbin", "srv", "sys", "tmp")
_BELOW = (
    "usr/bin",
    "usr/lib",
    "usr/local",
    "usr/local/bin",
    "usr/local/lib",
    "usr/sbin",
    "usr/share",
    "var/lib",
    "var/run",
)
TAKEN = frozenset({"/", *(f"/{each}" for each in ("usr", "var", *_TOP, *_BELOW))})
"""Folders of an image that nothing may hide."""


def between(parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find what is wrong with services, and with what names them."""
    known: Mapping[str, Service] = parts.get("services") or {}
    app = parts.get("app")
    if isinstance(app, App):
        yield from _names(("app",), app, parts, stack)
    for name, service in known.items():
        path: Path_ = ("services", name)
        yield from _unknown(path, service, stack)
        yield from _names(path, service, parts, stack)
        yield from _url(path, service, stack)
        yield from _exported(path, service, stack)
        yield from _folders(path, service, stack)
        if isinstance(app, App) and parts.get("target") is Target.DOCKER:
            yield from _host(path, f"{app.name}-{stack}-{services.role(name)}", stack)


def _host(path: Path_, host: str, stack: str) -> Iterator[Problem]:
    if len(host) > LONGEST_HOST:
        yield Problem(
            key=full_key(path),
            found=f"a service whose host would be {host}, which has {len(host)} letters",
            allowed=f"at most {LONGEST_HOST}, in which slipway:app.name and the name of the stack are too",
            mend=f"{config_rm(path, stack)}   # and a shorter name for it",
        )


def _said(path: Path_, it: App | Service) -> Iterator[tuple[Path_, str]]:
    """Give each text with names in it, and where it stands."""
    for part, texts in (("environment", it.environment), ("files", it.files)):
        for key, text in texts.items():
            yield (*path, part, key), text


def _correct(path: Path_, wrong: str, right: str | None, text: str, stack: str) -> str:
    """Give what mends a text; what a file holds is too long for a command line."""
    if right is None or path[-2] == "files":
        return f"correct it in stacks/Pulumi.{stack}.yaml"
    written = wrong if wrong.startswith("${") else f"${{{wrong}}}"
    return config_set(path, text.replace(written, f"${{{right}}}"), stack)


def _unknown(path: Path_, service: Service, stack: str) -> Iterator[Problem]:
    """Find names that mean nothing."""
    for where, text in _said(path, service):
        for each in template.references(text):
            if not template.is_known(each):
                near = template.meant(each)
                yield Problem(
                    key=full_key(where),
                    found=_mention(each),
                    allowed=(f"probably ${{{near}}}; " if near else "") + f"one of {', '.join(template.names())}",
                    mend=_correct(where, each, near, text, stack),
                )


def _mention(name: str) -> str:
    if name.startswith("${"):
        return f"{show(name)}, which has no }}"
    return f"{show(f'${{{name}}}')}, which means nothing"


def _names(path: Path_, it: App | Service, parts: Mapping[str, Any], stack: str) -> Iterator[Problem]:
    """Find names of services, and of stores, that this stack does not have."""
    known: Mapping[str, Service] = parts.get("services") or {}
    without = {
        group: group_name
        for group, group_name, none in (
            ("database", "postgres", PostgresProvider.NONE),
            ("redis", "redis", RedisProvider.NONE),
        )
        if group_name in parts and parts[group_name].provider is none
    }
    for where, text in _said(path, it):
        for each in template.references(text):
            group = template.group(each)
            if group in without and template.is_known(each):
                provider: Path_ = (without[group], "provider")
                yield Problem(
                    key=full_key(where),
                    found=f"{show(f'${{{each}}}')}, and {full_key(provider)} is none",
                    allowed=f"names of what the stack has, or a {group}",
                    mend=config_set(provider, "slipway", stack),
                )
            about = template.service(each)
            if about is not None and "services" in parts:
                yield from _service(where, each, text, about, known, stack)


def _service(  # noqa: PLR0913, PLR0917 - what one name is about
    where: Path_, name: str, text: str, about: template.OfService, known: Mapping[str, Service], stack: str
) -> Iterator[Problem]:
    service = known.get(about.service)
    if service is None:
        close = get_close_matches(about.service, known, 1)
        right = name.replace(f"services.{about.service}.", f"services.{close[0]}.", 1) if close else None
        yield Problem(
            key=full_key(where),
            found=f"{show(f'${{{name}}}')}, and there is no service {about.service}",
            allowed=(f"probably ${{{right}}}; " if right else "")
            + (f"one of the services {', '.join(sorted(known))}" if known else "a service below slipway:services"),
            mend=_correct(where, name, right, text, stack),
        )
    elif about.part == "url" and service.url is None:
        path: Path_ = ("services", about.service, "url")
        yield Problem(
            key=full_key(path),
            found=f"nothing, and {full_key(where)} has {show(f'${{{name}}}')}",
            allowed="an address with ${host} and ${port} in it, such as http://${host}:${port}/",
            mend=config_set(path, "http://${host}:${port}/", stack),
        )
    elif about.port is not None and about.port not in service.ports:
        path = ("services", about.service, "ports", about.port)
        yield Problem(
            key=full_key(path),
            found=f"nothing, and {full_key(where)} has {show(f'${{{name}}}')}",
            allowed=f"one of the ports {', '.join(service.ports)}" if service.ports else "a port below this name",
            mend=config_set(path, service.port, stack),
        )


def _url(path: Path_, service: Service, stack: str) -> Iterator[Problem]:
    """Find names that mean nothing in the address of a service."""
    where: Path_ = (*path, "url")
    for each in template.references(service.url or ""):
        port = each.removeprefix("ports.") if each.startswith("ports.") else None
        if not template.is_known_in_url(each) or (port is not None and port not in service.ports):
            names = ["host", "port", *(f"ports.{name}" for name in service.ports), "secrets.NAME", *template.PLAIN]
            near = get_close_matches(each, names, 1)
            yield Problem(
                key=full_key(where),
                found=_mention(each),
                allowed=(f"probably ${{{near[0]}}}; " if near else "") + f"one of {', '.join(names)}",
                mend=_correct(where, each, near[0] if near else None, service.url or "", stack),
            )


def _exported(path: Path_, service: Service, stack: str) -> Iterator[Problem]:
    """Find variables that nobody could hand to the process."""
    exported = environment.exported(service)
    if exported and not service.entrypoint:
        where: Path_ = (*path, "entrypoint")
        yield Problem(
            key=full_key(where),
            found=f"nothing, and {full_key((*path, 'environment', exported[0]))} has a value that names a secret, which "
            "a shell has to export before its program starts",
            allowed="the ENTRYPOINT of its image, and its CMD as slipway:services.NAME.command: "
            "`docker image inspect IMAGE` shows both; or the path of a file, such as ${secrets.NAME.file}",
            mend=config_set(where, "docker-entrypoint.sh", stack),
        )


def _folders(path: Path_, service: Service, stack: str) -> Iterator[Problem]:
    """Find folders that are two things at once, or that would hide what the image has."""
    taken: dict[str, str] = {}
    found = [
        *(((*path, "volumes", name), folder) for name, folder in service.volumes.items()),
        *(((*path, "writable"), folder) for folder in service.writable),
        *(((*path, "files", f"{folder}/"), folder) for folder in services.folders(service)),
    ]
    for where, folder in found:
        if folder in TAKEN:
            why, allowed = "would hide what the image has there", "a folder of its own"
        elif folder in taken:
            why, allowed = f"is {taken[folder]} too", "one use of each folder"
        else:
            taken[folder] = full_key(where)
            continue
        yield Problem(
            key=full_key(where),
            found=f"{folder}, which {why}",
            allowed=allowed,
            mend=f"correct it in stacks/Pulumi.{stack}.yaml",
        )
    for name in service.files:
        own = {environment.EXPORTED, *environment.value_files(service)}
        if services.folder_of(name) == environment.SECRETS_DIR and name.rpartition("/")[2] in own:
            file: Path_ = (*path, "files", name)
            yield Problem(
                key=full_key(file),
                found="a file that Slipway writes itself",
                allowed=f"another name in {environment.SECRETS_DIR}",
                mend=config_rm(file, stack),
            )
