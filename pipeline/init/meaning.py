"""What a project wants to hear from a variable: the value that the stack's file gives it.

What a value is used for counts first, the name of the variable after that.
"""

import re
from collections.abc import Sequence

from components.secrets import NAMES
from pipeline.init.variables import Variable, is_postgres

CHANGE = "change-me"
"""Stands for what only somebody who knows can say."""

SECRET = re.compile(
    r"SECRET|PASSWORD|PASSWD|PASSPHRASE|TOKEN|API_?KEY|PRIVATE|CREDENTIAL|ACCESS_KEY|_PASS$|_DSN$|_KEY$|^DSN$|_SALT$|"
    r"WEBHOOK_URL$|^EMAIL_URL$|ENCRYPTION|SIGNING"
)
NOT_SECRET = re.compile(
    r"PUBLIC|_KEY_ID$|_KEY_PREFIX$|EXPIR|LIFETIME|_AGE$|_TTL$|_LENGTH$|TIMEOUT|_HEADER$|ENABLED?$|_NAME$|_PATH$|_FILE$|_URL_PATH$|VALIDATOR|_MIN_|COOKIE|ALGORITHM|REQUIRED|_DAYS$|_HOURS$|_MINUTES$|_SECONDS$"
)

_PARTS = {
    "HOST": "${database.host}",
    "SERVER": "${database.host}",
    "PORT": "${database.port}",
    "NAME": "${database.name}",
    "DB": "${database.name}",
    "DATABASE": "${database.name}",
    "DBNAME": "${database.name}",
    "USER": "${database.user}",
    "USERNAME": "${database.user}",
    "PASSWORD": "${database.password}",
    "PASS": "${database.password}",
    "PWD": "${database.password}",
}
_DATABASE = re.compile(
    r"(?:\w+_)?(?:POSTGRES(?:QL)?|PG|PSQL|DB|DATABASE|SQL|RDS)_?("
    + "|".join(sorted(_PARTS, key=len, reverse=True))
    + ")"
)
_DATABASE_URL = re.compile(r"(?:\w+_)?(?:DATABASE|DB|POSTGRES(?:QL)?|PG|SQLALCHEMY_DATABASE)_?(?:URL|URI|DSN)")

_SCHEME = re.compile(r"(postgres|postgis|psql|pgsql|postgresql\+\w+)://")
"""How an address of PostgreSQL may begin that a project looks for, and that is not the usual beginning."""
_WITHOUT_SCHEME = "${database.user}:${database.password}@${database.host}:${database.port}/${database.name}"

_REDIS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"(\w+_)?(CELERY_)?RESULT_(BACKEND|URL)|(\w+_)?CELERY_RESULT\w*"), "${redis.url/3}"),
    (re.compile(r"(\w+_)?(CELERY_)?BROKER(_URL|_URI)?|(\w+_)?CELERY_(REDIS_)?URL"), "${redis.url/2}"),
    (re.compile(r"(\w+_)?CHANNELS?(_LAYERS?)?(_REDIS)?_(URL|HOST|BACKEND)"), "${redis.url/4}"),
    (re.compile(r"(\w+_)?(RQ|QUEUE|HUEY|DRAMATIQ|Q)(_REDIS|_BROKER)?_(URL|URI)"), "${redis.url/5}"),
    (re.compile(r"(\w+_)?CACHE(S|_REDIS|_DEFAULT)?_(URL|URI|LOCATION)|(\w+_)?REDIS_CACHE_(URL|URI)"), "${redis.url/1}"),
    (re.compile(r"(\w+_)?REDIS(CLOUD|_TLS)?_?(URL|URI|LOCATION|CONNECTION|DSN)"), "${redis.url}"),
    (re.compile(r"(\w+_)?REDIS"), "${redis.url}"),
    (re.compile(r"(\w+_)?REDIS(_\w+)?_?(HOST|SERVER|HOSTNAME|ADDR)"), "${redis.host}"),
    (re.compile(r"(\w+_)?REDIS(_\w+)?_?PORT"), "${redis.port}"),
    (re.compile(r"(\w+_)?REDIS(_\w+)?_?(PASSWORD|PASS|AUTH)"), "${redis.password}"),
)

