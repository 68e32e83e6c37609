"""What the steps of a check mean: findings, each with what mends it. Pure.

Words of Django and of the usual readers of settings become the setting of the stack that is to change; where the project
reads a variable for a setting of Django, the mend sets that variable.
"""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from components.model import Settings
from components.problems import config_set
from pipeline.check.ask import Told
from pipeline.check.finding import Finding, Level
from pipeline.check.plan import SECONDS, Step, uploads
from pipeline.init import meaning
from pipeline.init.variables import Variable

LAST_LINES = 12
"""How many lines of what was said a finding shows."""

_WANTED: Mapping[str, tuple[str, str]] = {
    "security.W001": ("MIDDLEWARE", "[..., 'django.middleware.security.SecurityMiddleware']"),
    "security.W002": ("MIDDLEWARE", "[..., 'django.middleware.clickjacking.XFrameOptionsMiddleware']"),
    "security.W003": ("MIDDLEWARE", "[..., 'django.middleware.csrf.CsrfViewMiddleware']"),
    "security.W004": ("SECURE_HSTS_SECONDS", "31536000"),
    "security.W005": ("SECURE_HSTS_INCLUDE_SUBDOMAINS", "True"),
    "security.W006": ("SECURE_CONTENT_TYPE_NOSNIFF", "True"),
    "security.W008": ("SECURE_SSL_REDIRECT", "True"),
    "security.W009": ("SECRET_KEY", "${secrets.django_key}"),
    "security.W010": ("SESSION_COOKIE_SECURE", "True"),
    "security.W011": ("SESSION_COOKIE_SECURE", "True"),
    "security.W012": ("SESSION_COOKIE_SECURE", "True"),
    "security.W013": ("SESSION_COOKIE_HTTPONLY", "True"),
    "security.W016": ("CSRF_COOKIE_SECURE", "True"),
    "security.W018": ("DEBUG", "False"),
    "security.W019": ("X_FRAME_OPTIONS", "'DENY'"),
    "security.W020": ("ALLOWED_HOSTS", "${allowed_hosts}"),
    "security.W021": ("SECURE_HSTS_PRELOAD", "True"),
    "security.W022": ("SECURE_REFERRER_POLICY", "'same-origin'"),
    "security.W025": ("SECRET_KEY_FALLBACKS", "long, random keys"),
}
"""What Django's checks of a deployment want: a setting of the project, and a value."""

