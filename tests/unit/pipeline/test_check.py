"""What ``python -m pipeline check`` tries, and what it makes of what was said; without a daemon."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.problems import Problem as ConfigurationProblem
from components.problems import SettingsError
from pipeline import __main__ as command_line
from pipeline.check import command, inside, plan
from pipeline.check.ask import Told
from pipeline.check.build import BuildError
from pipeline.check.finding import Finding, Level
from pipeline.check.verdict import Context, issues_of, judge
from pipeline.console import Console, Problem
from pipeline.init.finding import Place
from pipeline.init.variables import Variable
from tests.sample import settings

LOADED = settings(
    {
        "app": {
            "environment": {"TOKEN": "x ${secrets.token}", "SITE": "${url}"},
            "files": {"/app/local.py": "KEY = ${secrets.key.json}"},
        },
        "processes": {"worker": {"command": "python manage.py work"}},
    }
)
DEBUG = Variable(name="SHOP_DEBUG", place=Place("config/settings.py", 3), required=False, uses=frozenset({("DEBUG",)}))
TOKEN = Variable(name="TOKEN", place=Place("config/settings.py", 9), required=True)
CONTEXT = Context(
    stack="dev",
    settings=LOADED,
    modules=frozenset({"config", "pricing"}),
    folders={"pricing": "libraries"},
    variables=(DEBUG, TOKEN),
)


def step(kind: str) -> plan.Step:
    """One of the steps."""
    return next(each for each in plan.steps(LOADED) if each.kind == kind)


def judged(kind: str, said: str, code: int = 1) -> list[Finding]:
    """What a step has found."""
    return judge(step(kind), Told(name="", code=code, said=said, seconds=1), CONTEXT)


def test_the_steps_follow_from_the_settings() -> None:
    """The settings come first, and nothing after them makes sense without them."""
    assert [(each.name, each.gates) for each in plan.steps(LOADED)] == [
        ("settings config.settings", True),
        ("manage.py check --deploy", False),
        ("manage.py makemigrations --check", False),
        ("application config.wsgi:application", False),
        ("process worker", False),
    ]


def test_a_server_of_asgi_and_a_command_of_the_projects_own() -> None:
    """What is imported is what is served; a command instead of a server is looked for as a process is."""
    uvicorn = plan.steps(settings({"web": {"server": "uvicorn"}}))
    assert uvicorn[3].name == "application config.asgi:application"
    assert uvicorn[3].about == "slipway:app.asgi_module"
    own = plan.steps(settings({"web": {"command": "granian config.wsgi"}}))[3:]
    assert [(each.name, each.about) for each in own] == [("process web", "slipway:web.command")]


def test_the_environment_is_the_real_one_but_for_secrets() -> None:
    """What everybody may see is as it will be; what nobody may see is made up, in variables and in files."""
    variables = plan.variables(LOADED, "abc")
    assert variables["TOKEN"] == f"x {plan.DUMMY}"
    assert variables["SITE"] == "http://127.0.0.1:8080"
    assert variables["SLIPWAY_RELEASE"] == "abc"
    files = plan.files(LOADED, "abc")
    assert files["/run/secrets/secret_key"] == plan.DUMMY
    assert files["/run/secrets/database_url"] == "postgresql://app:app@127.0.0.1:5432/app"
    assert f'KEY = "{plan.DUMMY}"' in files.values()
    assert len(plan.DUMMY) >= 50


TRACE = 'Traceback (most recent call last):\n  File "/app/config/settings.py", line 3, in <module>\n    x\n'


@pytest.mark.parametrize(
    ("kind", "said", "found", "mend"),
    [
        (
            "settings",
            TRACE + "ModuleNotFoundError: No module named 'environ'\n",
            "No module named 'environ': the project does not ask for the package that has it",
            "pulumi config set --path 'slipway:dependencies.packages' django-environ --stack dev",
        ),
        (
            "settings",
            TRACE + "ModuleNotFoundError: No module named 'pricing'\n",
            "No module named 'pricing', which lies in the project in libraries",
            "pulumi config set --path 'slipway:app.python_path' libraries --stack dev",
        ),
        (
            "settings",
            TRACE + "ModuleNotFoundError: No module named 'config.settings'\n",
            "slipway:app.settings_module: there is no module config.settings in the image",
            "pulumi config set --path 'slipway:app.settings_module' MODULE --stack dev",
        ),
        (
            "settings",
            TRACE + "ModuleNotFoundError: No module named 'config.local'\n",
            "No module named 'config.local', though the project has config",
            "its text below slipway:app.files in stacks/Pulumi.dev.yaml",
        ),
        (
            "settings",
            TRACE.replace("    x", '    os.environ["TOKEN"]') + "KeyError: 'TOKEN'\n",
            "the settings want the variable TOKEN, which nothing sets",
            "pulumi config set --path 'slipway:app.environment.TOKEN' '${secrets.token}' --stack dev",
        ),
        (
            "settings",
            TRACE + "django.core.exceptions.ImproperlyConfigured: Set the OTHER environment variable\n",
            "the settings want the variable OTHER, which nothing sets",
            "pulumi config set --path 'slipway:app.environment.OTHER' VALUE --stack dev",
        ),
        (
            "settings",
            TRACE
            + "decouple.UndefinedValueError: SHOP_DEBUG not found. Declare it as envvar or define a default value.\n",
            "the settings want the variable SHOP_DEBUG, which nothing sets",
            "pulumi config set --path 'slipway:app.environment.SHOP_DEBUG' False --stack dev",
        ),
        (
            "settings",
            TRACE
            + "pydantic_core._pydantic_core.ValidationError: 1 validation error for Env\ncode\n  Field required [type=missing]\n",
            "the settings want the variable CODE, which nothing sets",
            "pulumi config set --path 'slipway:app.environment.CODE' VALUE --stack dev",
        ),
        (
            "settings",
            TRACE + "django.core.exceptions.ImproperlyConfigured: Error loading psycopg2 or psycopg module\n",
            "no driver of PostgreSQL is in the image",
            "pulumi config set --path 'slipway:dependencies.packages' 'psycopg[binary]' --stack dev",
        ),
        (
            "settings",
            TRACE + "ImportError: libmagic.so.1: cannot open shared object file: No such file or directory\n",
            "the library libmagic.so.1 is not in the image",
            "pulumi config set --path 'slipway:build.runtime_packages' libmagic1 --stack dev",
        ),
        (
            "settings",
            TRACE + "redis.exceptions.ConnectionError: Error 111 connecting to 127.0.0.1:6379. Connection refused.\n",
            "the settings, or what they import, connect to something: Connection refused.",
            "correct the project: let it connect when it is first needed",
        ),
        (
            "settings",
            TRACE + "OSError: [Errno 30] Read-only file system: '/app/log'\n",
            "the project writes where it may not: Read-only file system: '/app/log'",
            "a path below /tmp, by way of slipway:app.environment if the project reads one",
        ),
        (
            "settings",
            TRACE + "NameError: name 'x' is not defined\n",
            "slipway:app.settings_module: NameError: name 'x' is not defined",
            (
                "correct the project, or name other settings: "
                "pulumi config set --path 'slipway:app.settings_module' MODULE --stack dev"
            ),
        ),
        (
            "application",
            "config.wsgi has no application\n",
            "slipway:app.wsgi_module: config.wsgi has no application",
            "pulumi config set --path 'slipway:app.wsgi_module' MODULE:NAME --stack dev",
        ),
        (
            "process",
            "no program celery\n",
            "slipway:processes.worker.command: there is no program celery in the image",
            (
                "pulumi config set --path 'slipway:processes.worker.command' COMMAND --stack dev\n"
                "pulumi config set --path 'slipway:dependencies.packages' celery --stack dev   # if a package of that name brings it"
            ),
        ),
        (
            "process",
            "no command work of manage.py; there is migrate, worker\n",
            "slipway:processes.worker.command: there is no command work of manage.py",
            "pulumi config set --path 'slipway:processes.worker.command' COMMAND --stack dev",
        ),
        (
            "process",
            TRACE + "ValueError: bad\n",
            "slipway:processes.worker.command: ValueError: bad",
            "pulumi config set --path 'slipway:processes.worker.command' COMMAND --stack dev",
        ),
        (
            "migrations",
            "Migrations for 'shop':\n  shop/migrations/0002_book_pages.py\n    + Add field pages to book\n",
            "models of shop have changes that no migration has: Add field pages to book",
            "python manage.py makemigrations shop   # in the project; commit what it writes",
        ),
        (
            "migrations",
            "CommandError: Conflicting migrations detected; multiple leaf nodes in the migration graph\n",
            "CommandError: Conflicting migrations detected; multiple leaf nodes in the migration graph",
            "python manage.py makemigrations --merge   # in the project; commit what it writes",
        ),
    ],
)
def test_what_was_said_becomes_the_setting_to_change(kind: str, said: str, found: str, mend: str) -> None:
    """Each error that is usual has its mend; the last lines of what was said are with it."""
    [finding] = judged(kind, said)
    assert (finding.found, finding.mend) == (found, mend)
    assert finding.level is Level.ERROR


def test_a_driver_without_its_library() -> None:
    """Psycopg without [binary] wants libpq, while the image is built as well."""
    said = TRACE + "django.core.exceptions.ImproperlyConfigured: Error loading psycopg2 or psycopg module\n"
    [finding] = judge(
        step("settings"), Told(name="", code=1, said=said, seconds=1), replace(CONTEXT, packages=frozenset({"psycopg"}))
    )
    assert finding.found == "psycopg is in the image, and the library that it loads is not: libpq"
    assert finding.mend == (
        "pulumi config set --path 'slipway:build.packages' libpq5 --stack dev\n"
        "pulumi config set --path 'slipway:build.runtime_packages' libpq5 --stack dev"
    )


def test_models_of_a_package_are_only_warned_about() -> None:
    """Nobody can commit a migration of somebody else's package."""
    said = "Migrations for 'other':\n  /opt/venv/lib/python3.13/site-packages/other/migrations/0002_x.py\n    ~ Alter field id\n"
    [finding] = judged("migrations", said)
    assert finding.level is Level.WARNING
    assert "DEFAULT_AUTO_FIELD" in finding.mend


