"""The files that a project serves or makes: static files, uploads, assets of Node, translations, logs."""

import json
import posixpath
from collections.abc import Iterator
from pathlib import PurePosixPath

from components.defaults import COMMON
from pipeline.init.evaluate import IMAGE_ROOT
from pipeline.init.finding import Found, Missing, Place, Setting
from pipeline.init.inspected import Project
from pipeline.init.tree import is_aside

_MEDIA = COMMON["app"]["media_root"]
_ELSEWHERE = ("storages.", "S3", "Boto", "GoogleCloud", "Azure", "cloudinary", "Manifest3")


def find(project: Project) -> Iterator[Found]:
    """Say how static files and uploads are served, and what has to be made while the image is built."""
    yield from _static(project)
    yield from _media(project)
    yield from _node(project)
    yield from _commands(project)
    yield from _logs(project)


def _static(project: Project) -> Iterator[Found]:
    scope = project.scope
    if not project.installs("django.contrib.staticfiles"):
        return
    backend = _backend(project, "staticfiles", "STATICFILES_STORAGE")
    if backend is not None and any(word in backend for word in _ELSEWHERE):
        place = scope.place("STORAGES", "STATICFILES_STORAGE")
        yield Setting(
            path=("build", "collect_static"), value="never", why=f"{backend} keeps static files elsewhere", place=place
        )
        yield Missing(
            what="static files are kept elsewhere and have to get there",
            do="python manage.py collectstatic, by whoever may write there, before a release that changes them",
            place=place,
        )
        return
    url = scope.value("STATIC_URL")
    whitenoise = next((each for each in scope.texts("MIDDLEWARE") if "whitenoise" in each.lower()), None)
    if isinstance(url, str) and url.strip("/") != "static" and whitenoise is None and not url.startswith("http"):
        yield Missing(
            what=f"STATIC_URL is {url}, and the edge serves static files at /static/",
            do="WhiteNoise in the project; or slipway:static.url, where this version has it",
            place=scope.place("STATIC_URL"),
        )
    if whitenoise is not None:
        yield Setting(
            path=("static", "serve"),
            value="project",
            why="WhiteNoise serves them too; nginx is faster",
            place=scope.place("MIDDLEWARE"),
            asked=False,
        )


def _backend(project: Project, alias: str, old: str) -> str | None:
    storages = project.scope.value("STORAGES")
    new = storages.get(alias) if isinstance(storages, dict) else None
    found = new.get("BACKEND") if isinstance(new, dict) else project.scope.value(old)
    return found if isinstance(found, str) else None


def _media(project: Project) -> Iterator[Found]:
    scope = project.scope
    backend = _backend(project, "default", "DEFAULT_FILE_STORAGE")
    if backend is not None and any(word in backend for word in _ELSEWHERE):
        return
    url = scope.value("MEDIA_URL")
    if isinstance(url, str) and url.strip("/") != "media" and url:
        yield Missing(
            what=f"MEDIA_URL is {url}, and the edge serves uploads at /media/",
            do="slipway:media.url, where this version has it; or another MEDIA_URL",
            place=scope.place("MEDIA_URL"),
        )
    if "MEDIA_ROOT" not in scope.names:
        return
    place = scope.place("MEDIA_ROOT")
    known = scope.value("MEDIA_ROOT")
    path = posixpath.normpath(str(known)) if isinstance(known, str | PurePosixPath) and str(known) else None
    if path is not None and not path.startswith("/"):
        path = posixpath.join(IMAGE_ROOT, project.directory, path)
    read = [each.name for each in project.variables if each.goes_to("MEDIA_ROOT")]
    taken = (
        path is None
        or path == IMAGE_ROOT
        or not path.startswith((f"{IMAGE_ROOT}/", "/srv/", "/var/", "/data", "/media"))
    )
    if taken and read:
        yield Setting(
            path=("app", "environment", read[0]), value="/srv/media", why="where uploads are kept", place=place
        )
        yield Setting(
            path=("app", "media_root"), value="/srv/media", why=f"MEDIA_ROOT, which {read[0]} says", place=place
        )
    elif taken:
        yield Missing(
            what="where uploads go: MEDIA_ROOT is no path that can be known here",
            do=f"pulumi config set --path slipway:app.media_root PATH --stack {project.stack}   # absolute, the project is in /app",
            place=place,
        )
    elif path != _MEDIA and path is not None:
        yield Setting(path=("app", "media_root"), value=path, why="MEDIA_ROOT", place=place)


