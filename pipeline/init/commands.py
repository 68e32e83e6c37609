"""Commands of ``manage.py`` that scripts of the project run at a deployment, beside those that Slipway runs anyway.

A script does not say whether a command is for each release or for the first one alone: that is for somebody to decide.
"""

import posixpath
import re
from collections.abc import Iterator

from pipeline.init.finding import Found, Missing, Place, Setting
from pipeline.init.inspected import Project
from pipeline.init.tree import is_aside

_RUN = re.compile(r"manage\.py\s+([a-z][\w-]*)((?:\s+-{1,2}[\w-]+(?:=[\w./-]+)?)*)")
_USUAL = frozenset({"migrate", "collectstatic", "runserver", "test", "check", "makemigrations"})
"""What runs anyway, or never where the project is deployed, also where the project has a command of its own for it."""

_MAKES = re.compile(r"^(compile|compress|build|generate_static|webpack|sass)")
_FILES = re.compile(
    r"(^|/)(Dockerfile[\w.-]*|Containerfile|[\w.-]*\.Dockerfile|[\w.-]*\.sh|Procfile|app\.json|release[\w-]*)$"
)


def find(project: Project) -> Iterator[Found]:
    """Name the project's own commands, by where they are run, and the one that makes the table of a cache."""
    backends = project.scope.value("CACHES")
    if "cache.backends.db.DatabaseCache" in repr(backends):
        place = project.scope.place("CACHES")
        why = "the cache is a table of the database"
        yield Setting(path=("release", "commands"), value=["python manage.py createcachetable"], why=why, place=place)
    running = _processes(project)
    for name, (command, place) in _run(project).items():
        if name in running:
            continue
        if _MAKES.search(name):
            yield Setting(path=("build", "commands"), value=[command], why=f"{place} runs it", asked=False)
            what, do = "while the image is built", f"slipway:build.commands with `{command}`"
        else:
            what = "at each release, or once"
            do = f"slipway:release.commands, or slipway:release.once, with `{command}`: docs/projects/processes.md"
        yield Missing(what=f"whether `{command}` has to run {what}", do=do, place=place)


def _run(project: Project) -> dict[str, tuple[str, Place]]:
    """Give the project's own commands that scripts run, by their names."""
    own = {
        posixpath.basename(path).removesuffix(".py")
        for path in project.tree.python
        if "/management/commands/" in f"/{path}" and not posixpath.basename(path).startswith("_")
    }
    own -= _USUAL
    found: dict[str, tuple[str, Place]] = {}
    for file in project.tree.files:
        if not _FILES.search(file) or is_aside(file):
            continue
        for number, line in enumerate(project.tree.text(file).splitlines(), 1):
            if line.lstrip().startswith("#"):
                continue
            for run in _RUN.finditer(line):
                if run[1] in own:
                    found.setdefault(run[1], (f"python manage.py {run[1]}{run[2]}", Place(file, number)))
    return found


def _processes(project: Project) -> str:
    from pipeline.init import processes  # noqa: PLC0415  # it asks other modules

    return " ".join(
        str(each.value) for each in processes.find(project) if isinstance(each, Setting) and each.path[-1] == "command"
    )
