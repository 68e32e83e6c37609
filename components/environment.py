"""What the app finds in its environment: plain variables, and the paths of its secret files. Pure.

No secret is in an environment variable: ``docker inspect`` shows those to whoever may ask the daemon.
"""

from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit

from components import address, gunicorn
from components.model import Settings

SECRET_KEY, DATABASE_URL, REDIS_URL = "secret_key", "database_url", "redis_url"
"""Names of the app's secret files."""

_SECRETS_DIR = "/run/secrets"


def app(settings: Settings, release: str) -> Mapping[str, str]:
    """Give the environment of every process of the app. What the project says itself wins."""
    return {
        **gunicorn.ENVIRONMENT,
        "DJANGO_SETTINGS_MODULE": settings.app.settings_module,
        "SLIPWAY_RELEASE": release,
        "ALLOWED_HOSTS": ",".join(_hosts(settings)),
        "CSRF_TRUSTED_ORIGINS": ",".join(_origins(settings)),
        "SECRET_KEY_FILE": f"{_SECRETS_DIR}/{SECRET_KEY}",
        "DATABASE_URL_FILE": f"{_SECRETS_DIR}/{DATABASE_URL}",
        "REDIS_URL_FILE": f"{_SECRETS_DIR}/{REDIS_URL}",
        **settings.app.environment,
    }


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


def _hosts(settings: Settings) -> list[str]:
    """List the names that Django answers to: the domain first, which the health check asks for."""
    return list(dict.fromkeys([settings.domain, *address.local_names(settings)]))


def _origins(settings: Settings) -> list[str]:
    """List the pages whose forms Django takes."""
    return [f"https://{settings.domain}", *address.local_origins(settings)]
