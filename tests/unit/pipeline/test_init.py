"""What ``python -m pipeline init`` finds in small projects, and the file that it writes."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.problems import SettingsError
from components.settings import check
from pipeline import __main__ as command_line
from pipeline.console import Console, PipelineError
from pipeline.init import command, files, python, server
from pipeline.init.finding import Setting
from pipeline.init.look import Report, look, report
from pipeline.init.stackfile import text

ROOT = Path(__file__).parents[3]
PROJECTS = [
    *sorted(path for path in (ROOT / "tests/projects").iterdir() if (path / "README.md").is_file()),
    ROOT / "examples/guestbook",
]

MANAGE = """\
import os, sys
from django.core.management import execute_from_command_line
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{module}")
execute_from_command_line(sys.argv)
"""
WSGI = """\
import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{module}")
application = get_wsgi_application()
"""
SETTINGS = """\
import os
from pathlib import Path
import dj_database_url
BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = os.environ["ALLOWED_HOSTS"].split(",")
INSTALLED_APPS = ["django.contrib.staticfiles"]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
DATABASES = {"default": dj_database_url.config()}
STATIC_URL = "/static/"
"""
URLS = """\
from django.urls import path
urlpatterns = [path("", home), path("healthz", health)]
"""
REQUIREMENTS = "Django==5.2.19\ndj-database-url\npsycopg[binary]==3.3.9\n"


def tree(folder: Path, files: Mapping[str, str] | None = None, module: str = "shop.settings") -> Path:
    """Write a small project, with some files said differently; those without text are left out."""
    usual = {
        "manage.py": MANAGE.format(module=module),
        "requirements.txt": REQUIREMENTS,
        "shop/__init__.py": "",
        "shop/settings.py": SETTINGS,
        "shop/urls.py": URLS,
        "shop/wsgi.py": WSGI.format(module=module),
    }
    root = folder / "shop"
    for path, content in {**usual, **(files or {})}.items():
        if content is not None:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content)
    return root


def seen(root: Path, stack: str = "dev") -> Report:
    """Look at a project."""
    return look(root, str, stack)


def values(found: Report) -> dict[str, object]:
    """What was found and is needed, by key."""
    return {
        ".".join(each.path): each.value if isinstance(each.value, str | int | bool) else [*each.value]
        for each in reversed(found.settings)
        if each.asked
    }


def missing(found: Report) -> str:
    """What was not found."""
    return "\n".join(f"{each.what} -> {each.do}" for each in found.missing)


def parsed(found: Report, stack: str = "dev") -> dict[str, Any]:
    """The file as the settings read it, held against the project."""
    content = text(found, name="shop", near_schema=True)
    config = yaml.safe_load(content)["config"]
    said = {key.removeprefix("slipway:"): value for key, value in config.items()}
    check(said, stack)
    return said


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_what_is_written_for_a_project_of_ours_is_valid(project: Path, stack: str) -> None:
    """The settings take the file of every project that tests deploy, with the project beside it."""
    said = parsed(seen(project, stack), stack)
    assert said["environment"] == stack
    assert said["app"]["source"] == str(project)


def test_commands_that_run_anyway_are_not_asked_about(tmp_path: Path) -> None:
    """A project may have a `migrate` of its own."""
    extra = {"shop/management/commands/migrate.py": "", "release.sh": "python manage.py migrate\n"}
    assert seen(tree(tmp_path, extra)).missing == ()


def test_a_usual_project_needs_little(tmp_path: Path) -> None:
    """What the defaults say already is not said again; what every process finds anyway is not either."""
    found = seen(tree(tmp_path))
    assert values(found) == {
        "app.source": str(tmp_path / "shop"),
        "app.settings_module": "shop.settings",
        "app.health_path": "/healthz",
        "app.environment.SECRET_KEY": "${secrets.django_key}",
        "app.environment.DATABASE_URL": "${database.url}",
    }
    assert found.missing == ()
    places = {".".join(each.path): str(each.place) for each in found.settings}
    assert places["app.settings_module"] == "shop/wsgi.py:3"
    assert places["app.health_path"] == "shop/urls.py:2"
    assert places["app.environment.SECRET_KEY"] == "shop/settings.py:5"
    parsed(found)


CASES: list[tuple[str, dict[str, Any], dict[str, object]]] = [
    (
        "Poetry in a folder of a repository, with a library beside it that is only imported",
        {
            "manage.py": None,
            "requirements.txt": None,
            "shop/__init__.py": None,
            "shop/settings.py": None,
            "shop/urls.py": None,
            "shop/wsgi.py": None,
            "backend/manage.py": MANAGE.format(module="shop.settings"),
            "backend/pyproject.toml": '[tool.poetry.dependencies]\npython = "~3.12"\n[tool.poetry.group.production.dependencies]\n',
            "backend/poetry.lock": '[[package]]\nname = "django"\nversion = "5.2.19"\n[[package]]\nname = "psycopg2"\nversion = "2.9"\n',
            "backend/shop/__init__.py": "",
            "backend/shop/settings.py": SETTINGS,
            "backend/shop/urls.py": "import pricing\n" + URLS,
            "backend/shop/wsgi.py": WSGI.format(module="shop.settings"),
            "libraries/pricing/__init__.py": "",
        },
        {
            "app.directory": "backend",
            "app.python_path": ["libraries"],
            "app.python": "3.12",
            "dependencies.groups": ["production"],
            "build.packages": ["gcc", "libc6-dev", "libpq-dev"],
            "build.runtime_packages": ["libpq5"],
        },
    ),
    (
        "uv with the code in src",
        {
            "requirements.txt": None,
            "shop/__init__.py": None,
            "shop/settings.py": None,
            "shop/urls.py": None,
            "shop/wsgi.py": None,
            "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11,<3.13"\n[project.optional-dependencies]\nprod = ["x"]\n',
            "uv.lock": '[[package]]\nname = "django"\nversion = "5.2.19"\n',
            "src/shop/__init__.py": "",
            "src/shop/settings.py": SETTINGS,
            "src/shop/urls.py": URLS,
            "src/shop/wsgi.py": WSGI.format(module="shop.settings"),
        },
        {
            "app.python_path": ["src"],
            "app.python": "3.12",
            "dependencies.extras": ["prod"],
            "dependencies.packages": ["psycopg[binary]"],
        },
    ),
    (
        "settings for production beside those for developers",
        {
            "manage.py": MANAGE.format(module="shop.settings.local"),
            "shop/settings.py": None,
            "shop/settings/__init__.py": "",
            "shop/settings/base.py": SETTINGS.replace("parent.parent", "parent.parent.parent"),
            "shop/settings/local.py": "from .base import *\nDEBUG = True\n",
            "shop/settings/production.py": 'from .base import *\nimport os\nMAIL = os.environ["MAIL_TOKEN"]\n',
            "shop/wsgi.py": WSGI.format(module="shop.settings.local"),
        },
        {
            "app.settings_module": "shop.settings.production",
            "app.environment.MAIL_TOKEN": "${secrets.mail_token}",
            "app.environment.SECRET_KEY": "${secrets.django_key}",
        },
    ),
    (
        "django-environ",
        {
            "shop/settings.py": """\
