"""What settings have in them that only an environment can know, and the module that says it instead.

A project whose settings hold a database, a key or hosts is deployed unchanged, too: a module of its own, rendered by the
stack, takes over the project's settings and says these few things differently.
"""

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

from components.defaults import BY_KIND
from components.model import Kind
from pipeline.init.evaluate import IMAGE_ROOT, UNKNOWN
from pipeline.init.finding import Found, Place, Setting
from pipeline.init.inspected import Project

MODULE = "slipway_settings"
"""The name of that module, beside ``manage.py``."""

_CACHES = (
    'CACHES = {**CACHES, "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", '
    '"LOCATION": ${redis.url/1.json}}}'
)
_LAYERS = (
    'CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", '
    '"CONFIG": {"hosts": [${redis.url/4.json}]}}}'
)
_MADE_UP = re.compile(r"get_random_secret_key|\.read\(|read_text\(|secrets\.token_|random\.|uuid4\(")
_HERE = ("", None, "localhost", "127.0.0.1")
"""Hosts of a database that are the machine itself."""
_LOCAL = ("localhost", "127.0.0.1", "redis:", "redis/", "//redis", "memcached", "rabbitmq")


def path(project: Project) -> str:
    """Give where the module is in the image."""
    return "/".join(part for part in (IMAGE_ROOT, project.directory, f"{MODULE}.py") if part)


@lru_cache(maxsize=8)
def lines(project: Project) -> tuple[tuple[str, str, Place | None], ...]:
    """Give the lines of the module, each with its reason; nothing if the project needs none."""
    if project.configuration is not None:
        return ()
    found = list(hard(project))
    if not found:
        return ()
    return (*found, *_soft(project))


def find(project: Project) -> Iterator[Found]:
    """Give the module and the setting that names it."""
    needed = lines(project)
    if not needed:
        return
    reasons = "; ".join(dict.fromkeys(why for _, why, _ in needed))
    text = "\n".join(
        [
            f'"""The settings of {project.chosen.module}, with what this environment knows better."""',
            *_prologue(needed),
            f"from {project.chosen.module} import *",
            "",
            *(line for line, _, _ in needed),
            "",
        ]
    )
    yield Setting(path=("app", "files", path(project)), value=text, why=reasons, place=needed[0][2])


def _prologue(needed: tuple[tuple[str, str, Place | None], ...]) -> list[str]:
    """Give lines that go before the project's settings: what they ask for without being able to do without."""
    return [line for line, _, _ in needed if line.startswith("import ")]


def hard(project: Project) -> Iterator[tuple[str, str, Place | None]]:  # noqa: C901 - one case for each setting
    """Give what cannot stay."""
    scope = project.scope
    names = scope.names
    yield from _key(project)
    if _is_strange(project):
        place = scope.place("ALLOWED_HOSTS")
        yield 'ALLOWED_HOSTS = "${allowed_hosts}".split(",")', "ALLOWED_HOSTS does not know the domain", place
    if scope.value("DEBUG") is True and not _read(project, "DEBUG") and isinstance(names["DEBUG"].node, ast.Constant):
        yield "DEBUG = False", "DEBUG is on", names["DEBUG"].place
    if (
        project.kind == Kind.DEV
        and scope.value("SECURE_SSL_REDIRECT") is True
        and not _read(project, "SECURE_SSL_REDIRECT")
    ):
        place = names["SECURE_SSL_REDIRECT"].place
        yield "SECURE_SSL_REDIRECT = False", "pages lead to HTTPS, and this machine is asked over plain HTTP", place
    yield from _databases(project)
    for name in ("CELERY_BROKER_URL", "BROKER_URL"):
        if name in names and _is_local(project, name):
            yield f"{name} = ${{redis.url/2.json}}", f"{name} leads to a server that is not there", names[name].place
    for name in ("CELERY_RESULT_BACKEND",):
        if name in names and _is_local(project, name):
            yield f"{name} = ${{redis.url/3.json}}", f"{name} leads to a server that is not there", names[name].place
    if "CACHES" in names and _is_local(project, "CACHES"):
        yield (
            _CACHES,
            "CACHES names a server that is not there",
            names["CACHES"].place,
        )
    if "CHANNEL_LAYERS" in names and _is_local(project, "CHANNEL_LAYERS"):
        yield (
            _LAYERS,
            "CHANNEL_LAYERS names a server that is not there",
            names["CHANNEL_LAYERS"].place,
        )
    queues = scope.value("RQ_QUEUES")
    if isinstance(queues, dict) and queues and _is_local(project, "RQ_QUEUES"):
        yield (
            'RQ_QUEUES = {name: {"URL": ${redis.url/5.json}} for name in RQ_QUEUES}',
            "RQ_QUEUES name a server that is not there",
            names["RQ_QUEUES"].place,
        )


