"""What the app finds in its environment: plain variables, and secret files. Pure.

No secret is in an environment variable of a container: ``docker inspect`` shows those to whoever may ask the daemon.
What a project reads from its environment all the same stands in a file of shell lines, which are exported just before
the process starts (``exporting``).
"""

import hashlib
import json
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from pulumi import RunError

from components import address, template, webserver
from components.model import App, PostgresProvider, RedisProvider, Service, Settings

SECRET_KEY, DATABASE_URL, REDIS_URL = "secret_key", "database_url", "redis_url"
"""Names of the app's secret files that are always there."""

EXPORTED = "environment"
"""Name of the secret file of the variables that are not plain: lines of a shell."""

SECRETS_DIR = "/run/secrets"
"""Where secret files are, in every container of the app."""

BUILDING = "only-while-the-image-is-built-where-no-real-secret-has-a-place"
"""What stands for every secret while the image is built. As long as projects want a key to be that look at its length."""

_PORTS = {"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379}
"""Where an address leads that names no port."""

EXPORTING = ("sh", "-c", f'set -a; . {SECRETS_DIR}/{EXPORTED}; set +a; exec "$@"', "sh")
"""How a command begins that has variables with secrets."""


class AddressError(RunError):
    """An address that somebody gave cannot be taken apart."""

    def __init__(self, secret: str) -> None:
        super().__init__(
            f"secrets:{secret}: found an address that cannot be read (not shown)\n"
            "  allowed: SCHEME://USER:PASSWORD@HOST:PORT/NAME, in user and password %XX for all but letters, digits and ._~-\n"
            f"  mend:    pulumi config set --secret secrets:{secret} --stack STACK"
        )


@dataclass(frozen=True, kw_only=True)
class Known:
    """The values that the names of templates stand for."""

    plain: Mapping[str, str]
    """What everybody may see, by name."""
    database_url: str = ""
    """Address of the database, with its password."""
    redis_url: str = ""
    """Address of the cache, with its password."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Secrets of the stack's file, by name."""
    service_urls: Mapping[str, str] = field(default_factory=dict)
    """Addresses of services beside the app, as templates of their own, by the name of the service."""

    def value(self, name: str) -> str:
        """Give what a name stands for."""
        if name in self.plain:
            return self.plain[name]
        if name.endswith(template.PATH):
            return f"{SECRETS_DIR}/{file_of(name.removesuffix(template.PATH))}"
        if template.unquoted(name) != name:
            return json.dumps(self.value(template.unquoted(name)), ensure_ascii=False)
        own, about = template.secret(name), template.service(name)
        if own is not None:
            return self.secrets[own]
        if about is not None:
            service = about.service
            return template.fill(self.service_urls[service], lambda each: self._in_url(service, each))
        group, _, part = name.partition(".")
        secret, url = (DATABASE_URL, self.database_url) if group == "database" else (REDIS_URL, self.redis_url)
        try:
            return _part(url, part)
        except ValueError:  # what it says holds a part of the password
            raise AddressError(secret) from None

    def _in_url(self, service: str, name: str) -> str:
        """Give what a name stands for in the address of a service: what is not plain is quoted as addresses want it."""
        own = template.secret(name)
        if own is not None:
            return quote(self.secrets[own], safe="")
        return self.plain[name] if name in template.PLAIN else self.plain[f"services.{service}.{name}"]


def app(settings: Settings, release: str, services: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """Give the plain environment of every process of the app. What the project says itself wins.

    Args:
        settings: the stack.
        release: identity of the release.
        services: what everybody may see of services beside the app, by its name in templates; None where there are none.
    """
    known = Known(plain={**plain(settings, release), **(services or {})})
    said = settings.app.environment
    return {
        **webserver.ENVIRONMENT,
        "DJANGO_SETTINGS_MODULE": settings.app.settings_module,
        "SLIPWAY_RELEASE": release,
        "ALLOWED_HOSTS": known.plain["allowed_hosts"],
        "CSRF_TRUSTED_ORIGINS": known.plain["trusted_origins"],
        "SECRET_KEY_FILE": f"{SECRETS_DIR}/{SECRET_KEY}",
        **({"DATABASE_URL_FILE": f"{SECRETS_DIR}/{DATABASE_URL}"} if has_database(settings) else {}),
        **({"REDIS_URL_FILE": f"{SECRETS_DIR}/{REDIS_URL}"} if has_redis(settings) else {}),
        **{name: template.fill(text, known.value) for name, text in said.items() if template.is_plain(text)},
    }


def has_database(settings: Settings) -> bool:
    """Whether there is a database, whoever runs it."""
    return settings.postgres.provider is not PostgresProvider.NONE


def has_redis(settings: Settings) -> bool:
    """Whether there is a cache, whoever runs it."""
    return settings.redis.provider is not RedisProvider.NONE


def plain(settings: Settings, release: str) -> dict[str, str]:
    """Give what everybody may see, by its name in templates."""
    url = address.public(settings)
    return {
        "domain": settings.domain,
        "scheme": url.partition(":")[0],
        "url": url,
        "allowed_hosts": ",".join(_hosts(settings)),
        "trusted_origins": ",".join(_origins(settings)),
        "release": release,
    }


def building(app: App, services: Mapping[str, Service]) -> Known:
    """Give what names stand for while an image is built that several stacks may share. Nothing of it is real."""
    urls = {name: service.url for name, service in services.items() if service.url is not None}
    own = {template.secret(name) for name in names([*texts(app), *urls.values()])}
    return Known(
        plain={
            "domain": "localhost",
            "scheme": "http",
            "url": "http://localhost",
            "allowed_hosts": "localhost",
            "trusted_origins": "http://localhost",
            "release": BUILDING,
            **service_names(services, lambda _: "127.0.0.1"),
        },
        database_url="postgresql://app:app@127.0.0.1:5432/app",
        redis_url="redis://127.0.0.1:6379/0",
        secrets={name: BUILDING for name in own if name},
        service_urls=urls,
    )


def service_names(services: Mapping[str, Service], host: Callable[[str], str]) -> dict[str, str]:
    """Give what everybody may see of services beside the app, by its name in templates; ``host`` names one's host."""
    found: dict[str, str] = {}
    for name, service in services.items():
        found |= {f"services.{name}.host": host(name), f"services.{name}.port": str(service.port)}
        found |= {f"services.{name}.ports.{port}": str(number) for port, number in service.ports.items()}
    return found


def exported(it: App | Service) -> list[str]:
    """Name the variables that are not plain."""
    return sorted(name for name, text in it.environment.items() if not template.is_plain(text))


def exporting(it: App | Service, command: Sequence[str]) -> list[str]:
    """Give a command that has the variables which are not plain, too. A shell reads them, and becomes the command."""
    return [*EXPORTING, *command] if exported(it) else [*command]


def files(app: App) -> list[str]:
    """Name the secret files that a project asks for, beside those that are always there."""
    return sorted({*value_files(app), *map(rendered_file, app.files), *([EXPORTED] if exported(app) else [])})


def contents(app: App, known: Known) -> dict[str, str]:
    """Give the content of each of these files, by its name."""
    rendered = {rendered_file(path): template.fill(text, known.value) for path, text in app.files.items()}
    return {**values(app, known), **rendered, **exports(app, known)}


def values(it: App | Service, known: Known) -> dict[str, str]:
    """Give the content of each secret file that holds one value, by its name."""
    found = (name.removesuffix(template.PATH) for name in names(texts(it)) if name.endswith(template.PATH))
    return {file_of(name): known.value(name) for name in found}


def exports(it: App | Service, known: Known) -> dict[str, str]:
    """Give the content of the secret file of the variables that are not plain; nothing where there are none."""
    found = exported(it)
    lines = (f"{name}={shlex.quote(template.fill(it.environment[name], known.value))}\n" for name in found)
    return {EXPORTED: "".join(lines)} if found else {}


def value_files(it: App | Service) -> set[str]:
    """Name the secret files that hold one value each."""
    found = names(texts(it))
    return {file_of(name.removesuffix(template.PATH)) for name in found if name.endswith(template.PATH)}


def file_of(name: str) -> str:
    """Name the secret file of a value."""
    return name.replace("/", "-")


def rendered_file(path: str) -> str:
    """Name the secret file that is found at a path. What is not in the folder of secret files anyway is linked."""
    folder, _, name = path.rpartition("/")
    return name if folder == SECRETS_DIR else f"file-{hashlib.sha256(path.encode()).hexdigest()[:12]}"


def links(app: App) -> dict[str, str]:
    """Give the paths that the image has to link to secret files, and to which."""
    targets = {path: f"{SECRETS_DIR}/{rendered_file(path)}" for path in sorted(app.files)}
    return {path: target for path, target in targets.items() if path != target}


def database_url(password: str, host: str, port: int, name: str) -> str:
    """Give the address of the database, with the password in it."""
    return f"postgresql://{name}:{quote(password, safe='')}@{host}:{port}/{name}"


def redis_url(password: str, host: str, port: int) -> str:
    """Give the address of the cache, with the password in it."""
    return f"redis://:{quote(password, safe='')}@{host}:{port}/0"


def password_in(url: str) -> str:
    """Give the password in an address; nothing if there is none."""
    try:
        return unquote(urlsplit(url).password or "")
    except ValueError:
        return ""


def texts(it: App | Service) -> list[str]:
    """List the texts in which names stand for values."""
    return [*it.environment.values(), *it.files.values()]


def names(texts: Iterable[str]) -> list[str]:
    """List the names that texts mention."""
    return [name for text in texts for name in template.references(text)]


def _part(url: str, part: str) -> str:
    """Give a part of an address: the whole of it with another database of the cache, or what Django takes as JSON."""
    if part == "url":
        return url
    split = urlsplit(url)
    part, _, number = part.partition("/")
    parts = {
        "url": urlunsplit(split._replace(path=f"/{number}")) if number else url,
        "host": split.hostname or "",
        "port": str(split.port or _PORTS.get(split.scheme) or ""),
        "name": unquote(split.path.lstrip("/")),
        "user": unquote(split.username or ""),
        "password": unquote(split.password or ""),
    }
    if part == "json":
        names = ("name", "user", "password", "host", "port")
        engine = {"ENGINE": "django.db.backends.postgresql"}
        return json.dumps(engine | {name.upper(): parts[name] for name in names})
    return parts[part]


def _hosts(settings: Settings) -> list[str]:
    """List the names that Django answers to: the domain first, which the health check asks for."""
    return list(
        dict.fromkeys(
            [
                settings.domain,
                # Django's way to say all below a name.
                *(name.removeprefix("*") for name in settings.edge.hosts),
                *address.local_names(settings),
            ]
        )
    )


def _origins(settings: Settings) -> list[str]:
    """List the pages whose forms Django takes."""
    return [
        *(f"https://{name}" for name in (settings.domain, *settings.edge.hosts)),
        *address.local_origins(settings),
    ]