import environ
env = environ.Env(DEBUG=(bool, True))
DEBUG = env("DEBUG")
SECRET_KEY = env("DJANGO_SECRET_KEY")
ALLOWED_HOSTS = env.list("HOSTS")
DATABASES = {"default": env.db()}
CACHES = {"default": env.cache("CACHE")}
EMAIL_HOST_PASSWORD = env("MAIL_PASSWORD", default="")
LIMIT = env.int("LIMIT", default=5)
ROOT_URLCONF = "shop.urls"
""",
        },
        {
            "app.environment.DEBUG": "False",
            "app.environment.DJANGO_SECRET_KEY": "${secrets.django_key}",
            "app.environment.HOSTS": "${allowed_hosts}",
            "app.environment.DATABASE_URL": "${database.url}",
            "app.environment.CACHE": "${redis.url/1}",
            "app.environment.MAIL_PASSWORD": None,
            "app.environment.LIMIT": None,
        },
    ),
    (
        "python-decouple, the database in parts",
        {
            "shop/settings.py": """\
from decouple import Csv, config
SECRET_KEY = config("KEY")
DEBUG = config("DEBUG", default=False, cast=bool)
ALLOWED_HOSTS = config("HOSTS", cast=Csv())
host = config("DATABASE_SERVER")
DATABASES = {
    "default": {
        "ENGINE": config("ENGINE", default="django.db.backends.sqlite3"),
        "NAME": config("DB_NAME"),
        "USER": config("WHO"),
        "PASSWORD": config("SESAME"),
        "HOST": host,
        "PORT": config("DB_PORT", cast=int),
    }
}
ROOT_URLCONF = "shop.urls"
""",
        },
        {
            "app.environment.KEY": "${secrets.django_key}",
            "app.environment.DEBUG": None,
            "app.environment.HOSTS": "${allowed_hosts}",
            "app.environment.ENGINE": "django.db.backends.postgresql",
            "app.environment.DB_NAME": "${database.name}",
            "app.environment.WHO": "${database.user}",
            "app.environment.SESAME": "${database.password}",
            "app.environment.DATABASE_SERVER": "${database.host}",
            "app.environment.DB_PORT": "${database.port}",
        },
    ),
    (
        "an address of PostgreSQL that is looked at, where the admin is, and what only sounds like what the stack knows",
        {
            "shop/settings.py": SETTINGS
            + """\
if os.environ["DATABASE_URL"].startswith("postgres://"):
    INSTALLED_APPS.append("django.contrib.postgres")
ADMIN_URL = os.environ["DJANGO_ADMIN_URL"]
BASKET = os.environ.get("BASKET_SQS_QUEUE_URL")
MONGO = os.environ.get("MONGO_DB_URL")
WEBHOOKS = os.environ.get("WEBHOOK_ALLOWED_HOSTS", "").split(",")
""",
        },
        {
            "app.environment.DATABASE_URL": "postgres://${database.user}:${database.password}@${database.host}:"
            "${database.port}/${database.name}",
            "app.environment.DJANGO_ADMIN_URL": "admin/",
            "app.environment.BASKET_SQS_QUEUE_URL": None,
            "app.environment.MONGO_DB_URL": None,
            "app.environment.WEBHOOK_ALLOWED_HOSTS": None,
        },
    ),
    (
        "settings of pydantic",
        {
            "shop/env.py": """\
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
class Env(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="shop_")
    database_url: str
    secret_key: str
    hosts: list[str]
    stripe: str = Field(alias="STRIPE_KEY")
    pages: int = 5
""",
            "shop/settings.py": """\
from .env import Env
env = Env()
SECRET_KEY = env.secret_key
ALLOWED_HOSTS = env.hosts
ROOT_URLCONF = "shop.urls"
""",
        },
        {
            "app.environment.SHOP_DATABASE_URL": "${database.url}",
            "app.environment.SHOP_SECRET_KEY": "${secrets.django_key}",
            "app.environment.SHOP_HOSTS": '["${domain}", "127.0.0.1"]',
            "app.environment.STRIPE_KEY": "${secrets.stripe_key}",
            "app.environment.SHOP_PAGES": None,
        },
    ),
    (
        "a helper of the project's own, another way to part hosts, and a value that nobody can know",
        {
            "shop/settings.py": """\
import os
def must(name):
    try:
        return os.environ[name]
    except KeyError:
        raise RuntimeError(name)
SECRET_KEY = must("KEY")
ALLOWED_HOSTS = must("HOSTS").split()
SHOP = must("SHOP_CODE")
def parts(text):
    return [each.strip() for each in text.split(",")]
CSRF_TRUSTED_ORIGINS = parts(os.environ.get("ORIGINS", ""))
if found := os.environ.get("PAGES"):
    CORS_ALLOWED_ORIGINS = found.split(";")
