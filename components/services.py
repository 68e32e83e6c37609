"""Servers beside the app that settings name: what each is called, what it reads, and how it is known to serve. Pure.

The same on every target. What one value of them asks of another is in ``rules/service.py``.
"""

import hashlib
from collections.abc import Iterable

from components import environment, template
from components.environment import SECRETS_DIR, Known
from components.model import App, Service, Settings

_LISTENS = """\
for file in /proc/net/tcp /proc/net/tcp6; do
    [ -r $file ] && while read -r _ local _ state _; do
        case $local.$state in
        0100007F:* | 00000000000000000000000001000000:* | 0000000000000000FFFF00000100007F:*) ;;
        *:{port:04X}.0A) exit 0 ;;
        esac
    done <$file
done
echo nothing listens on port {port}
exit 1"""

SETTINGS = (
    "image, entrypoint, command, environment, files, user, writable, volumes, port, health_command, startup_seconds"
)
"""What may be wrong with one that does not serve."""


def role(name: str) -> str:
    """Name the component of a service that settings name."""
    return f"service-{name}"


def name_of(component: str) -> str | None:
    """Give the service that a component belongs to; None where it belongs to none."""
    return component.removeprefix("service-") if component.startswith("service-") else None


def storage_role(name: str, volume: str) -> str:
    """Name a volume of a service, for ever."""
    return f"{role(name)}-{volume}"


def folder_role(name: str, folder: str) -> str:
    """Name the set of a service's files in one folder."""
    return f"{role(name)}-files-{hashlib.sha256(folder.encode()).hexdigest()[:8]}"


def ports(service: Service) -> list[int]:
    """List the ports that it is asked on, the main one first and each once."""
    return list(dict.fromkeys([service.port, *sorted(service.ports.values())]))


def mentioned(texts: Iterable[str]) -> list[str]:
    """Name the services that texts mention, sorted."""
    found = {about.service for name in environment.names(texts) if (about := template.service(name)) is not None}
    return sorted(found)


def groups(texts: Iterable[str]) -> set[str]:
    """Give what texts mention a part of: ``database``, ``redis``, ``services`` and others."""
    return {template.group(name) for name in environment.names(texts)}


def program(service: Service) -> list[str] | None:
    """Give the program that it starts with; None for the one of its image.

    Where a variable is not plain, a shell exports it first and then becomes the program.
    """
    return environment.exporting(service, service.entrypoint) or None


def plain_environment(service: Service, known: Known) -> dict[str, str]:
    """Give its variables that everybody may see."""
    said = service.environment
    return {name: template.fill(text, known.value) for name, text in said.items() if template.is_plain(text)}


def folder_of(path: str) -> str:
    """Give the folder of a rendered file."""
    return path.rpartition("/")[0] or "/"


def folders(service: Service) -> list[str]:
    """List the folders that hold its rendered files and nothing else, but for the one of secret files."""
    return sorted({folder_of(path) for path in service.files} - {SECRETS_DIR})


def reads_secrets(service: Service) -> bool:
    """Whether there is anything in its folder of secret files."""
    own = any(folder_of(path) == SECRETS_DIR for path in service.files)
    return own or bool(environment.value_files(service)) or bool(environment.exported(service))


def contents(service: Service, folder: str, known: Known) -> dict[str, str]:
    """Give the content of each of its files in one folder, by its name."""
    found = {path: text for path, text in service.files.items() if folder_of(path) == folder}
    rendered = {path.rpartition("/")[2]: template.fill(text, known.value) for path, text in found.items()}
    if folder != SECRETS_DIR:
        return rendered
    return {**environment.values(service, known), **rendered, **environment.exports(service, known)}


def file_names(service: Service, folder: str) -> list[str]:
    """Name the files in one of its folders."""
    own = {path.rpartition("/")[2] for path in service.files if folder_of(path) == folder}
    if folder != SECRETS_DIR:
        return sorted(own)
    exported = {environment.EXPORTED} if environment.exported(service) else set()
    return sorted(own | environment.value_files(service) | exported)


def addresses(settings: Settings) -> dict[str, str]:
    """Give the address of each service that has one, as the template that its settings say."""
    return {name: service.url for name, service in settings.services.items() if service.url is not None}


def texts(it: App | Service) -> list[str]:
    """List the texts of an app or a service in which names stand for values."""
    return environment.texts(it)


def listens(port: int) -> list[str]:
    """Give the command that exits 0 when something in its container listens on a port, for whoever comes from outside.

    It asks the kernel, with nothing but a shell: few images have a program that connects.
    """
    return ["sh", "-c", _LISTENS.format(port=port)]