DEPLOY = """\
System check identified some issues:

ERRORS:
shop.Book.author: (fields.E300) Field defines a relation with model 'Author', which is either not installed, or is abstract.
\tHINT: Install it.
?: (security.E100) DEFAULT_HASHING_ALGORITHM must be 'sha1' or 'sha256'.

WARNINGS:
?: (security.W004) You have not set a value for the SECURE_HSTS_SECONDS setting. If your entire site is served only over SSL, you may want to.
?: (security.W018) You should not have DEBUG set to True in deployment.
?: (security.W020) ALLOWED_HOSTS must not be empty in deployment.

System check identified 5 issues (0 silenced).
"""


def test_checks_of_django_are_taken_apart() -> None:
    """Errors stay errors; a warning names the variable that the project reads, or the setting of the project."""
    assert len(list(issues_of(DEPLOY))) == 5
    found = judged("deploy", DEPLOY)
    assert [(each.level.value, each.found, each.mend) for each in found] == [
        (
            "error",
            (
                "fields.E300: shop.Book.author: Field defines a relation with model 'Author', which is either not installed, "
                "or is abstract"
            ),
            "Install it.",
        ),
        (
            "error",
            "security.E100: DEFAULT_HASHING_ALGORITHM must be 'sha1' or 'sha256'",
            "correct the project; Django's documentation of its system checks has security.E100",
        ),
        (
            "warning",
            "security.W004: You have not set a value for the SECURE_HSTS_SECONDS setting",
            "SECURE_HSTS_SECONDS = 31536000   # in config.settings, or in a module below slipway:app.files",
        ),
        (
            "warning",
            "security.W018: You should not have DEBUG set to True in deployment",
            "pulumi config set --path 'slipway:app.environment.SHOP_DEBUG' False --stack dev",
        ),
        (
            "warning",
            "security.W020: ALLOWED_HOSTS must not be empty in deployment",
            'ALLOWED_HOSTS = "${allowed_hosts}".split(",")   # in config.settings, or in a module below slipway:app.files',
        ),
    ]