ROOT_URLCONF = "shop.urls"
DEBUG = os.environ.get("DEBUG", "1") == "1"
PAGE = int(os.environ["PAGE"])
SITE = os.environ["SITE_URL"]
""",
        },
        {
            "app.environment.KEY": "${secrets.django_key}",
            "app.environment.HOSTS": "${domain} 127.0.0.1",
            "app.environment.SHOP_CODE": "change-me",
            "app.environment.ORIGINS": "${trusted_origins}",
            "app.environment.PAGES": "${url}",
            "app.environment.DEBUG": "0",
            "app.environment.PAGE": "0",
            "app.environment.SITE_URL": "${url}",
        },
    ),
    (
        "psycopg that is compiled",
        {"requirements.txt": "Django==5.2.19\ndj-database-url\npsycopg[c,pool]==3.3.9\n"},
        {
            "dependencies.packages": None,
            "build.packages": ["gcc", "libc6-dev", "libpq-dev"],
            "build.runtime_packages": ["libpq5"],
        },
    ),
    (
        "one name of Python for one variable after another",
        {
            "shop/settings.py": SETTINGS.replace('ALLOWED_HOSTS = os.environ["ALLOWED_HOSTS"].split(",")\n', "")
            + 'if v := os.getenv("HEADER"):\n    SECURE_PROXY_SSL_HEADER = tuple(v.split(",", maxsplit=1))\n'
            + 'if v := os.getenv("HOSTS"):\n    ALLOWED_HOSTS = v.split(",")\n'
            + 'if v := os.getenv("LOGS"):\n    LOG_LEVEL = v\n',
        },
        {
            "app.environment.HEADER": None,
            "app.environment.HOSTS": "${allowed_hosts}",
            "app.environment.LOGS": None,
        },
    ),
    (
        "Celery with a beat, uploads elsewhere, translations, a page for health below others",
        {
            "requirements.txt": REQUIREMENTS + "celery==5.5\nredis==6\n",
            "shop/celery.py": 'from celery import Celery\napp = Celery("shop")\n',
            "shop/settings.py": SETTINGS
            + 'CELERY_BROKER_URL = os.environ["BROKER"]\nCELERY_BEAT_SCHEDULE = {}\nMEDIA_ROOT = BASE_DIR / "var" / "uploads"\n',
            "shop/urls.py": 'from django.urls import include, path\nurlpatterns = [path("api/", include("shop.api"))]\n',
            "shop/api.py": 'from django.urls import path\nurlpatterns = [path("orders/<int:id>/status/", x), path("health/", x)]\n',
            "shop/locale/de/LC_MESSAGES/django.po": "",
        },
        {
            "app.environment.BROKER": "${redis.url/2}",
            "app.health_path": "/api/health/",
            "media.root": "/app/var/uploads",
            "build.packages": ["gettext"],
            "build.commands": ["python manage.py compilemessages"],
            "processes.worker.command": "celery -A shop worker --loglevel info --concurrency 2",
            "processes.worker.resources.memory_mb": 512,
            "processes.beat.command": "celery -A shop beat --loglevel info --schedule /tmp/celerybeat-schedule",
        },
    ),
    (
        "packages of Node that are served, and a script that says what it writes",
        {
            "package.json": '{"scripts": {"build:css": "sass --no-source-map a.scss shop/static/a.css", "build-docs": "x"}}',
            "shop/settings.py": SETTINGS + 'STATICFILES_DIRS = (("node", os.path.join(BASE_DIR, "node_modules")),)\n',
        },
        {
            "assets.directory": ".",
            "assets.outputs": ["node_modules", "shop/static/a.css"],
            "assets.build": ["npm run build:css"],
            "assets.install": "npm install && npm install --no-save sass",
        },
    ),
    (
        "packages of Node that are served, and nothing to build",
        {
            "theme/package.json": '{"dependencies": {"bootstrap": "5.3.8"}}',
            "shop/settings.py": SETTINGS + 'STATICFILES_DIRS = [BASE_DIR / "theme" / "node_modules"]\n',
        },
        {"assets.directory": "theme", "assets.outputs": ["theme/node_modules"], "assets.build": ["true"]},
    ),
    (
        "a script `build` that says what it writes",
        {"package.json": '{"scripts": {"build": "tailwindcss -i a.css -o ./shop/static/a.css --minify"}}'},
        {
            "assets.directory": ".",
            "assets.outputs": ["shop/static/a.css"],
            "assets.build": None,
            "assets.install": None,
        },
    ),
    (
        "commands that uWSGI runs beside the web",
        {
            "docker/uwsgi.ini": "[uwsgi]\nif-not-env = PORT\nsocket = :1\nendif =\nattach-daemon = ./manage.py watch --loop\n"
            "attach-daemon = ./manage.py other\nif-env = PORT\nattach-daemon = ./manage.py mail --port %(_)\n"
            "attach-daemon = ./manage.py mail\nendif =\n",
            "shop/management/commands/watch.py": "",
            "shop/management/commands/mail.py": "",
        },
        {
            "processes.watch.command": "python manage.py watch --loop",
            "processes.other.command": None,
            "processes.mail.command": None,
        },
    ),
    (
        "a cache in the database, and a command that asks again and again but never waits",
        {
            "shop/settings.py": SETTINGS
            + 'CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}\n',
            "shop/management/commands/ask.py": "class Command:\n    def handle(self):\n        while True:\n            input()\n",
        },
        {"release.commands": ["python manage.py createcachetable"], "processes.ask.command": None},
    ),
    (
        "a domain that settings make an origin of",
        {
            "shop/settings.py": SETTINGS
            + 'DOMAIN = os.environ["DOMAIN"]\nBASE_URL = f"https://{DOMAIN}"\nCSRF_TRUSTED_ORIGINS = [BASE_URL]\n'
        },
        {"app.environment.DOMAIN": "${domain}"},
    ),
    (
        "an app of Celery with the settings for developers",
        {
            "requirements.txt": REQUIREMENTS + "celery==5.5\nredis==6\n",
            "shop/celery.py": 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.local")\napp = Celery("shop")\n',
            "shop/local.py": "from shop.settings import *\n",
        },
        {"processes.worker.command": "celery -A shop worker --loglevel info --concurrency 2"},
    ),
    (
        "two apps of Celery, of which a worker is started with one, with queues and settings of its own",
        {
            "requirements.txt": REQUIREMENTS + "celery==5.5\nredis==6\n",
            "compose.yaml": "services:\n  worker:\n    command: celery -A background worker -l info -Q mail,pictures\n",
            "shop/tasks.py": 'from celery import Celery\napp = Celery("tasks")\nadd_periodic_task = 1\n',
            "background/__init__.py": "",
            "background/celery.py": "import os\nfrom celery import Celery\nfrom . import settings\n"
            'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "background.settings")\napp = Celery("background")\n',
            "background/settings.py": 'from shop.settings import *\nCELERY_BROKER_URL = env("BROKER")\n',
            "shop/settings.py": SETTINGS + "from environs import Env\nenv = Env()\n",
        },
        {
            "app.settings_module": "shop.settings",
            "app.environment.BROKER": "${redis.url/2}",
            "processes.worker.command": "env DJANGO_SETTINGS_MODULE=background.settings celery -A background worker "
            "--loglevel info --concurrency 2 --queues mail,pictures",
            "processes.beat.command": "env DJANGO_SETTINGS_MODULE=background.settings celery -A background beat "
            "--loglevel info --schedule /tmp/celerybeat-schedule",
        },
    ),
    (
        "RQ with two queues",
        {
            "shop/settings.py": SETTINGS.replace('"django.contrib.staticfiles"', '"django_rq"')
            + 'RQ_QUEUES = {"default": {"URL": os.environ["RQ_REDIS_URL"]}, "mail": {"URL": os.environ["RQ_REDIS_URL"]}}\n',
            "requirements.txt": REQUIREMENTS + "django-rq==3\n",
        },
        {
            "processes.worker.command": "python manage.py rqworker default mail --with-scheduler",
            "app.environment.RQ_REDIS_URL": "${redis.url/5}",
        },
    ),
    (
        "uploads that DEBUG decides about, parts of the address of Redis, groups of dependencies alone",
        {
            "requirements.txt": None,
            "pyproject.toml": '[dependency-groups]\ndev = ["pytest"]\nmain = ["Django==5.2", "redis==6", "psycopg==3"]\n',
            "shop/settings.py": SETTINGS
            + 'DEBUG = os.environ.get("DJANGO_DEBUG", "1") == "1"\n'
            + 'MEDIA_ROOT = BASE_DIR / "media" if DEBUG else Path("/data/media")\n'
            + 'HOST = os.environ.get("REDIS_FEED_HOST", "localhost")\n'
            + 'INDEX = os.environ.get("REDIS_FEED_DB_INDEX", "0")\n'
            + 'CACHES = {"default": {"LOCATION": f"redis://{HOST}/{INDEX}"}}\n',
        },
        {
            "app.environment.DJANGO_DEBUG": "0",
            "app.environment.REDIS_FEED_HOST": "${redis.host}",
            "media.root": "/data/media",
            "dependencies.groups": ["main"],
        },
    ),
    (
        "a Python that Slipway does not have",
        {"pyproject.toml": '[project]\nname = "x"\nrequires-python = "~=3.9.0"\n'},
        {"build.base_image": "python:3.9-slim-bookworm", "app.python": None},
    ),
    (
        "static files that are kept elsewhere, if there is a bucket",
        {
            "shop/settings.py": SETTINGS
            + 'BUCKET = os.environ.get("BUCKET")\nif BUCKET:\n    STATICFILES_STORAGE = "storages.backends.s3boto3.S3Storage"\n'
        },
        {"build.collect_static": None},
    ),
    (
        "static files that are kept elsewhere, where the project is deployed",
        {
            "shop/settings.py": SETTINGS
            + 'DEBUG = bool(os.environ.get("DEBUG"))\nif not DEBUG:\n    STATICFILES_STORAGE = "storages.backends.s3boto3.S3Storage"\n'
        },
        {"build.collect_static": "never"},
    ),
    (
        "a dependency whose name ends with git",
        {
            "requirements.txt": None,
            "pyproject.toml": '[tool.poetry.dependencies]\ndjango-taggit = "1.3.0"\n',
            "poetry.lock": '[[package]]\nname = "django"\nversion = "5.2.19"\n',
        },
        {"build.packages": None},
    ),
    (
        "a dependency from git",
        {"requirements.txt": REQUIREMENTS + "prices @ git+https://git.example.org/prices.git@v1\n"},
        {"build.packages": ["git"]},
    ),
    (
        "packages of Node that a finder looks for",
        {
            "package.json": '{"dependencies": {"inter-ui": "3"}}',
            "shop/settings.py": SETTINGS + 'STATICFILES_FINDERS = ["npm.finders.NpmFinder"]\n',
        },
        {"assets.directory": ".", "assets.outputs": ["node_modules"], "assets.build": ["true"]},
    ),
    (
        "assets that scripts and Rollup name, beside folders that are filled later",
        {
            "package.json": '{"scripts": {"build": "rollup -c && npm run build-css", "build-css": "postcss -o shop/static/a.css a.css"}}',
            "rollup.config.mjs": 'export default {output: {file: "shop/static/bundle.js"}}',
            "shop/settings.py": SETTINGS + 'STATICFILES_DIRS = [BASE_DIR / "data" / "favicons"]\n',
        },
        {"assets.outputs": ["shop/static/a.css", "shop/static/bundle.js"]},
    ),
    (
        "settings that stand for those of a developer where they are there, and a module that is whatever it is",
        {
            "shop/settings.py": None,
            "shop/settings/__init__.py": "try:\n    from .dev import *\nexcept:\n    from .prod import *\n",
            "shop/settings/dev.py": "from .base import *\n",
            "shop/settings/base.py": SETTINGS,
            "shop/settings/prod.py": "from .base import *\nfrom .custom import *\n",
            "docker-compose.yml": "services:\n  shop:\n    image: example/shop:latest\n",
        },
        {
            "app.settings_module": "shop.settings.prod",
            "app.files./app/shop/settings/custom.py": "# .custom, which settings take over: what only this environment says\n",
        },
    ),
    (
        "a database that is put together before it is named",
        {
            "shop/settings.py": SETTINGS.replace('DATABASES = {"default": dj_database_url.config()}\n', "")
            + 'ENGINE = os.getenv("ENGINE", "sqlite")\nWHERE = os.getenv("WHERE", "localhost")\n'
            + 'if ENGINE == "postgres":\n    database = {"ENGINE": "django.db.backends.postgresql", "HOST": WHERE}\n'
            + 'else:\n    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}\n'
            + 'DATABASES = {"default": database}\n',
        },
        {
            "app.settings_module": "shop.settings",
            "app.environment.ENGINE": "postgres",
            "app.environment.WHERE": "${database.host}",
        },
    ),
    (
        "an address of a database that settings take apart",
        {
            "shop/settings.py": SETTINGS.replace(
                "dj_database_url.config()",
                '{"PORT": os.environ["DATABASE_URL"].split(":")[3], "HOST": os.environ["DATABASE_URL"][8:], "NAME": os.environ["DB"]}',
            ),
            "shop/management/commands/migrate.py": "",
            "Procfile": "release: python manage.py migrate\n",
        },
        {"app.environment.DATABASE_URL": "${database.url}", "app.environment.DB": "${database.name}"},
    ),
    (
        "an old Django, and requirements in an unusual place",
        {"requirements.txt": None, "deploy/requirements.txt": "Django==3.2.25\n"},
        {
            "app.python": "3.11",
            "dependencies.files": ["deploy/requirements.txt"],
            "dependencies.packages": ["psycopg2-binary"],
        },
    ),
]


@pytest.mark.parametrize(("files", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_found(files: dict[str, str], wanted: dict[str, object], tmp_path: Path) -> None:
    """Each shape of a project gives its settings; a key that is None is not needed. The file with them is valid."""
    found = seen(tree(tmp_path, files))
    got = values(found)
    assert {key: got.get(key) for key in wanted} == wanted
    parsed(found)


def test_settings_that_hold_everything_are_taken_over(tmp_path: Path) -> None:
    """A project as `django-admin startproject` makes it is deployed unchanged: a module of the stack says it differently."""
    root = tree(
        tmp_path,
        {
            "requirements.txt": "Django==5.2.19\n",
            "shop/settings.py": """\
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = 'django-insecure'
DEBUG = True
ALLOWED_HOSTS = []
ROOT_URLCONF = 'shop.urls'
DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': BASE_DIR / 'db.sqlite3'}}
CELERY_BROKER_URL = 'redis://localhost:6379'
""",
        },
    )
    found = seen(root)
    got = values(found)
    assert got["app.settings_module"] == "slipway_settings"
    assert got["app.wsgi_module"] == "shop.wsgi:application"
    assert got["app.files./app/slipway_settings.py"] == (
        '"""The settings of shop.settings, with what this environment knows better."""\n'
        "from shop.settings import *\n"
        "\n"
        "SECRET_KEY = ${secrets.django_key.json}\n"
        'ALLOWED_HOSTS = "${allowed_hosts}".split(",")\n'
        "DEBUG = False\n"
        'DATABASES = {**DATABASES, "default": ${database.json}}\n'
        "CELERY_BROKER_URL = ${redis.url/2.json}\n"
        'CSRF_TRUSTED_ORIGINS = "${trusted_origins}".split(",")\n'
        'SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")\n'
    )
    said = parsed(found)
    assert said["app"]["files"]["/app/slipway_settings.py"] == got["app.files./app/slipway_settings.py"]
    assert said["dependencies"]["packages"] == ["psycopg[binary]"]


CONFIGURATION = """\
SECRET_KEY = ""
ALLOWED_HOSTS = []
DATABASE = {"NAME": "shop", "USER": ""}
REDIS = {"tasks": {"HOST": "localhost", "DATABASE": 0}, "caching": {"HOST": "localhost", "DATABASE": 1}}
PAGES = 20
"""


def test_a_module_that_only_has_an_example_is_brought(tmp_path: Path) -> None:
    """What version control does not have is written as its example is, with what the environment knows."""
    root = tree(
        tmp_path,
        {
            "shop/settings.py": """\
