"""What the app finds in its environment: plain variables, and secret files. Pure.

No secret is in an environment variable of a container: ``docker inspect`` shows those to whoever may ask the daemon.
What a project reads from its environment all the same stands in a file of shell lines, which are exported just before
the process starts (``exporting``).
"""

import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from pulumi import RunError

from components import address, template, webserver
from components.model import App, Settings

SECRET_KEY, DATABASE_URL, REDIS_URL = "secret_key", "database_url", "redis_url"
"""Names of the app's secret files that are always there."""

EXPORTED = "environment"
"""Name of the secret file of the variables that are not plain: lines of a shell."""

SECRETS_DIR = "/run/secrets"
"""Where secret files are, in every container of the app."""

BUILDING = "only-while-the-image-is-built"
"""What stands for every secret while the image is built, where the real ones have no place."""

_PORTS = {"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379}
"""Where an address leads that names no port."""

_EXPORT = f'set -a; . {SECRETS_DIR}/{EXPORTED}; set +a; exec "$@"'


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

    def value(self, name: str) -> str:
        """Give what a name stands for."""
        if name in self.plain:
            return self.plain[name]
        if name.endswith(template.PATH):
            return f"{SECRETS_DIR}/{file_of(name.removesuffix(template.PATH))}"
        if template.unquoted(name) != name:
            return json.dumps(self.value(template.unquoted(name)), ensure_ascii=False)
        own = template.secret(name)
        if own is not None:
            return self.secrets[own]
        group, _, part = name.partition(".")
        secret, url = (DATABASE_URL, self.database_url) if group == "database" else (REDIS_URL, self.redis_url)
        try:
            return _part(url, part)
        except ValueError:  # what it says holds a part of the password
            raise AddressError(secret) from None


def app(settings: Settings, release: str) -> Mapping[str, str]:
    """Give the plain environment of every process of the app. What the project says itself wins."""
    known = Known(plain=plain(settings, release))
    said = settings.app.environment
    return {
        **webserver.ENVIRONMENT,
        "DJANGO_SETTINGS_MODULE": settings.app.settings_module,
        "SLIPWAY_RELEASE": release,
        "ALLOWED_HOSTS": known.plain["allowed_hosts"],
        "CSRF_TRUSTED_ORIGINS": known.plain["trusted_origins"],
        "SECRET_KEY_FILE": f"{SECRETS_DIR}/{SECRET_KEY}",
        "DATABASE_URL_FILE": f"{SECRETS_DIR}/{DATABASE_URL}",
        "REDIS_URL_FILE": f"{SECRETS_DIR}/{REDIS_URL}",
        **{name: template.fill(text, known.value) for name, text in said.items() if template.is_plain(text)},
    }


def plain(settings: Settings, release: str) -> Mapping[str, str]:
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


def building(app: App) -> Known:
    """Give what names stand for while an image is built that several stacks may share. Nothing of it is real."""
    names = [name for text in _texts(app) for name in template.references(text)]
    own = {template.secret(name) for name in names}
    return Known(
        plain={
            "domain": "localhost",
            "scheme": "http",
            "url": "http://localhost",
            "allowed_hosts": "localhost",
            "trusted_origins": "http://localhost",
            "release": BUILDING,
        },
        database_url="postgresql://app:app@127.0.0.1:5432/app",
        redis_url="redis://127.0.0.1:6379/0",
        secrets={name: BUILDING for name in own if name},
    )


def exported(app: App) -> list[str]:
    """Name the variables that are not plain."""
    return sorted(name for name, text in app.environment.items() if not template.is_plain(text))


def exporting(app: App, command: Sequence[str]) -> list[str]:
    """Give a command that has the variables which are not plain, too. A shell reads them, and becomes the command."""
    return ["sh", "-c", _EXPORT, "sh", *command] if exported(app) else [*command]


def files(app: App) -> list[str]:
    """Name the secret files that a project asks for, beside those that are always there."""
    return sorted({*value_files(app), *map(rendered_file, app.files), *([EXPORTED] if exported(app) else [])})


def contents(app: App, known: Known) -> dict[str, str]:
    """Give the content of each of these files, by its name."""
    names = [name for text in _texts(app) for name in template.references(text)]
    found = {
        file_of(value): known.value(value)
        for value in (name.removesuffix(template.PATH) for name in names if name.endswith(template.PATH))
    }
    found |= {rendered_file(path): template.fill(text, known.value) for path, text in app.files.items()}
    lines = (f"{name}={shlex.quote(template.fill(app.environment[name], known.value))}\n" for name in exported(app))
    return found | ({EXPORTED: "".join(lines)} if exported(app) else {})


def value_files(app: App) -> set[str]:
    """Name the secret files that hold one value each."""
    names = (name for text in _texts(app) for name in template.references(text))
    return {file_of(name.removesuffix(template.PATH)) for name in names if name.endswith(template.PATH)}


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


def _texts(app: App) -> list[str]:
    return [*app.environment.values(), *app.files.values()]


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
    return list(dict.fromkeys([settings.domain, *address.local_names(settings)]))


def _origins(settings: Settings) -> list[str]:
    """List the pages whose forms Django takes."""
    return [f"https://{settings.domain}", *address.local_origins(settings)]