def _key(project: Project) -> Iterator[tuple[str, str, Place | None]]:
    names = project.scope.names
    if "SECRET_KEY" in names and _is_literal(project, "SECRET_KEY"):
        yield (
            "SECRET_KEY = ${secrets.django_key.json}",
            "SECRET_KEY is in the project for everybody to see",
            names["SECRET_KEY"].place,
        )
    elif "SECRET_KEY" in names and _is_made_up(project):
        yield (
            "SECRET_KEY = ${secrets.django_key.json}",
            "SECRET_KEY is read from a file that is not there, or another one in each process",
            names["SECRET_KEY"].place,
        )


def _databases(project: Project) -> Iterator[tuple[str, str, Place | None]]:
    """Give the database, where that of the settings is not there and no variable says which one is."""
    names = project.scope.names
    value = project.scope.value("DATABASES")
    default = value.get("default") if isinstance(value, dict) else None
    if (
        not isinstance(default, dict)
        or not default
        or (_read(project, "DATABASES") and not _is_fixed(project, default))
    ):
        return
    engine = str(default.get("ENGINE", ""))
    what = "SQLite, whose file cannot be written" if "sqlite" in engine else "a database that is not there"
    yield (
        'DATABASES = {**DATABASES, "default": ${database.json}}',
        f"DATABASES names {what}",
        names["DATABASES"].place,
    )


def _is_fixed(project: Project, default: dict[object, object]) -> bool:
    """Whether variables say some parts of the database, and none says on which host it is."""
    uses = {use for each in project.variables for use in each.uses if use[:1] == ("DATABASES",)}
    own = {use for use in uses if use[1:2] in {(), ("default",), ("*",), ("<database>",)}}
    parts = {use[2] for use in own if len(use) > len(("DATABASES", "default"))}
    whole = any(len(use) <= len(("DATABASES", "default")) for use in own) or "<database>" in parts
    return bool(own) and not whole and not parts & {"HOST", "ENGINE", "*"} and default.get("HOST", "") in _HERE


def _is_strange(project: Project) -> bool:
    """Whether the domain is none of the hosts that settings allow."""
    hosts = project.scope.value("ALLOWED_HOSTS")
    if _read(project, "ALLOWED_HOSTS"):
        return False
    if not isinstance(hosts, list):
        return "ALLOWED_HOSTS" not in project.scope.names
    return UNKNOWN not in hosts and not {"*", BY_KIND[project.kind].get("domain")} & set(hosts)


def _soft(project: Project) -> Iterator[tuple[str, str, Place | None]]:
    """Give what is better said when something is said anyway."""
    names = project.scope.names
    if "CSRF_TRUSTED_ORIGINS" not in names:
        yield 'CSRF_TRUSTED_ORIGINS = "${trusted_origins}".split(",")', "nothing says where forms come from", None
    if "SECURE_PROXY_SSL_HEADER" not in names:
        yield 'SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")', "TLS ends before the project", None


def _read(project: Project, name: str) -> bool:
    """Whether a setting comes from the environment, or from somewhere else that is no constant."""
    if any(each.goes_to(name) for each in project.variables):
        return True
    assigned = project.scope.names.get(name)
    if assigned is None:
        return False
    # What a helper, a file of configuration or a loop makes is nobody's guess.
    return name == "DATABASES" and any(
        isinstance(each, ast.Call | ast.DictComp) and not _is_path(each) for each in ast.walk(assigned.node)
    )


def _is_path(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {
        "join",
        "str",
        "Path",
        "resolve",
        "joinpath",
        "abspath",
        "dirname",
        "root",
        "path",
        "dict",
        "BASE_DIR",
        "as_posix",
    }


def _is_literal(project: Project, name: str) -> bool:
    assigned = project.scope.names[name]
    return isinstance(assigned.node, ast.Constant) and isinstance(assigned.node.value, str) and not _read(project, name)


def _is_made_up(project: Project) -> bool:
    """Whether the key comes from a file or from chance, and from no variable."""
    node = project.scope.names["SECRET_KEY"].node
    return not _read(project, "SECRET_KEY") and _MADE_UP.search(ast.unparse(node)) is not None


def _is_local(project: Project, name: str) -> bool:
    """Whether a setting names a server of the developer's machine, and nothing of the environment is in it."""
    if _read(project, name):
        return False
    text = repr(project.scope.value(name))
    return any(word in text for word in _LOCAL)