import importlib
configuration = importlib.import_module("shop.configuration")
SECRET_KEY = getattr(configuration, "SECRET_KEY")
ALLOWED_HOSTS = getattr(configuration, "ALLOWED_HOSTS")
DATABASES = {"default": getattr(configuration, "DATABASE")}
MEDIA_ROOT = getattr(configuration, "MEDIA_ROOT", somewhere()).rstrip("/")
ROOT_URLCONF = "shop.urls"
""",
            "shop/configuration_example.py": CONFIGURATION,
        },
    )
    found = seen(root)
    assert values(found)["app.files./app/shop/configuration.py"] == (
        '"""What shop.configuration has to say, as configuration_example.py does, with what this environment knows better."""\n'
        "from shop.configuration_example import *\n"
        "\n"
        "SECRET_KEY = ${secrets.django_key.json}\n"
        'ALLOWED_HOSTS = "${allowed_hosts}".split(",")\n'
        "DATABASE = ${database.json}\n"
        'REDIS = {key: {**each, **{"HOST": ${redis.host.json}, "PORT": ${redis.port}, "PASSWORD": ${redis.password.json}}}'
        " for key, each in REDIS.items()}\n"
        'MEDIA_ROOT = "/srv/media"\n'
    )
    assert values(found)["app.settings_module"] == "shop.settings"
    assert values(found)["media.root"] == "/srv/media"
    assert found.missing == ()
    parsed(found)


@pytest.mark.parametrize("name", ["local.example.py", "local.py.sample", "sample_local.py", "local.py-dist"])
def test_names_of_examples(name: str, tmp_path: Path) -> None:
    """An example that cannot be imported by its name is taken over as text, and what it says is known to everything else."""
    example = 'KEY = "${NAME}"\nMEDIA_ROOT = "/data/uploads"\nREDIS = {"HOST": "localhost", "PORT": 6379}\n'
    root = tree(tmp_path, {"shop/settings.py": SETTINGS + "from .local import *\n", f"shop/{name}": example})
    found = seen(root)
    module = str(values(found)["app.files./app/shop/local.py"])
    assert module.endswith(
        'REDIS = {**REDIS, **{"HOST": ${redis.host.json}, "PORT": ${redis.port}, "PASSWORD": ${redis.password.json}}}\n'
    )
    taken = "from shop.sample_local import *" if name == "sample_local.py" else example.replace("${NAME}", "$${NAME}")
    assert taken in module
    assert values(found)["media.root"] == "/data/uploads"
    parsed(found)


def test_an_example_of_what_may_be_missing_is_left_alone(tmp_path: Path) -> None:
    """Nothing is brought for a module that settings try to import, or that is there."""
    tried = SETTINGS + "try:\n    from .local import *\nexcept ImportError:\n    pass\n"
    there = SETTINGS + "from .local import *\n"
    for number, files_ in enumerate(
        ({"shop/settings.py": tried}, {"shop/settings.py": there, "shop/local.py": "A = 1\n"})
    ):
        found = seen(tree(tmp_path / str(number), {**files_, "shop/local.example.py": "MEDIA_ROOT = x()\n"}))
        assert not [each for each in values(found) if each.startswith("app.files")]
        assert found.missing == ()


@pytest.mark.parametrize(
    "key", ["get_random_secret_key()", 'Path("/data/key").read_text()', 'os.environ["KEY"] or secrets.token_hex()']
)
def test_a_key_that_is_made_up_is_replaced(key: str, tmp_path: Path) -> None:
    """Every process has the same key, also where a project would make one for each."""
    settings = SETTINGS.replace('os.environ["SECRET_KEY"]', key)
    module = str(values(seen(tree(tmp_path, {"shop/settings.py": settings}))).get("app.files./app/slipway_settings.py"))
    assert ("SECRET_KEY = ${secrets.django_key.json}\n" in module) == ("environ" not in key)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"shop/urls.py": "urlpatterns = []\n"}, "no page that is meant for health checks"),
        (
            {"shop/settings.py": SETTINGS + "from .local import *\n"},
            (
                "the module .local, which settings import and version control does not have -> its text below slipway:app.files, "
                "as /app/shop/local.py"
            ),
        ),
        ({"shop/settings.py": SETTINGS + 'X = open("/etc/shop.ini")\n'}, "the file /etc/shop.ini, which settings read"),
        (
            {"shop/settings.py": SETTINGS + 'X = os.environ["CODE"]\n'},
            (
                "the value of CODE, which settings cannot do without -> "
                "pulumi config set --path slipway:app.environment.CODE VALUE --stack dev"
            ),
        ),
        (
            {"shop/settings.py": SETTINGS + 'X = os.environ["API_TOKEN"]\n'},
            "the values of secrets:api_token -> python -m pipeline secrets init dev",
        ),
        ({"requirements.txt": None}, "no file says what the project depends on"),
        (
            {"requirements.txt": None, "shop/urls.py": "import zeep\n" + URLS},
            "the package that has the module zeep -> its name beside the others in slipway:dependencies.packages of stack dev",
        ),
        ({"requirements.txt": None, "Pipfile": "[packages]\n"}, "Pipfile has no Pipfile.lock beside it"),
        ({"requirements.txt": "Django\nmysqlclient\n"}, "the project is made for MySQL, and Slipway runs PostgreSQL"),
        (
            {"shop/settings.py": SETTINGS + 'MEDIA_URL = "https://files.example.org/"\n'},
            "MEDIA_URL is https://files.example.org/, and the edge serves uploads at /media/ -> another MEDIA_URL",
        ),
        (
            {"shop/settings.py": SETTINGS + 'STATIC_URL = "https://static.example.org/"\n'},
            "STATIC_URL is https://static.example.org/, and the edge serves static files at /static/ -> another STATIC_URL",
        ),
        (
            {
                "docker-compose.yml": "services:\n  search:\n    image: elasticsearch:8.15.0\n  db:\n    image: postgres:17\n"
            },
            (
                "elasticsearch runs beside the project: settings have to say where it is -> "
                "slipway:services.search with the image elasticsearch:8.15.0"
            ),
        ),
        ({"shop/settings.py": SETTINGS + "MEDIA_ROOT = somewhere()\n"}, "where uploads go: MEDIA_ROOT is no path"),
        (
            {
                "shop/management/commands/watch.py": "class Command:\n    def handle(self):\n        while True:\n            sleep(1)\n"
            },
            "whether `python manage.py watch` has to run all the time: it loops",
        ),
        (
            {"entrypoint.sh": "python manage.py seed-all --all\n", "shop/management/commands/seed-all.py": ""},
            (
                "whether `python manage.py seed-all --all` has to run at each release, or once -> "
                "slipway:release.commands, or slipway:release.once, with `python manage.py seed-all --all`"
            ),
        ),
        (
            {
                "Dockerfile": "RUN python manage.py collectstatic && ./manage.py compile_themes\n",
                "shop/management/commands/compile_themes.py": "",
            },
            (
                "whether `python manage.py compile_themes` has to run while the image is built -> "
                "slipway:build.commands with `python manage.py compile_themes`"
            ),
        ),
        ({"other/manage.py": MANAGE.format(module="x")}, "there is also other/manage.py"),
        (
            {".python-version": "3.6", "pyproject.toml": '[project]\nname="x"\nrequires-python="<3.7"\n'},
            "the project wants Python <3.7, and Slipway has 3.11, 3.12, 3.13, 3.14 -> slipway:build.base_image",
        ),
        (
            {
                "shop/settings.py": SETTINGS
                + 'LOGGING = {"handlers": {"a": {"class": "logging.FileHandler", "filename": "a.log"}}}\n'
            },
            "the log handler a writes a file",
        ),
    ],
)
def test_what_is_not_found_is_said_with_what_to_do(files: dict[str, str], said: str, tmp_path: Path) -> None:
    """Nothing is left for the first update to find out."""
    found = seen(tree(tmp_path, files))
    assert said in missing(found)
    content = text(found, name="shop", near_schema=True)
    assert "# To do:\n" in content


def test_hosts_of_git_by_ssh_are_named_once(tmp_path: Path) -> None:
    """With and without a port, in the form without a scheme; not those of remarks and of git by HTTP."""
    lines = """\