_ISSUE = re.compile(r"^(?P<where>\S.*?): (?:\((?P<id>[\w.]+)\) )?(?P<what>.+)$")
_HEADING = re.compile(r"^(CRITICALS|ERRORS|WARNINGS|INFOS|DEBUGS):$")
_RAISED = re.compile(
    r"^(?P<error>[A-Za-z_][\w.]*(?:Error|Exception|Configured|NotReady|NotFound|Undefined\w*|Missing\w*|Exit|Warning|DoesNotExist)|django[\w.]+)(?:: (?P<what>.*))?$"
)


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a verdict may know."""

    stack: str
    """The stack."""
    settings: Settings
    """What it says."""
    modules: frozenset[str] = frozenset()
    """Names of packages and modules that the project has, wherever they lie in it."""
    folders: Mapping[str, str] = field(default_factory=dict)
    """Where each of them lies."""
    packages: frozenset[str] = frozenset()
    """What it depends on, by the names of distributions."""
    variables: Sequence[Variable] = ()
    """What the project reads from its environment."""

    def set(self, path: tuple[str, ...], value: object) -> str:
        """Give the command that sets one key."""
        return config_set(path, value, self.stack)

    def add(self, path: tuple[str, ...], words: str) -> str:
        """Give the command that adds words to a list."""
        values: Mapping[str, object] = self.settings.model_dump()
        value: object = values
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        there = [str(each) for each in value] if isinstance(value, list) else []
        quoted = (each if shlex.split(each) == [each] else shlex.quote(each) for each in [*there, *words.split()])
        return config_set(path, " ".join(quoted), self.stack)


def judge(step: Step, told: Told, context: Context) -> list[Finding]:
    """Say what a step has found."""
    if step.kind == "deploy":
        return list(_deploy(step, told, context))
    if not told.code:
        return []
    if step.kind == "migrations":
        found = list(_migrations(step, told, context))
        if found:
            return found
    if step.kind == "process":
        found = list(_process(step, told, context))
        if found:
            return found
    return [_raised(step, told, context)]


def last_lines(said: str, number: int = LAST_LINES) -> tuple[str, ...]:
    """Give the last lines of what was said."""
    return tuple(line for line in said.rstrip().splitlines() if line.strip())[-number:]


def known(step: Step, said: str, context: Context) -> Finding | None:
    """Say what an exception means that is one of the usual ones; None for any other."""
    text = _text(said)
    for pattern, make in _MEANINGS:
        found = re.search(pattern, f"{text}\n{said[-4000:]}" if pattern.startswith("(?s)") else text)
        if found:
            name, allowed, mend = make(found, step, context)
            return Finding(check=step.name, found=name, allowed=allowed, mend=mend, log=last_lines(said))
    return None


def _text(said: str) -> str:
    error, what = _exception(said)
    return f"{error}: {what}" if error and what else error or what


def _raised(step: Step, told: Told, context: Context) -> Finding:
    """Say what an exception means."""
    usual = known(step, told.said, context)
    if usual is not None:
        return usual
    text, log = _text(told.said), last_lines(told.said)
    if told.code == 124 and "did not end in time" in told.said:  # noqa: PLR2004  # as `timeout` says it
        return Finding(
            check=step.name,
            found=f"it did not end within {SECONDS} s",
            mend="settings that wait for nothing when they are imported",
            log=log,
        )
    about = f"{step.about}: " if step.about else ""
    return Finding(
        check=step.name, found=f"{about}{text or f'exit code {told.code}'}", mend=_generic(step, context), log=log
    )


def _generic(step: Step, context: Context) -> str:
    if step.kind == "settings":
        return f"correct the project, or name other settings: {context.set(('app', 'settings_module'), 'MODULE')}"
    if step.kind == "application":
        key = step.about.removeprefix("slipway:app.")
        return f"correct the project, or name another application: {context.set(('app', key), 'MODULE:NAME')}"
    if step.kind == "process":
        return context.set(_key(step), "COMMAND")
    return "correct the project and run the same command again"


def _exception(said: str) -> tuple[str, str]:
    """Give the exception that a traceback ends with, and its first line."""
    for line in reversed(said.rstrip().splitlines()):
        found = _RAISED.match(line)
        if found:
            return found["error"].rpartition(".")[2] if "." in found["error"] else found["error"], found["what"] or ""
    lines = last_lines(said, 1)
    return "", lines[0] if lines else ""


Made = tuple[str, str | None, str]


def _no_module(found: re.Match[str], step: Step, context: Context) -> Made:
    name = found["name"]
    top = name.split(".")[0]
    if step.kind == "settings" and context.settings.app.settings_module.startswith(name):
        return (
            f"slipway:app.settings_module: there is no module {name} in the image",
            "the module of settings",
            context.set(("app", "settings_module"), "MODULE"),
        )
    if top in context.folders:
        folder = context.folders[top] or "."
        return (
            f"No module named '{name}', which lies in the project in {folder}",
            "folders with modules, in slipway:app.python_path",
            context.add(("app", "python_path"), folder),
        )
    if top in context.modules:
        return (
            f"No module named '{name}', though the project has {top}",
            "a file that version control and .dockerignore do not leave out; or slipway:app.files, which makes it",
            f"its text below slipway:app.files in stacks/Pulumi.{context.stack}.yaml",
        )
    package = _PACKAGES.get(top, top.replace("_", "-"))
    return (
        f"No module named '{name}': the project does not ask for the package that has it",
        "packages in the project's dependencies or in slipway:dependencies.packages",
        context.add(("dependencies", "packages"), package),
    )


_PACKAGES = {
    "environ": "django-environ",
    "decouple": "python-decouple",
    "dotenv": "python-dotenv",
    "psycopg2": "psycopg2-binary",
    "psycopg": "psycopg[binary]",
    "MySQLdb": "mysqlclient",
    "yaml": "PyYAML",
    "PIL": "Pillow",
    "rest_framework": "djangorestframework",
    "corsheaders": "django-cors-headers",
    "debug_toolbar": "django-debug-toolbar",
    "django_extensions": "django-extensions",
    "storages": "django-storages",
    "bs4": "beautifulsoup4",
    "jwt": "PyJWT",
    "dateutil": "python-dateutil",
    "configurations": "django-configurations",
    "crispy_forms": "django-crispy-forms",
    "pkg_resources": "setuptools<81",
}
"""Packages by the module that they bring, where the two have other names."""


def _no_variable(found: re.Match[str], _step: Step, context: Context) -> Made:
    name = found["name"].upper()
    known = next((each for each in context.variables if each.name == name), None)
    value = (meaning.known(known) if known else None) or (
        f"${{secrets.{meaning.secret_name(name)}}}" if known and meaning.is_secret(known) else "VALUE"
    )
    return (
        f"the settings want the variable {name}, which nothing sets",
        f"slipway:app.environment with {name}" + (f" ({known.place} reads it)" if known else ""),
        context.set(("app", "environment", name), value),
    )


def _no_driver(_found: re.Match[str], _step: Step, context: Context) -> Made:
    if "psycopg" in context.packages:
        return (
            "psycopg is in the image, and the library that it loads is not: libpq",
            "libpq5 in slipway:build.packages and slipway:build.runtime_packages, or psycopg[binary]",
            "\n".join(context.add(("build", key), "libpq5") for key in ("packages", "runtime_packages")),
        )
    return (
        "no driver of PostgreSQL is in the image",
        "psycopg[binary], psycopg2-binary, or psycopg with libpq5 in slipway:build.runtime_packages",
        context.add(("dependencies", "packages"), "psycopg[binary]"),
    )


def _no_library(found: re.Match[str], _step: Step, context: Context) -> Made:
    return (
        f"the library {found['name']} is not in the image",
        "packages of the system in slipway:build.runtime_packages",
        context.add(("build", "runtime_packages"), _LIBRARIES.get(found["name"].split(".")[0], "PACKAGE")),
    )


_LIBRARIES = {
    "libpq": "libpq5",
    "libmagic": "libmagic1",
    "libmariadb": "libmariadb3",
    "libGL": "libgl1",
    "libcairo": "libcairo2",
    "libxmlsec1": "libxmlsec1",
    "libgdal": "gdal-bin",
    "libgobject-2": "libpango-1.0-0",
}


def _connects(found: re.Match[str], _step: Step, _context: Context) -> Made:
    return (
        f"the settings, or what they import, connect to something: {found[0][:160]}",
        "settings that connect to nothing when they are imported: an image is built where nothing can be reached",
        "correct the project: let it connect when it is first needed",
    )


def _read_only(found: re.Match[str], _step: Step, context: Context) -> Made:
    return (
        f"the project writes where it may not: {found[0][:200]}",
        f"/tmp and {uploads(context.settings)}; everything else in a container is read-only",  # noqa: S108  # in words
        "a path below /tmp, by way of slipway:app.environment if the project reads one",
    )


def _no_application(found: re.Match[str], step: Step, context: Context) -> Made:
    key = step.about.removeprefix("slipway:app.")
    return (
        f"{step.about}: {found[0]}",
        "MODULE:NAME of an application in the project",
        context.set(("app", key), "MODULE:NAME"),
    )


_Make = Callable[[re.Match[str], Step, Context], Made]
_MEANINGS: Sequence[tuple[str, _Make]] = (
    (r"Error loading (?:psycopg|MySQLdb)", _no_driver),
    (r"No module named '(?P<name>[\w.]+)'", _no_module),
    (r"Set the (?P<name>\w+) environment variable", _no_variable),
    (r"(?P<name>\w+) not found\. Declare it as envvar", _no_variable),
    (r"(?i)environment variable \"(?P<name>\w+)\" not set", _no_variable),
    (r"(?s)^KeyError: '(?P<name>[A-Z][A-Z0-9_]*)'.*(?:environ|getenv)", _no_variable),
    (r"(?s)validation errors? for \w+\n(?P<name>[A-Za-z_]\w*)\n\s+Field required", _no_variable),
    (r"(?P<name>lib[\w.+-]+\.so[\w.]*): cannot open shared object file", _no_library),
    (
        r"Could not find the (?P<name>GDAL) library",
        lambda _found, _step, context: (
            "the library GDAL is not in the image",
            "packages of the system in slipway:build.runtime_packages",
            context.add(("build", "runtime_packages"), "binutils libproj-dev gdal-bin"),
        ),
    ),
    (r"(?i)Read-only file system.*|Permission denied: .*", _read_only),
    (
        r"(?i)connection refused.*|could not translate host name.*|name or service not known.*|network is unreachable.*|temporary failure in name resolution.*|failed to resolve.*",
        _connects,
    ),
    (r"^[\w.]+ has no \w+$", _no_application),
)
"""What exceptions say, and what that means; the first that matches counts."""


def _deploy(step: Step, told: Told, context: Context) -> Iterator[Finding]:
    issues = list(issues_of(told.said))
    for level, where, code, what, hint in issues:
        bad = level in {"CRITICALS", "ERRORS"}
        if level in {"INFOS", "DEBUGS"}:
            continue
        name = f"{code}: {what}" if where == "?" else f"{code}: {where}: {what}"
        yield Finding(
            check=step.name,
            found=name,
            mend=_mend_of(code, hint, context),
            level=Level.ERROR if bad else Level.WARNING,
        )
    if told.code and not any(level in {"CRITICALS", "ERRORS"} for level, *_ in issues):
        yield _raised(step, told, context)


def issues_of(said: str) -> Iterator[tuple[str, str, str, str, str]]:
    """Take apart what ``manage.py check`` says: the heading, where, the id, what, the hint."""
    level = ""
    found: list[list[str]] = []
    for line in said.splitlines():
        heading = _HEADING.match(line)
        issue = _ISSUE.match(line) if level else None
        if heading:
            level = heading[1]
        elif line.startswith(("\tHINT:", "        HINT:")) and found:
            found[-1][4] = line.strip().removeprefix("HINT:").strip()
        elif issue and issue["id"]:
            found.append([level, issue["where"], issue["id"], issue["what"], ""])
        elif level and line.strip() and found and line.startswith((" ", "\t")):
            index = 4 if found[-1][4] else 3
            found[-1][index] += f" {line.strip()}"
        elif level and not line.strip():
            continue
        elif line.startswith("System check identified"):
            level = "" if "issues (" in line or "no issues" in line else level
    for each in found:
        yield each[0], each[1], each[2], _first(each[3]), each[4]


def _first(text: str) -> str:
    """Give the first sentence: Django explains at length what its documentation has, too."""
    return re.split(r"(?<=[a-z)'`])\. (?=[A-Z])", text)[0].rstrip(".")


def _mend_of(code: str, hint: str, context: Context) -> str:
    wanted = _WANTED.get(code)
    if wanted is None:
        return hint or "correct the project; Django's documentation of its system checks has " + code
    setting, value = wanted
    read = [each for each in context.variables if each.goes_to(setting)]
    if read:
        known = meaning.known(read[0])
        yes = "True" if read[0].kind in {"bool", "truth"} else value.strip("'")
        said = known if known is not None else yes
        return context.set(("app", "environment", read[0].name), said)
    shown = {"SECRET_KEY": "${secrets.django_key.json}", "ALLOWED_HOSTS": '"${allowed_hosts}".split(",")'}.get(
        setting, value
    )
    return f"{setting} = {shown}   # in {context.settings.app.settings_module}, or in a module below slipway:app.files"


def _migrations(step: Step, told: Told, context: Context) -> Iterator[Finding]:
    for app, text in re.findall(r"^Migrations for '([\w.]+)':\n((?:[ \t]+.*\n?)*)", told.said, re.MULTILINE):
        lines = text.splitlines()
        file = lines[0].strip() if lines else ""
        changes = "; ".join(line.strip().lstrip("+-~ ") for line in lines[1:4])
        foreign = "site-packages" in file or file.startswith("/opt/venv")
        manage = f"cd {context.settings.app.directory} && " if context.settings.app.directory else ""
        yield Finding(
            check=step.name,
            found=f"models of {app} have changes that no migration has" + (f": {changes}" if changes else ""),
            mend=f"{manage}python manage.py makemigrations {app}   # in the project; commit what it writes"
            if not foreign
            else f"DEFAULT_AUTO_FIELD as the package {app} expects it, in the project's settings; or another version of it",
            level=Level.WARNING if foreign else Level.ERROR,
        )
    if "Conflicting migrations detected" in told.said:
        yield Finding(
            check=step.name,
            found=next(line for line in told.said.splitlines() if "Conflicting migrations" in line)[:400],
            mend="python manage.py makemigrations --merge   # in the project; commit what it writes",
        )


def _process(step: Step, told: Told, context: Context) -> Iterator[Finding]:
    line = last_lines(told.said, 1)[0] if told.said.strip() else ""
    mend = context.set(_key(step), "COMMAND")
    program = re.fullmatch(r"no program (?P<name>\S+)", line)
    if program:
        package = context.add(("dependencies", "packages"), program["name"].replace("_", "-"))
        yield Finding(
            check=step.name,
            found=f"{step.about}: there is no program {program['name']} in the image",
            allowed="a program of the image, or of a package that the project asks for; no shell reads the command",
            mend=f"{mend}\n{package}   # if a package of that name brings it",
        )
    elif re.match(r"no (command|module|file) ", line):
        what, _, there = line.partition("; there is ")
        yield Finding(
            check=step.name,
            found=f"{step.about}: {what.replace('no ', 'there is no ', 1)}",
            allowed=_near(what, there),
            mend=mend,
        )


def _key(step: Step) -> tuple[str, ...]:
    return tuple(step.about.removeprefix("slipway:").split("."))


def _near(what: str, there: str) -> str | None:
    """Name what is there, where that is not too much to read."""
    names = [each for each in there.split(", ") if each and each not in _DJANGO]
    return f"one of {', '.join(names[:12])}" if names and what.startswith("no command") else None


_DJANGO = frozenset(
    [
        "check",
        "compilemessages",
        "createcachetable",
        "dbshell",
        "diffsettings",
        "dumpdata",
        "flush",
        "inspectdb",
        "loaddata",
        "makemessages",
        "makemigrations",
        "migrate",
        "optimizemigration",
        "runserver",
        "sendtestemail",
        "shell",
        "showmigrations",
        "sqlflush",
        "sqlmigrate",
        "sqlsequencereset",
        "squashmigrations",
        "startapp",
        "startproject",
        "test",
        "testserver",
        "changepassword",
        "createsuperuser",
        "collectstatic",
        "findstatic",
        "clearsessions",
        "remove_stale_contenttypes",
    ]
)
"""Commands that Django has itself."""