def test_a_check_that_breaks_is_an_error_as_well() -> None:
    """A traceback instead of issues is not passed over; a good end is no finding."""
    [finding] = judged("deploy", TRACE + "ValueError: bad\n")
    assert finding.found == "ValueError: bad"
    assert judged("deploy", "System check identified no issues (0 silenced).\n", 0) == []
    assert judged("settings", "", 0) == []
    [late] = judged("settings", "waiting\nit did not end in time", 124)
    assert late.found == "it did not end within 120 s"


def test_the_program_in_the_image_runs_a_plan(tmp_path: Path) -> None:
    """It writes the files, runs each step and tells how it went; after one that gates it stops."""
    said = {
        "seconds": 20,
        "files": {str(tmp_path / "secrets/key"): "made up"},
        "steps": [
            {"name": "one", "command": [sys.executable, "-c", "print('hello')"], "gates": False},
            {"name": "none", "command": ["no-such-program"], "gates": False},
            {"name": "two", "command": [sys.executable, "-c", "raise SystemExit(3)"], "gates": True},
            {"name": "three", "command": [sys.executable, "-c", ""], "gates": False},
        ],
    }
    done = subprocess.run(
        [sys.executable, inside.__file__],
        env={"SLIPWAY_CHECK": json.dumps(said)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    told = [json.loads(line.removeprefix(inside.MARK)) for line in done.stdout.splitlines()]
    assert [(each["name"], each["code"]) for each in told] == [("one", 0), ("none", 127), ("two", 3)]
    assert told[0]["said"] == "hello\n"
    assert (tmp_path / "secrets/key").read_text() == "made up"


def test_the_program_of_a_process_is_looked_for() -> None:
    """What is no program, no module or no file is said, without a traceback."""

    def tried(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", plan._PROGRAM, *words], capture_output=True, text=True, check=False, timeout=60
        )
        return done.stderr.strip()

    assert tried("no-such-program") == "no program no-such-program"
    assert tried("python", "-m", "no_such_module") == "no module no_such_module"
    assert tried("python", "no_such_file.py") == "no file no_such_file.py"
    assert not tried("LEVEL=1", "python", "-m", "json")


@pytest.mark.parametrize(
    ("raised", "said"), [("ModuleNotFoundError(\"No module named 'packaging'\")", "packaging"), ("OSError()", None)]
)
def test_what_celery_speaks_to_its_broker_with_is_loaded(raised: str, said: str | None, tmp_path: Path) -> None:
    """A client that is missing is found before a worker starts again and again; what only a broker can answer is not asked."""
    files = {
        "celery/__init__.py": "",
        "celery/app/__init__.py": "",
        "celery/app/utils.py": f"class App:\n    def connection_for_read(self):\n        raise {raised}\ndef find_app(_):\n    return App()\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    program = tmp_path / "bin/celery"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", plan._PROGRAM, "celery", "-A", "shop", "worker"],
        env={"PATH": str(program.parent), "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (said is None) == (done.returncode == 0)
    assert said is None or f"No module named '{said}'" in done.stderr


# The command --------------------------------------------------------------------------------------------------------


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Made-up settings, image and answers of a container."""
    given: dict[str, Any] = {"told": [], "problems": None, "missing": []}

    @contextmanager
    def built(*_: object) -> Iterator[str]:
        if given["problems"]:
            raise BuildError(*given["problems"])
        if given.get("no agent"):
            raise given["no agent"]
        yield "shop:abc"

    def ask(*_: object, heard: Any, **__: object) -> list[Told]:  # noqa: ANN401 - a callback
        for each in given["told"]:
            heard(each)
        return given["told"] or [Told(name="", code=1, said="exec: python: not found", seconds=0)]

    def load(*_: object) -> Any:  # noqa: ANN401 - settings, or an error
        if isinstance(given.get("load"), Exception):
            raise given["load"]
        return LOADED

    monkeypatch.setattr(command, "built", built)
    monkeypatch.setattr(command, "ask", ask)
    monkeypatch.setattr("pipeline.settings.load", load)
    monkeypatch.setattr("pipeline.secrets.missing", lambda *_: given["missing"])
    return given


def check(*arguments: str) -> tuple[int, str, str]:
    """Run the command; give its exit code and what it printed."""
    console = Console(io.StringIO(), io.StringIO())
    code = command_line.main(["check", "dev", *arguments], console)
    assert isinstance(console.out, io.StringIO)
    assert isinstance(console.err, io.StringIO)
    return code, console.out.getvalue(), console.err.getvalue()


def good() -> list[Told]:
    """How every step goes when nothing is wrong."""
    return [Told(name=each.name, code=0, said="", seconds=0.5) for each in plan.steps(LOADED)]


def test_a_stack_that_is_ready(answers: dict[str, Any]) -> None:
    """Every step is said; what a deployment asks for first is a warning."""
    answers["told"] = good()
    answers["missing"] = ["django_key", "token"]
    code, out, _ = check()
    assert code == 0
    assert "    settings config.settings                           good                 0.5 s\n" in out
    assert (
        "warning: secrets: secrets:django_key: nothing\n"
        "  allowed: an encrypted value in the stack's file\n"
        "  mend:    python -m pipeline secrets init dev\n"
    ) in out
    assert "Ready, 2 warnings: python -m pipeline up dev\n" in out


def test_a_stack_that_is_not_ready(answers: dict[str, Any]) -> None:
    """The exit code says so; the last lines of the log come before the error."""
    answers["told"] = [Told(name="settings config.settings", code=1, said=TRACE + "NameError: x\n", seconds=1)]
    code, out, err = check()
    assert code == 1
    assert err == ""
    assert '    |   File "/app/config/settings.py", line 3, in <module>\n' in out
    assert "error: settings config.settings: slipway:app.settings_module: NameError: x\n  mend: " in out
    assert out.endswith("Not ready: 1 error, 0 warnings.\n")


def test_findings_for_programs(answers: dict[str, Any]) -> None:
    """--json is alone on standard output; progress goes elsewhere."""
    answers["told"] = [Told(name="settings config.settings", code=1, said=TRACE + "NameError: x\n", seconds=1)]
    code, out, err = check("--json")
    told = json.loads(out)
    assert code == 1
    assert not told["ready"]
    assert [(each["level"], each["check"]) for each in told["findings"]] == [("error", "settings config.settings")]
    assert told["findings"][0]["log"][-1] == "NameError: x"
    assert "==> Build the image of shop" in err


def test_what_ends_a_check_early(answers: dict[str, Any]) -> None:
    """Settings that are wrong, an image that cannot be built, one that runs nothing: each is a finding with its mend."""
    answers["problems"] = [Problem("the lock does not match", "a new lock", "uv lock")]
    code, out, _ = check()
    assert code == 1
    assert "error: build: the lock does not match\n  allowed: a new lock\n  mend:    uv lock\n" in out
    answers["problems"] = None
    agent = ConfigurationProblem(key="slipway:dependencies.ssh_hosts", found="no agent", allowed="one", mend="ssh-add")
    answers["no agent"] = SettingsError("dev", [agent])
    code, out, _ = check()
    assert code == 1
    assert "error: settings: slipway:dependencies.ssh_hosts: no agent\n  allowed: one\n  mend:    ssh-add\n" in out
    del answers["no agent"]
    code, out, _ = check()
    assert code == 1
    assert "error: image: nothing can be run in the image\n" in out
    answers["load"] = SettingsError(
        "dev", [ConfigurationProblem(key="slipway:app.source", found="nothing", allowed="a folder", mend="set it")]
    )
    code, out, _ = check()
    assert code == 1
    assert "error: settings: slipway:app.source: nothing\n  allowed: a folder\n  mend:    set it\n" in out