a @ git+ssh://git@git.example.org/team/a.git@v1
b @ git+ssh://git@git.example.org/team/b.git@v1
-e git+ssh://me@other.example.org:2222/c.git#egg=c
d @ git+git@short.example.org:team/d.git
e @ git+https://git@web.example.org/e.git
# f @ git+ssh://git@gone.example.org/f.git
"""
    found = seen(tree(tmp_path, {"requirements.txt": REQUIREMENTS + lines}))
    [only] = [each for each in found.missing if "SSH" in each.what]
    assert only.what == (
        "dependencies come from git by SSH, and nothing says the public keys of "
        "git.example.org, other.example.org, short.example.org"
    )
    assert only.do == (
        "pulumi config set --path slipway:dependencies.ssh_hosts "
        '"$(ssh-keyscan git.example.org; ssh-keyscan -p 2222 other.example.org; ssh-keyscan short.example.org)" '
        "--stack dev   # beside what is there; first compare it with what the owner of the host says"
    )
    assert str(only.place) == "requirements.txt:4"
    assert "SSH" not in missing(seen(tree(tmp_path / "b", {"requirements.txt": REQUIREMENTS})))


def test_a_server_of_websockets_is_seen(tmp_path: Path) -> None:
    """Channels asks for ASGI, and the routes say where websockets are."""
    found = seen(
        tree(
            tmp_path,
            {
                "shop/settings.py": SETTINGS.replace('"django.contrib.staticfiles"', '"channels"')
                + 'ASGI_APPLICATION = "shop.routing.application"\n',
                "shop/routing.py": 'websocket_urlpatterns = [re_path(r"^live/(?P<room>\\w+)/$", x)]\n'
                "application = ProtocolTypeRouter({})\n",
            },
        )
    )
    assert values(found)["web.server"] == "uvicorn"
    assert values(found)["app.asgi_module"] == "shop.routing:application"
    sockets = [each for each in server.find(found.project) if isinstance(each, Setting) and each.path[0] == "edge"]
    assert [(each.value, str(each.place)) for each in sockets] == [(["/live/"], "shop/routing.py:1")]
    parsed(found)


@pytest.mark.parametrize(
    ("folder", "extra", "outputs"),
    [
        ("frontend", {"frontend/vite.config.ts": 'export default {build: {outDir: "../shop/built"}}'}, ["shop/built"]),
        ("", {"shop/settings.py": SETTINGS + 'STATICFILES_DIRS = [BASE_DIR / "dist", BASE_DIR / "shop"]\n'}, ["dist"]),
        (
            "",
            {
                "webpack/common.config.js": "module.exports = {\n  output: {\n    path: path.resolve(\n      __dirname,\n"
                "      '../shop/static/bundles/',\n    ),\n  },\n"
                "  plugins: [new BundleTracker({ path: path.join(__dirname, '../'), filename: 'webpack-stats.json' })],\n};\n"
            },
            ["shop/static/bundles", "webpack-stats.json"],
        ),
        (
            "ui",
            {
                "ui/webpack.config.js": 'module.exports = { output: { filename: "x.js", path: path.join(__dirname, "out") } }'
            },
            ["ui/out"],
        ),
        ("theme", {}, None),
    ],
)
def test_assets(folder: str, extra: dict[str, str], outputs: list[str] | None, tmp_path: Path) -> None:
    """Where Node builds and what it makes, as settings or its tool name it; else it is asked for."""
    package = f"{folder}/package.json" if folder else "package.json"
    project = seen(tree(tmp_path, {package: '{"scripts": {"build": "vite build"}}', **extra})).project
    found = {each.path: each for each in files.find(project) if isinstance(each, Setting)}
    directory = found["assets", "directory"]
    assert (directory.value, directory.asked) == (folder or ".", outputs is not None)
    assert directory.otherwise == (
        "package.json builds assets (vite build): what it makes has to be in the project, or made by a Dockerfile of its own"
    )
    if outputs is not None:
        assert found["assets", "outputs"].value == outputs


def test_addresses_of_files(tmp_path: Path) -> None:
    """Where the project expects static files and uploads is said in the words of the edge."""
    said = SETTINGS.replace('"/static/"', '"assets/"') + 'MEDIA_URL = "files/"\n'
    found = {
        each.path: each
        for each in files.find(seen(tree(tmp_path, {"shop/settings.py": said})).project)
        if isinstance(each, Setting)
    }
    assert found["static", "url"].value == "/assets/"
    assert found["static", "url"].otherwise == "STATIC_URL is assets/, and the edge serves static files at /static/"
    assert found["media", "url"].value == "/files/"


def test_a_finding_ahead_of_the_model_becomes_what_to_do(tmp_path: Path) -> None:
    """A setting that this version does not have is never written."""
    project = seen(tree(tmp_path)).project
    ahead = Setting(path=("rocket", "fuel"), value="much", why="it flies", otherwise="it would fly")
    silent = Setting(path=("rocket", "colour"), value="red", why="it is red")
    found = report(project, [ahead, silent])
    assert found.settings == ()
    assert [each.what for each in found.missing] == ["it would fly"]


@pytest.mark.parametrize(
    ("version", "wanted", "fits"),
    [
        ("3.12", ">=3.11", True),
        ("3.13", ">=3.11,<3.13", False),
        ("3.12", "^3.11", True),
        ("3.13", "~3.12", False),
        ("3.11", "~=3.11", True),
        ("3.13", "3.12.*", False),
        ("3.12", "3", True),
        ("3.12", ">3.11,!=3.12", False),
        ("3.12", "<=3.12", True),
        ("3.13", "<4.0,>=3.8", True),
    ],
)
def test_versions_of_python(version: str, wanted: str, fits: bool) -> None:  # noqa: FBT001 - what is expected
    """Specifiers of packages and of Poetry are read alike."""
    assert python.fits(version, wanted) is fits


# The command --------------------------------------------------------------------------------------------------------


def run(root: Path, *arguments: str) -> tuple[int, str, str]:
    """Run the command in a repository of its own; give its exit code and what it printed."""
    (root / "stacks").mkdir(exist_ok=True)
    console = Console(io.StringIO(), io.StringIO())
    parsed_ = command_line.parser().parse_args(["init", *arguments])
    code = command.run(parsed_, console, root)
    assert isinstance(console.out, io.StringIO)
    assert isinstance(console.err, io.StringIO)
    return code, console.out.getvalue(), console.err.getvalue()


def test_the_file_is_written_and_said(tmp_path: Path) -> None:
    """What was found is printed with its place, and what comes next."""
    project = tree(tmp_path)
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    code, out, _ = run(tmp_path, str(project), "--stack", "staging")
    assert code == 0
    assert (
        "    app.health_path                    /healthz                        a page for health checks, shop/urls.py:2\n"
        in out
    )
    assert "Wrote stacks/Pulumi.staging.yaml. Next:\n  python -m pipeline secrets init staging " in out
    content = (tmp_path / "stacks/Pulumi.staging.yaml").read_text()
    assert content.startswith(
        "# yaml-language-server: $schema=schema.json\n# Written by `python -m pipeline init` for shop;"
    )
    assert "  slipway:environment: staging\n" in content
    assert "  slipway:domain: shop.example.org\n" in content
    assert "    health_path: /healthz # a page for health checks, shop/urls.py:2\n" in content
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_a_file_is_not_overwritten_and_its_secrets_are_kept(tmp_path: Path) -> None:
    """Without --force nothing happens to a file that is there; with it, its secrets stay."""
    project = tree(tmp_path)
    (tmp_path / "stacks").mkdir()
    file = tmp_path / "stacks/Pulumi.dev.yaml"
    old = "encryptionsalt: v1:abc\nconfig:\n  slipway:environment: review\n  secrets:token:\n    secure: v1:xyz\n"
    file.write_text(old)
    with pytest.raises(PipelineError) as error:
        run(tmp_path, str(project))
    assert str(error.value) == (
        "stacks/Pulumi.dev.yaml is there already\n"
        "  allowed: a stack that has no file yet, or --force, which keeps nothing of it but secrets\n"
        f"  mend:    python -m pipeline init {project} --stack OTHER\n"
        f"           python -m pipeline init {project} --stack dev --force   # writes over it"
    )
    assert file.read_text() == old
    run(tmp_path, str(project), "--force")
    now = yaml.safe_load(file.read_text())
    assert now["encryptionsalt"] == "v1:abc"
    assert now["config"]["secrets:token"] == {"secure": "v1:xyz"}
    assert now["config"]["slipway:environment"] == "dev"


def test_for_programs(tmp_path: Path) -> None:
    """--json has each setting with its place, what is missing, and the text; --output - writes nothing."""
    project = tree(tmp_path, {"shop/urls.py": "urlpatterns = []\n"})
    _, out, _ = run(tmp_path, str(project), "--json")
    told = json.loads(out)
    assert told["file"] == "stacks/Pulumi.dev.yaml"
    assert {
        "key": "slipway:app.environment.SECRET_KEY",
        "value": "${secrets.django_key}",
        "why": "",
        "place": "shop/settings.py:5",
        "asked": True,
    } in told["settings"]
    assert told["missing"][0]["do"].startswith("pulumi config set --path slipway:app.health_path /PATH --stack dev")
    assert told["text"] == (tmp_path / "stacks/Pulumi.dev.yaml").read_text()
    _, shown, _ = run(tmp_path, str(project), "--stack", "other", "--output", "-")
    assert shown.startswith("# Written by")
    assert not (tmp_path / "stacks/Pulumi.other.yaml").exists()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"manage.py": None}, "has no manage.py of Django, nor has a folder in it"),
        (
            {"manage.py": "import os # DJANGO_SETTINGS_MODULE\n", "shop/settings.py": None, "shop/wsgi.py": None},
            "names no settings module",
        ),
    ],
)
def test_what_is_no_project(files: dict[str, str], said: str, tmp_path: Path) -> None:
    """It is said what was looked for, and what is allowed."""
    with pytest.raises(PipelineError) as error:
        seen(tree(tmp_path, files))
    assert said in str(error.value)
    assert "mend:" in str(error.value)
    with pytest.raises(PipelineError, match="is no folder"):
        seen(tmp_path / "nowhere")


def test_strange_files_stop_nothing(tmp_path: Path) -> None:
    """A file that is no Python, no TOML, no YAML or no text is passed over."""
    root = tree(
        tmp_path,
        {
            "shop/broken.py": "def (:\n",
            "docker-compose.yml": "a: [\n",
            "package.json": "{",
            "Procfile": "::::\nworker: python manage.py work\n",
            "runtime.txt": "nonsense",
        },
    )
    (root / "shop/binary.py").write_bytes(b"\x00\xff\xfe")
    found = seen(root)
    assert values(found)["processes.worker.command"] == "python manage.py work"
    parsed(found)


def test_what_would_stop_an_update_is_said(tmp_path: Path) -> None:
    """The file is held against the settings before it is written."""
    left = command.problems("config:\n  slipway:environment: dev\n", "dev", tmp_path)
    assert any(each.what.startswith("slipway:app") for each in left)
    with pytest.raises(SettingsError):
        check({"environment": "dev"}, "dev")


@pytest.mark.parametrize(
    ("parts", "is_given"),
    [
        ('"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["NAME"], "HOST": "localhost"', True),
        (
            '"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["NAME"], "HOST": SECRETS.get("host", "")',
            True,
        ),
        ('"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("FILE", "db.sqlite3")', True),
        ('"ENGINE": "django.db.backends.postgresql", "NAME": "shop", "HOST": os.environ["HOST"]', False),
        ('"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["NAME"], "HOST": "db.example.org"', False),
        ('"ENGINE": os.environ["ENGINE"], "NAME": os.environ["NAME"]', False),
    ],
)
def test_a_database_whose_host_nothing_says(parts: str, is_given: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """Variables for the name or the password alone lead to no server: the database of the stack takes the whole place."""
    line = 'DATABASES = {"default": dj_database_url.config()}'
    settings = SETTINGS.replace(line, f"SECRETS = some()\nDATABASES = {{'default': {{{parts}}}}}")
    got = values(seen(tree(tmp_path, {"shop/settings.py": settings})))
    said = str(got.get("app.files./app/slipway_settings.py", ""))
    assert ('DATABASES = {**DATABASES, "default": ${database.json}}' in said) is is_given


@pytest.mark.parametrize("folder", ["sandbox", "demo/site"])
def test_a_project_in_a_folder_for_trying(folder: str, tmp_path: Path) -> None:
    """What lies beside the chosen ``manage.py`` is the project, also where its folder sounds like an example."""
    usual = {"shop/__init__.py": "", "shop/settings.py": SETTINGS, "shop/urls.py": URLS}
    there = {
        **usual,
        "manage.py": MANAGE.format(module="shop.settings"),
        "wsgi.py": WSGI.format(module="shop.settings"),
    }
    files: dict[str, Any] = {**dict.fromkeys([*usual, "manage.py", "shop/wsgi.py"]), "docs/conf.py": ""}
    settings = SETTINGS.replace('WSGI_APPLICATION = "shop.wsgi.application"', "")
    found = seen(
        tree(
            tmp_path,
            {
                **files,
                **{f"{folder}/{path}": text for path, text in there.items()},
                f"{folder}/shop/settings.py": settings,
            },
        )
    )
    got = values(found)
    assert got["app.directory"] == folder
    assert got["app.wsgi_module"] == "wsgi:application"
    assert got["app.health_path"] == "/healthz"
    assert "no WSGI application" not in missing(found)


@pytest.mark.parametrize(("stack", "said"), [("dev", "False"), ("prod", None)])
def test_a_redirect_to_https_is_off_where_nothing_speaks_it(stack: str, said: str | None, tmp_path: Path) -> None:
    """This machine is asked over plain HTTP: a project that redirects would show nothing."""
    line = 'SECURE_SSL_REDIRECT = os.environ.get("TO_HTTPS", "True") == "True"\n'
    read = seen(tree(tmp_path / "read", {"shop/settings.py": SETTINGS + line}), stack)
    assert values(read).get("app.environment.TO_HTTPS") == said
    fixed = seen(tree(tmp_path / "fixed", {"shop/settings.py": SETTINGS + "SECURE_SSL_REDIRECT = True\n"}), stack)
    text_ = str(values(fixed).get("app.files./app/slipway_settings.py"))
    assert ("SECURE_SSL_REDIRECT = False\n" in text_) is (said is not None)


@pytest.mark.parametrize(
    ("files", "key", "expected"),
    [
        ({"requirements.txt": "Django==5.2.19\npsycopg[binary]\n"}, "packages", ["django-environ"]),
        ({"requirements.txt": "Django==5.2.19\npsycopg[binary]\ndjango_environ\n"}, "packages", None),
        (
            {
                "requirements.txt": None,
                "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["django"]\n[project.optional-dependencies]\n'
                'docs = ["sphinx"]\nsite = ["django-environ>=0.4,<0.13"]\n',
            },
            "extras",
            ["site"],
        ),
    ],
)
def test_what_settings_import_and_nothing_asks_for(
    files: dict[str, Any], key: str, expected: list[str] | None, tmp_path: Path
) -> None:
    """An extra that has it comes before its name; a lock is taken as it is."""
    settings = SETTINGS.replace("import dj_database_url\n", "import environ\n").replace(
        "dj_database_url.config()", "{}"
    )
    got = values(seen(tree(tmp_path, {**files, "shop/settings.py": settings})))
    assert got.get(f"dependencies.{key}") == expected


WHEELS = """\
[[package]]
name = "{name}"
version = "1.0"
wheels = [{{ url = "https://files.example.org/{name}-1.0-{tag}.whl" }}]
"""


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"requirements.txt": "Django==5.1.1\npsycopg2-binary==2.9.9\n"}, "3.12"),
        ({"requirements.txt": "Django==5.1.1\npsycopg2-binary==2.9.9\n", ".python-version": "3.13"}, "3.13"),
        ({"requirements.txt": "Django==5.1.1\npsycopg2-binary==2.9.10\n"}, None),
        ({"requirements.txt": "Django==5.1.1\npsycopg2-binary>=2.9.9\n"}, None),
        ({"requirements.txt": "Django==4.2.1\npillow==9.5.0\n"}, "3.11"),
        ({"requirements.txt": "Django==4.2.1\npillow==10.3.0\n"}, "3.12"),
        ({"uv.lock": WHEELS.format(name="a", tag="cp312-cp312-manylinux_2_17_x86_64")}, "3.12"),
        ({"uv.lock": WHEELS.format(name="a", tag="cp312-cp312-win_amd64")}, None),
        ({"uv.lock": WHEELS.format(name="a", tag="cp38-abi3-manylinux_2_17_x86_64")}, None),
        ({"uv.lock": WHEELS.format(name="a", tag="py3-none-any")}, None),
    ],
)
def test_a_python_that_fixed_packages_have_wheels_for(
    files: dict[str, str], expected: str | None, tmp_path: Path
) -> None:
    """What would have to be compiled is no reason for the newest Python; what the project names counts more."""
    written = {"pyproject.toml": '[project]\nname = "shop"\n', **files} if "uv.lock" in files else files
    assert values(seen(tree(tmp_path, written))).get("app.python") == expected


def test_a_django_that_no_python_of_today_runs(tmp_path: Path) -> None:
    """What cannot be deployed says so before anything is built."""
    found = seen(tree(tmp_path, {"requirements.txt": "Django==1.11.29\npsycopg2-binary==2.8.6\n"}))
    assert "a Python for Django 1.11.29: it runs on 3.10 or older, and Slipway has 3.11" in missing(found)


@pytest.mark.parametrize(
    ("requirements", "packages"),
    [
        ("Django==2.2.28\n", ["psycopg2<2.9"]),
        ("Django==3.2.25\n", ["psycopg2-binary"]),
        ("Django==4.2.1\n", ["psycopg[binary]"]),
        ("Django==2.2.28\npsycopg2-binary==2.8.6\n", None),
    ],
)
def test_the_driver_that_a_version_of_django_takes(
    requirements: str, packages: list[str] | None, tmp_path: Path
) -> None:
    """Django before 3.1 needs an old psycopg2, which has to be compiled."""
    got = values(seen(tree(tmp_path, {"requirements.txt": f"dj-database-url\n{requirements}"})))
    assert got.get("dependencies.packages") == packages
    assert got.get("build.runtime_packages") == (["libpq5"] if "Django==2" in requirements else None)


def test_a_project_without_any_list_of_dependencies_gets_what_it_imports(tmp_path: Path) -> None:
    """Django comes in the versions that wrote the settings; what a ``try`` guards is nothing that the project needs."""
    written = '"""Generated by \'django-admin startproject\' using Django 4.2.11."""\n'
    installs = SETTINGS.replace('["django', '["rest_framework", "crispy_forms.apps.Forms", "shop", "django')
    files: dict[str, Any] = {
        "requirements.txt": None,
        "shop/settings.py": written + installs,
        "shop/models.py": "try:\n    import pandas\nexcept ImportError:\n    pass\nphoto = models.ImageField()\n",
    }
    found = seen(tree(tmp_path, files))
    got = values(found)
    assert parsed(found)["dependencies"]["packages"] == [
        "django~=4.2.11",
        "djangorestframework",
        "django-crispy-forms",
        "dj-database-url",
        "pillow",
        "psycopg[binary]",
    ]
    assert got["app.python"] == "3.12"
    assert "no file says what the project depends on" in missing(found)