_PARTS_OF_REDIS = ("HOST", "PORT", "DB", "DB_INDEX", "INDEX", "NUMBER", "PASSWORD", "USER", "USERNAME")
"""Ends of names of what is a part of an address and not all of it."""

_OTHERS = re.compile(
    r"(^|_)(SQS|SNS|MONGO(DB)?|AMQP|RABBIT(MQ)?|KAFKA|ELASTIC(SEARCH)?|CLICKHOUSE|NEO4J)_|^WEBHOOK_ALLOWED"
)
"""What names of other servers have in them, and of settings that only sound like Django's."""

_PREFIX = "(DJANGO_|APP_|WEB_|MAIN_|PROJECT_)?"
_URL = re.compile(
    rf"{_PREFIX}(SITE|BASE|PUBLIC|APP|SERVER|FRONTEND|BACKEND|WEBSITE|EXTERNAL|INSTANCE|HOST|DOMAIN)_(URL|URI|ROOT|ORIGIN)"
)
_DOMAIN = re.compile(
    rf"{_PREFIX}(SITE_|BASE_|PUBLIC_|APP_|SERVER_)?(DOMAIN|DOMAIN_NAME|FQDN|SITE_HOST|PUBLIC_HOST|VIRTUAL_HOST)"
)
_LEFT_OUT = re.compile(
    r"DJANGO_SETTINGS_MODULE|PATH|HOME|USER|PWD|LANG|TERM|SHELL|HOSTNAME|PYTHON\w*|CI|TRAVIS|DYNO|GITHUB_\w+|TZ|VIRTUAL_ENV|"
    r"TMPDIR|TEMP|RUN_MAIN|SLIPWAY_RELEASE|SSL_CERT_FILE|COMPUTERNAME|KUBERNETES_SERVICE_HOST|READ_DOT_ENV_FILE|"
    r"DJANGO_READ_DOT_ENV_FILE|DJANGO_READ_ENV_FILE|ENV_FILE|ENV_PATH|DOTENV\w*|PYTEST_\w+|TOX_\w+|WEB_CONCURRENCY|PORT"
)
"""What a system sets, or what no server needs."""


def is_left_out(variable: Variable) -> bool:
    """Whether a variable has no place in a stack's file."""
    return _LEFT_OUT.fullmatch(variable.name) is not None or (
        variable.name in {"SECRET_KEY_FILE", "DATABASE_URL_FILE", "REDIS_URL_FILE"}
    )


def is_secret(variable: Variable) -> bool:
    """Whether a variable is something which nobody may see, by its name."""
    upper = variable.name.upper().removesuffix("_FILE")
    return (
        variable.kind not in {"bool", "truth", "int"}
        and SECRET.search(upper) is not None
        and NOT_SECRET.search(upper) is None
        and not isinstance(variable.default, bool)
    )


def secret_name(name: str) -> str:
    """Give the name that a secret has in the stack's file."""
    lower = re.sub(r"^[^a-z]+", "", name.lower())[:60] or "secret"
    return f"app_{lower}" if lower in NAMES else lower


def known(variable: Variable) -> str | None:
    """Give what the stack knows for a variable, as a template; None if it is not of that kind."""
    if any(
        use[:1] == ("DATABASES",) and use[1:2] not in {(), ("default",), ("*",), ("<database>",)}
        for use in variable.uses
    ):
        return None  # only somebody who knows can say where another database is
    found = _by_use(variable) or _by_name(variable, variable.name.upper())
    schemes = [text for text in variable.compared if _SCHEME.fullmatch(text)]
    if found == "${database.url}" and schemes:
        return f"{schemes[0]}{_WITHOUT_SCHEME}"
    return found


