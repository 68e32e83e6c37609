"""What a project imports, where none of its files says what it depends on: the packages that have it.

Only packages of the table are named to be installed: a name that was guessed may be anybody's package.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.init.finding import Place
from pipeline.init.scope import Scope
from pipeline.init.tree import Tree

DISTRIBUTIONS: Mapping[str, str] = {
    "PIL": "pillow",
    "allauth": "django-allauth",
    "bootstrap4": "django-bootstrap4",
    "bootstrap5": "django-bootstrap5",
    "bs4": "beautifulsoup4",
    "celery": "celery",
    "channels": "channels",
    "channels_redis": "channels-redis",
    "ckeditor": "django-ckeditor",
    "corsheaders": "django-cors-headers",
    "crispy_bootstrap4": "crispy-bootstrap4",
    "crispy_bootstrap5": "crispy-bootstrap5",
    "crispy_forms": "django-crispy-forms",
    "daphne": "daphne",
    "dateutil": "python-dateutil",
    "debug_toolbar": "django-debug-toolbar",
    "decouple": "python-decouple",
    "dj_database_url": "dj-database-url",
    "django_celery_beat": "django-celery-beat",
    "django_celery_results": "django-celery-results",
    "django_extensions": "django-extensions",
    "django_filters": "django-filter",
    "django_htmx": "django-htmx",
    "django_redis": "django-redis",
    "django_tables2": "django-tables2",
    "dotenv": "python-dotenv",
    "drf_spectacular": "drf-spectacular",
    "drf_yasg": "drf-yasg",
    "environ": "django-environ",
    "environs": "environs[django]",
    "graphene_django": "graphene-django",
    "guardian": "django-guardian",
    "import_export": "django-import-export",
    "jwt": "pyjwt",
    "markdown": "markdown",
    "mptt": "django-mptt",
    "ninja": "django-ninja",
    "numpy": "numpy",
    "oauth2_provider": "django-oauth-toolkit",
    "pandas": "pandas",
    "phonenumber_field": "django-phonenumber-field[phonenumbers]",
    "pytz": "pytz",
    "redis": "redis",
    "requests": "requests",
    "rest_framework": "djangorestframework",
    "rest_framework_simplejwt": "djangorestframework-simplejwt",
    "reversion": "django-reversion",
    "simple_history": "django-simple-history",
    "social_django": "social-auth-app-django",
    "storages": "django-storages",
    "stripe": "stripe",
    "taggit": "django-taggit",
    "tinymce": "django-tinymce",
    "wagtail": "wagtail",
    "whitenoise": "whitenoise",
    "widget_tweaks": "django-widget-tweaks",
    "yaml": "pyyaml",
}
"""Names that are imported, and the packages that have them."""

_WRITTEN = re.compile(r"""startproject["']? using Django (\d+\.\d+(?:\.\d+)?)""")
_OLDEST = "2.2.28"
"""The oldest Django that runs on a Python that Slipway has."""
_LISTS = ("INSTALLED_APPS", "MIDDLEWARE", "AUTHENTICATION_BACKENDS", "TEMPLATES")


@dataclass(frozen=True, kw_only=True)
class Undeclared:
    """What a project imports."""

    packages: Mapping[str, Place]
    """The packages that it needs, as they are asked for, and where that was seen."""
    unknown: Mapping[str, Place]
    """Names that it imports and that are in no package of the table."""


def find(tree: Tree, settings: Scope, where: tuple[str, ...]) -> Undeclared:
    """Find the packages that a project needs.

    Args:
        tree: the project.
        settings: what its settings assign.
        where: the folders that modules are imported from.
    """
    packages, unknown = dict([_django(tree, settings)]), dict[str, Place]()
    own = {part.removesuffix(".py") for place in where for part in _tops(tree, place)}
    for name, place in [*_installed(settings), *_imported(tree, tree.python), *_pictures(tree)]:
        if name in own or name in sys.stdlib_module_names or name in {"django", "psycopg", "psycopg2"}:
            continue
        if name in DISTRIBUTIONS:
            packages.setdefault(DISTRIBUTIONS[name], place)
        else:
            unknown.setdefault(name, place)
    return Undeclared(packages=packages, unknown=unknown)


def of_settings(tree: Tree, settings: Scope) -> dict[str, Place]:
    """Give the packages of the table that settings import or install, and where: without them nothing starts."""
    found: dict[str, Place] = {}
    for name, place in [*_installed(settings), *_imported(tree, [*settings.files])]:
        if name in DISTRIBUTIONS:
            found.setdefault(DISTRIBUTIONS[name], place)
    return found


def _django(tree: Tree, settings: Scope) -> tuple[str, Place]:
    """Give Django, in the versions beside the one that wrote the settings."""
    for file in settings.files:
        found = _WRITTEN.search(tree.text(file))
        if found:
            version = found[1] if found[1].count(".") > 1 else f"{found[1]}.0"
            if version.startswith(("1.", "2.0", "2.1")):
                version = _OLDEST
            return f"django~={version}", tree.line(file, found[0])
    return "django", Place([*settings.files][-1])


def _tops(tree: Tree, place: str) -> Iterator[str]:
    start = f"{place}/" if place else ""
    return (path.removeprefix(start).split("/")[0] for path in tree.files if path.startswith(start))


def _installed(settings: Scope) -> Iterator[tuple[str, Place]]:
    for name in _LISTS:
        place = settings.place(name)
        for text in settings.texts(name):
            if place is not None and re.fullmatch(r"[A-Za-z_]\w*(\.\w+)*", text):
                yield text.split(".")[0], place


def _imported(tree: Tree, files: Sequence[str]) -> Iterator[tuple[str, Place]]:
    """Give the modules that the project cannot do without: what a ``try`` guards is no such thing."""
    for path in files:
        todo: list[ast.AST] = [tree.parsed(path) or ast.Module([], [])]
        while todo:
            node = todo.pop(0)
            if isinstance(node, ast.Import):
                yield from ((each.name.split(".")[0], Place(path, node.lineno)) for each in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.split(".")[0], Place(path, node.lineno)
            elif not isinstance(node, ast.Try):
                todo += ast.iter_child_nodes(node)


def _pictures(tree: Tree) -> Iterator[tuple[str, Place]]:
    """Give what fields for pictures need, which nobody imports."""
    for path in tree.python:
        if "ImageField(" in tree.text(path):
            yield "PIL", tree.line(path, "ImageField(")
