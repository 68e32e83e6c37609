"""What every part of an inspection looks at: the project's files, its settings, its variables, what it depends on."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from components.defaults import BY_KIND
from components.model import Kind
from pipeline.init.chosen import Chosen
from pipeline.init.finding import Place
from pipeline.init.scope import Scope
from pipeline.init.tree import Tree
from pipeline.init.variables import Variable


@dataclass(frozen=True, eq=False)
class Project:
    """A Django project, as far as its files tell."""

    tree: Tree
    """Its files."""
    source: str
    """Its root, as the stack's file says it."""
    stack: str
    """The stack that is to deploy it."""
    manage: str
    """Its ``manage.py``, inside the root."""
    where: tuple[str, ...]
    """The folders that modules are imported from, the one with ``manage.py`` first."""
    chosen: Chosen
    """The settings module."""
    configuration: tuple[str, Place] | None
    """The class that holds the settings, if one does."""
    scope: Scope
    """What the settings assign."""
    variables: tuple[Variable, ...]
    """What they read from the environment."""
    packages: Mapping[str, str | None]
    """What the project depends on: names of distributions in small letters, and their versions where one is fixed."""
    declared: tuple[str, ...]
    """The files that say so."""

    @property
    def kind(self) -> str:
        """The kind of environment that a stack of that name probably is."""
        return next((kind for kind in BY_KIND if self.stack == kind or self.stack.startswith(f"{kind}-")), Kind.DEV)

    @property
    def directory(self) -> str:
        """The folder with ``manage.py``, inside the root; empty for the root itself."""
        return posixpath.dirname(self.manage)

    @cached_property
    def apps(self) -> dict[str, None]:
        """The installed apps, by the module that each is."""
        return dict.fromkeys(self.scope.texts("INSTALLED_APPS"))

    def has(self, *names: str) -> str | None:
        """Give the first of some distributions that the project depends on."""
        return next((name for name in names if name in self.packages), None)

    def installs(self, *apps: str) -> str | None:
        """Give the first of some apps that is installed, be it by its own name or by that of its configuration."""
        return next((app for app in apps for each in self.apps if each == app or each.startswith(f"{app}.")), None)

    def of_package(self, name: str) -> Place | None:
        """Give where a distribution is asked for."""
        for file in self.declared:
            for number, line in enumerate(self.tree.text(file).splitlines(), 1):
                if name in line.lower().replace("_", "-"):
                    return Place(file, number)
        return None

    def of_app(self, name: str) -> Place | None:
        """Give where an app is installed."""
        for file in self.scope.files:
            place = self.tree.line(file, f'"{name}')
            place = place if place.line else self.tree.line(file, f"'{name}")
            if place.line:
                return place
        return self.scope.place("INSTALLED_APPS")

    @cached_property
    def django(self) -> tuple[int, int] | None:
        """The version of Django, if one is fixed: its first two numbers."""
        version = self.packages.get("django") or ""
        parts = version.split(".")
        return (int(parts[0]), int(parts[1])) if len(parts) > 1 and parts[0].isdigit() and parts[1].isdigit() else None
