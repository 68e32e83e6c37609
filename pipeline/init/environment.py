"""The environment that a project reads, as the stack's file gives it: what the stack knows, secrets, and the rest."""

import json
from collections.abc import Iterator

from components.model import Kind
from pipeline.init import meaning
from pipeline.init.finding import Found, Missing, Place, Setting
from pipeline.init.inspected import Project
from pipeline.init.variables import Variable

GIVEN = {"ALLOWED_HOSTS": "${allowed_hosts}", "CSRF_TRUSTED_ORIGINS": "${trusted_origins}"}
"""What every process finds anyway."""

FILES = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL")
"""Variables that every process finds as NAME_FILE."""

_SHOWN = 60


def find(project: Project) -> Iterator[Found]:  # noqa: C901, PLR0912 - one case for each kind of variable
    """Say what every variable is set to."""
    if project.configuration is not None:
        name, place = project.configuration
        yield _setting("DJANGO_CONFIGURATION", name, "the class with the settings", None, place=place)
    unknown: list[Variable] = []
    secret: list[Variable] = []
    for variable in project.variables:
        if meaning.is_left_out(variable) or not variable.name.replace("_", "").isalnum() or _is_path(variable):
            continue
        value = meaning.known(variable)
        if variable.goes_to("SECURE_SSL_REDIRECT") and project.kind == Kind.DEV:
            value = meaning.no(variable)  # the stack on this machine is asked over plain HTTP
        if variable.file_too and variable.name in FILES:
            continue
        if value is not None and GIVEN.get(variable.name) == value:
            continue
        whole = variable.name.removesuffix("_FILE")
        if whole != variable.name and meaning.is_secret(variable):
            name = f"${{secrets.{meaning.secret_name(whole)}.file}}"
            yield _setting(variable.name, name, _default(variable), variable)
            continue
        if value is not None and _useful(variable, value):
            yield _setting(variable.name, value, "", variable, asked=_asked(project, variable, value))
        elif meaning.is_secret(variable) and value is None:
            name = f"secrets.{meaning.secret_name(variable.name)}"
            suffix = "_FILE" if variable.file_too else ""
            template = f"${{{name}.file}}" if variable.file_too else f"${{{name}}}"
            yield _setting(f"{variable.name}{suffix}", template, _default(variable), variable, asked=variable.required)
            if variable.required:
                secret.append(variable)
        elif variable.required and value is None:
            unknown.append(variable)
            yield _setting(variable.name, meaning.guess(variable), "TO DO: only you know", variable)
        else:
            text = variable.default if isinstance(variable.default, str | int | float) else value or ""
            yield _setting(variable.name, _text(text), "", variable, asked=False)
    if secret:
        names = ", ".join(f"secrets:{meaning.secret_name(each.name)}" for each in secret)
        yield Missing(
            what=f"the values of {names}",
            do=f"python -m pipeline secrets init {project.stack}   # makes what can be made, and says how to give the others",
            place=secret[0].place,
        )
    for each in unknown:
        yield Missing(
            what=f"the value of {each.name}, which settings cannot do without",
            do=f"pulumi config set --path slipway:app.environment.{each.name} VALUE --stack {project.stack}",
            place=each.place,
        )


def _is_path(variable: Variable) -> bool:
    """Whether a variable is only another way to give the one without ``_FILE``."""
    return variable.name.endswith("_FILE") and not variable.required


def _setting(  # noqa: PLR0913 - what a setting says
    name: str, value: str, why: str, variable: Variable | None, *, asked: bool = True, place: Place | None = None
) -> Setting:
    where = variable.place if variable is not None else place
    return Setting(path=("app", "environment", name), value=value, why=why, place=where, asked=asked)


def _asked(project: Project, variable: Variable, value: str) -> bool:
    """Whether what the stack knows is set: not where a default does as well and the other way needs more packages."""
    if value.startswith("${redis") and not variable.required:
        return (
            project.has("redis", "django-redis", "channels-redis", "celery", "rq", "django-rq", "hiredis") is not None
        )
    if value in {"False", "0", ""} and not variable.required:
        return not _is_no(variable)
    return True


def _useful(variable: Variable, value: str) -> bool:
    """Whether a known meaning is to be taken. The default of what only sounds like a site's address may be right."""
    if value in {"${url}", "${domain}"}:
        return variable.required or variable.goes_to("ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS") or _local(variable)
    return True


def _local(variable: Variable) -> bool:
    default = variable.default
    return default is None or (
        isinstance(default, str)
        and (not default or "localhost" in default or "example" in default or "127.0.0.1" in default)
    )


def _is_no(variable: Variable) -> bool:
    return (
        variable.default in {False, "0", "False", "false", "no", "off", "", "FALSE"} and variable.default is not None
    ) or (variable.default is None and variable.kind == "truth")


def _default(variable: Variable) -> str:
    if variable.default is None:
        return ""
    text = _text(variable.default)
    return f"its default is {text[:_SHOWN] or 'nothing'}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else json.dumps(value, default=str)
