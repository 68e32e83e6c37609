"""Looks at a project and gives everything that was found, in the order of a stack's file.

``FINDERS`` is the table of what is looked for: a new kind of finding is a module with ``find`` and a line here. A finding
for a key that the model does not have becomes what to do instead, so that finders may be ahead of the model.
"""

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from components.keys import key_at
from components.problems import full_key
from pipeline.console import problem
from pipeline.init import (
    absent,
    chosen,
    commands,
    dependencies,
    environment,
    files,
    health,
    layout,
    overlay,
    packages,
    processes,
    python,
    scope,
    server,
    undeclared,
    variables,
)
from pipeline.init.finding import Found, Missing, Place, Setting
from pipeline.init.inspected import Project
from pipeline.init.tree import Tree

Finder = Callable[[Project], Iterator[Found]]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that was found in a project."""

    project: Project
    """The project."""
    settings: tuple[Setting, ...]
    """What the stack's file says."""
    missing: tuple[Missing, ...]
    """What somebody has to decide."""


def look(folder: Path, source: Callable[[Path], str], stack: str) -> Report:
    """Look at the project in a folder.

    Args:
        folder: the project, or a folder above it.
        source: writes the project's root as the stack's file does.
        stack: the stack that is to deploy it.

    Raises:
        PipelineError: if there is no Django project.
    """
    project = read(folder, source, stack)
    return report(project, [each for find in FINDERS for each in find(project)])


def report(project: Project, found: list[Found]) -> Report:
    """Put findings into the words of the model: what it does not know is to be done by somebody."""
    settings, missing = [], [each for each in found if isinstance(each, Missing)]
    for each in found:
        if not isinstance(each, Setting):
            continue
        if _is_known(each.path):
            settings.append(each)
        elif each.otherwise is not None:
            missing.append(
                Missing(
                    what=each.otherwise,
                    do=f"see {full_key(each.path)} in docs/settings.md of a newer version",
                    place=each.place,
                )
            )
    return Report(project=project, settings=tuple(settings), missing=tuple(missing))


def _is_known(path: tuple[str, ...]) -> bool:
    """Whether the model has a key; below ``app.environment`` and ``app.files`` any name is one."""
    return key_at(path) is not None or path[:-1] in {("app", "environment"), ("app", "files")}


def read(folder: Path, source: Callable[[Path], str], stack: str) -> Project:
    """Read what all finders look at.

    Raises:
        PipelineError: if there is no Django project.
    """
    if not folder.is_dir():
        raise problem(
            f"{folder} is no folder", allowed="the folder of a Django project", mend="python -m pipeline init PATH"
        )
    root = layout.root_of(folder)
    below = folder.resolve().relative_to(root).as_posix()
    tree = Tree(root)
    manages = layout.manage_files(tree, "" if below == "." else below)
    if not manages:
        raise problem(
            f"{folder} has no manage.py of Django, nor has a folder in it",
            allowed="the folder of a Django project, the one with manage.py or one above it",
            mend="python -m pipeline init PATH   # or, for a project without it, a manage.py as `django-admin startproject` writes it",
        )
    manage = manages[0]
    directory = posixpath.dirname(manage)
    tree = Tree(root, directory)
    said = chosen.named(tree, manage)
    where = layout.places(tree, directory, said[0] if said else None)
    found = chosen.choose(tree, manage, where)
    if found is None:
        raise problem(
            f"{root / manage} names no settings module, and no file looks like one",
            allowed='os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings") in manage.py',
            mend="write the stack's file by hand: docs/projects/configuration.md",
        )
    where = layout.places(tree, directory, found.module)
    configuration = chosen.configuration(tree, found.file, manage)
    assigned = scope.read(tree, found.file, where, configuration[0] if configuration else None)
    read_by = variables.closure(tree, list(assigned.files), where)
    entries = [each for each in tree.named("wsgi.py", "asgi.py", "celery.py", "celery_app.py") if each in tree.python]
    # A worker may have settings of its own.
    entries += [
        each for each in variables.closure(tree, entries, where, depth=1) if "settings" in posixpath.basename(each)
    ]
    _, declared = dependencies.declared(tree, directory)
    declared = declared or tuple(dependencies.others(tree)[:1])
    asked = dependencies.names(tree, declared)
    if not declared:
        asked = dependencies.asked_for(undeclared.find(tree, assigned, where).packages)
    return Project(
        tree=tree,
        source=source(root),
        stack=stack,
        manage=manage,
        where=where,
        chosen=found,
        configuration=configuration,
        scope=assigned,
        variables=tuple(variables.find(tree, list(dict.fromkeys([*read_by, *entries])))),
        packages=asked,
        declared=declared,
    )


def _place(project: Project) -> Iterator[Found]:
    """Say where the project is and which settings it uses."""
    yield Setting(path=("app", "source"), value=project.source, why="the project's root")
    if project.directory:
        yield Setting(
            path=("app", "directory"), value=project.directory, why="has manage.py", place=Place(project.manage)
        )
    extra = [each for each in project.where[1:] if each]
    if extra:
        yield Setting(path=("app", "python_path"), value=extra, why="modules that the project imports are there")
    used = overlay.lines(project)
    if used:
        yield Setting(
            path=("app", "settings_module"),
            value=overlay.MODULE,
            why=f"slipway:app.files has it; it takes over {project.chosen.module}",
            place=project.chosen.place,
        )
    else:
        yield Setting(
            path=("app", "settings_module"),
            value=project.chosen.module,
            why=project.chosen.why,
            place=project.chosen.place,
        )
    if chosen.is_for_developers(project.chosen.module):
        yield Missing(
            what=f"settings for production: {project.chosen.module} is for developers by its name"
            + (f"; there is also {', '.join(project.chosen.others[:5])}" if project.chosen.others else ""),
            do=f"pulumi config set --path slipway:app.settings_module MODULE --stack {project.stack}",
            place=project.chosen.place,
        )
    others = [each for each in layout.manage_files(project.tree) if each != project.manage]
    if others:
        yield Missing(
            what=f"whether {project.manage} is the right manage.py: there is also {', '.join(others[:3])}",
            do="python -m pipeline init PATH/OF/THE/RIGHT/ONE --force",
            place=Place(project.manage),
        )


FINDERS: tuple[Finder, ...] = (
    _place,
    absent.find,
    server.find,
    python.find,
    health.find,
    files.find,
    overlay.find,
    environment.find,
    dependencies.find,
    packages.find,
    processes.find,
    commands.find,
)
"""Everything that is looked for."""