def _by_use(variable: Variable) -> str | None:  # noqa: C901, PLR0911, PLR0912 - one case for each setting
    if variable.kind == "database":
        return "${database.url}"
    if variable.kind == "cache":
        return "${redis.url/1}"
    if variable.kind == "channels":
        return "${redis.url/4}"
    if variable.goes_to("DATABASES") and _DATABASE_URL.fullmatch(variable.name.upper()):
        return "${database.url}"  # the settings take it apart
    kinds = [text for text in variable.compared if is_postgres(text)]
    if kinds and not variable.goes_to("SECRET_KEY"):
        return kinds[0]
    for use in sorted(variable.uses, key=len, reverse=True):
        match use:
            case ("SECRET_KEY",):
                return "${secrets.django_key}"
            case (_, *_, "<database>"):
                return "${database.url}"
            case ("DATABASES", "default" | "*", "ENGINE"):
                return "django.db.backends.postgresql"
            case ("DATABASES", "default" | "*", part) if part in _PARTS:
                return _PARTS[part]
            case ("CACHES", *_, "LOCATION") if not variable.name.upper().endswith(_PARTS_OF_REDIS):
                return "${redis.url/1}"
            case ("ALLOWED_HOSTS", *_):
                return _hosts(variable)
            case ("CSRF_TRUSTED_ORIGINS" | "CORS_ALLOWED_ORIGINS" | "CORS_ORIGIN_WHITELIST", *_):
                # What is called a domain has the scheme written before it.
                return "${domain}" if _DOMAIN.fullmatch(variable.name.upper()) else _origins(variable)
            case ("DEBUG" | "TEMPLATE_DEBUG",) if variable.kind in {"bool", "truth", "int", "text", "json"}:
                return no(variable)
            case _:
                pass
    return None


def _by_name(variable: Variable, name: str) -> str | None:  # noqa: C901, PLR0911 - one case for each meaning
    if _OTHERS.search(name):
        return None
    if re.fullmatch(r"(DJANGO_|APP_)?SECRET_KEY", name):
        return "${secrets.django_key}"
    if _DATABASE_URL.fullmatch(name):
        return "${database.url}"
    part = _DATABASE.fullmatch(name)
    if part and variable.kind in {"text", "int"} and not variable.goes_to("EMAIL_HOST", "CACHES"):
        return _PARTS[part[1]]
    for pattern, template in _REDIS:
        if pattern.fullmatch(name) and variable.kind in {"text", "int"}:
            return template
    if re.fullmatch(r"(\w+_)?ALLOWED_HOSTS?", name):
        return _hosts(variable)
    if re.fullmatch(r"(\w+_)?(CSRF_)?TRUSTED_ORIGINS", name):
        return _origins(variable)
    if re.fullmatch(r"(\w+_)?DEBUG", name) and len(name) <= len("DJANGO_DEBUG"):
        return no(variable)
    if re.fullmatch(rf"{_PREFIX}ADMIN_(URL|PATH)", name) and variable.required:
        return "admin/"
    if _DOMAIN.fullmatch(name):
        return "${domain}"
    if _URL.fullmatch(name):
        return "${url}"
    return None


def _hosts(variable: Variable) -> str:
    if variable.kind == "list" and variable.separator not in {None, ","}:
        return f"${{domain}}{variable.separator}127.0.0.1"
    if variable.kind == "json":
        return '["${domain}", "127.0.0.1"]'
    return "${allowed_hosts}" if variable.kind == "list" else "${domain}"


def _origins(variable: Variable) -> str:
    if variable.kind == "list" and variable.separator not in {None, ","}:
        return "${url}"
    if variable.kind == "json":
        return '["${url}"]'
    return "${trusted_origins}" if variable.kind == "list" else "${url}"


def no(variable: Variable) -> str:
    """Give what means no, for whatever way the variable is read."""
    if variable.kind == "int":
        return "0"
    if variable.kind == "truth":
        return ""
    for pair in (("True", "False"), ("true", "false"), ("1", "0"), ("on", "off"), ("yes", "no"), ("TRUE", "FALSE")):
        if set(pair) & {*variable.compared, *([variable.default] if isinstance(variable.default, str) else [])}:
            return pair[1]
    return "False"


def guess(variable: Variable) -> str:
    """Give what stands for a value that is needed and not known, of a kind that can be read."""
    return {"int": "0", "bool": "False", "truth": "", "json": "[]", "list": ""}.get(variable.kind, CHANGE)