def _node(project: Project) -> Iterator[Found]:
    for path in project.tree.named("package.json"):
        if is_aside(path) or path.count("/") > 2:  # noqa: PLR2004  # deeper ones are parts of others
            continue
        try:
            content = json.loads(project.tree.text(path))
        except ValueError:
            continue
        scripts = content.get("scripts") if isinstance(content, dict) else None
        if not isinstance(scripts, dict) or "build" not in scripts:
            continue
        folder = posixpath.dirname(path)
        locks = {
            "package-lock.json": "npm ci",
            "yarn.lock": "yarn install --frozen-lockfile",
            "pnpm-lock.yaml": "pnpm install --frozen-lockfile",
        }
        install = next(
            (command for lock, command in locks.items() if project.tree.has(posixpath.join(folder, lock))),
            "npm install",
        )
        tool = install.split()[0]
        place = project.tree.line(path, '"build"')
        if folder:
            yield Setting(path=("assets", "directory"), value=folder, why="package.json", place=Place(path))
        yield Setting(path=("assets", "install"), value=install, why="the lock beside package.json", place=Place(path))
        yield Setting(
            path=("assets", "build"),
            value=f"{tool} run build",
            why="package.json has a script that builds assets",
            place=place,
            otherwise=f"package.json builds assets ({scripts['build']}): what it makes has to be in the project, "
            "or made by a Dockerfile of its own",
        )
        yield Missing(
            what="what the assets are built from and what is made of them",
            do="slipway:assets.inputs and slipway:assets.outputs, for a build that needs more than its own folder",
            place=place,
        )
        return


def _commands(project: Project) -> Iterator[Found]:
    sources = [path for path in project.tree.files if path.endswith(".po") and not is_aside(path)]
    missing = [path for path in sources if not project.tree.has(path.removesuffix(".po") + ".mo")]
    if missing:
        yield Setting(
            path=("build", "packages"), value=("gettext",), why="compiles translations", place=Place(missing[0])
        )
        yield Setting(
            path=("build", "commands"),
            value=("python manage.py compilemessages",),
            why=f"{len(missing)} translations are not compiled",
            place=Place(missing[0]),
        )
    if project.scope.value("COMPRESS_OFFLINE") is True:
        yield Setting(
            path=("build", "commands"),
            value=("python manage.py compress --force",),
            why="COMPRESS_OFFLINE",
            place=project.scope.place("COMPRESS_OFFLINE"),
        )
    if project.installs("tailwind"):
        yield Setting(
            path=("build", "commands"),
            value=("python manage.py tailwind build",),
            why="tailwind is installed; it needs Node while building",
            place=project.of_app("tailwind"),
            asked=False,
        )


def _logs(project: Project) -> Iterator[Found]:
    logging = project.scope.value("LOGGING")
    handlers = logging.get("handlers") if isinstance(logging, dict) else None
    for name, handler in (handlers or {}).items() if isinstance(handlers, dict) else ():
        kind = handler.get("class") if isinstance(handler, dict) else None
        if isinstance(kind, str) and "File" in kind:
            path = handler.get("filename")
            if isinstance(path, str | PurePosixPath) and str(path).startswith(("/tmp", "/dev/")):  # noqa: S108  # what can be written
                continue
            yield Missing(
                what=f"the log handler {name} writes a file, and nothing but /tmp and uploads can be written",
                do="a handler that writes to standard output, or a path below /tmp",
                place=project.scope.place("LOGGING"),
            )
