"""The files that a project serves or makes: static files, uploads, assets of Node, translations, logs."""

import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from components.defaults import COMMON
from components.problems import full_key
from pipeline.init.evaluate import IMAGE_ROOT
from pipeline.init.finding import Found, Missing, Place, Setting
from pipeline.init.inspected import Project

_ROOT = ("media", "root")
"""The key of the folder of uploads."""

_MEDIA = COMMON[_ROOT[0]][_ROOT[1]]
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
    if isinstance(url, str) and url.strip("/") != "static" and whitenoise is None and "://" not in url:
        place = scope.place("STATIC_URL")
        yield Setting(
            path=("static", "url"),
            value=f"/{url.strip('/')}/",
            why="STATIC_URL",
            place=place,
            otherwise=f"STATIC_URL is {url}, and the edge serves static files at /static/",
        )
    if isinstance(url, str) and "://" in url:
        yield Missing(
            what=f"STATIC_URL is {url}, and the edge serves static files at /static/",
            do="another STATIC_URL, or an address there that leads to this one",
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
    if isinstance(url, str) and url.strip("/") not in {"media", ""}:
        place = scope.place("MEDIA_URL")
        what = f"MEDIA_URL is {url}, and the edge serves uploads at /media/"
        if "://" in url:
            yield Missing(what=what, do="another MEDIA_URL, or an address there that leads to this one", place=place)
        else:
            value = f"/{url.strip('/')}/"
            yield Setting(path=("media", "url"), value=value, why="MEDIA_URL", place=place, otherwise=what)
    if "MEDIA_ROOT" not in scope.names:
        return
    place = scope.place("MEDIA_ROOT")
    known = scope.value("MEDIA_ROOT")
    path = posixpath.normpath(str(known)) if isinstance(known, str | PurePosixPath) and str(known) else None
    if path is not None and not path.startswith("/"):
        path = posixpath.join(IMAGE_ROOT, project.directory, path)
    # What leads to other folders too says more than where uploads are.
    read = [each.name for each in project.variables if {use[:1] for use in each.uses} == {("MEDIA_ROOT",)}]
    taken = (
        path is None
        or path == IMAGE_ROOT
        or not path.startswith((f"{IMAGE_ROOT}/", "/srv/", "/var/", "/data", "/media"))
    )
    if taken and read:
        yield Setting(
            path=("app", "environment", read[0]), value="/srv/media", why="where uploads are kept", place=place
        )
        yield Setting(path=_ROOT, value="/srv/media", why=f"MEDIA_ROOT, which {read[0]} says", place=place)
    elif taken:
        yield Missing(
            what="where uploads go: MEDIA_ROOT is no path that can be known here",
            do=f"pulumi config set --path {full_key(_ROOT)} PATH --stack {project.stack}   # absolute, the project is in /app",
            place=place,
        )
    elif path != _MEDIA and path is not None:
        yield Setting(path=_ROOT, value=path, why="MEDIA_ROOT", place=place)


def _node(project: Project) -> Iterator[Found]:
    for path in project.tree.named("package.json"):
        if project.tree.is_aside(path) or path.count("/") > 2:  # noqa: PLR2004  # deeper ones are parts of others
            continue
        try:
            content = json.loads(project.tree.text(path))
        except ValueError:
            continue
        scripts = content.get("scripts") if isinstance(content, dict) else None
        if not isinstance(scripts, dict) or "build" not in scripts:
            continue
        yield from _assets(project, path, str(scripts["build"]))
        return


def _assets(project: Project, path: str, script: str) -> Iterator[Found]:
    """Say where Node makes assets, and what it makes."""
    folder = posixpath.dirname(path)
    place = project.tree.line(path, '"build"')
    made = _made(project, folder)
    yield Setting(
        path=("assets", "directory"),
        value=folder or ".",
        why="package.json has a script that builds assets",
        place=place,
        asked=bool(made),
        otherwise=f"package.json builds assets ({script}): what it makes has to be in the project, "
        "or made by a Dockerfile of its own",
    )
    if made:
        yield Setting(path=("assets", "outputs"), value=made, why="named, and not in the project", place=place)
    else:
        yield Missing(
            what="what the assets become: where the script `build` of package.json writes",
            do=f"slipway:assets with directory: {folder or '.'} and outputs: the folders that it makes",
            place=place,
        )


def _made(project: Project, folder: str) -> list[str]:
    """Name folders that settings or the tool of the assets name, and that are not in the project."""
    found: dict[str, None] = {}
    for name in ("STATICFILES_DIRS", "WEBPACK_DIST", "VITE_OUTPUT"):
        value = project.scope.value(name)
        for each in value if isinstance(value, list) else [value]:
            where = posixpath.normpath(str(each)) if isinstance(each, str | PurePosixPath) else ""
            inner = where.removeprefix(f"{IMAGE_ROOT}/")
            if inner != where and not any(file.startswith(f"{inner}/") for file in project.tree.files):
                found[inner] = None
    for file in project.tree.files:
        if posixpath.dirname(file) == folder and re.match(
            r"(vite|vue|webpack|rollup|next)[\w.]*\.(js|ts|mjs|cjs)$", posixpath.basename(file)
        ):
            for out in re.findall(r"""(?:outDir|outputDir)\s*:\s*["']([\w./-]+)["']""", project.tree.text(file)):
                inner = posixpath.normpath(posixpath.join(folder, out))
                if not inner.startswith(".."):
                    found[inner] = None
    for file in project.tree.files:
        if _is_webpack(file, folder):
            found |= dict.fromkeys(_packed(project.tree.text(file), posixpath.dirname(file), folder))
    return list(found)


def _is_webpack(file: str, folder: str) -> bool:
    """Whether a file is a configuration of webpack, beside package.json or in a folder beside it."""
    where, name = posixpath.split(file)
    start = f"{folder}/" if folder else ""
    beside = where == folder and name.startswith("webpack")
    return name.endswith((".js", ".ts", ".mjs", ".cjs")) and (
        beside or where in {f"{start}webpack", f"{start}config/webpack"}
    )


def _packed(text: str, where: str, folder: str) -> Iterator[str]:
    """Name what webpack writes: the folder of its output, and the list of what is in it that Django reads."""
    whole = re.search(
        r"output\s*:\s*\{[^{}]*?\bpath\s*:\s*path\.(?:resolve|join)\(\s*__dirname\s*,((?:\s*[\"'][^\"']*[\"']\s*,?)+)\s*\)",
        text,
    )
    if whole is None:
        return
    inner = posixpath.normpath(posixpath.join(where, *re.findall(r"[\"']([^\"']*)[\"']", whole[1])))
    if not inner.startswith((".", "/")):
        yield inner
    stats = re.search(r"BundleTracker\(\{[^}]*?\bfilename\s*:\s*[\"']([\w.-]+)[\"']", text)
    if stats is not None:
        yield posixpath.join(folder, stats[1])


def _commands(project: Project) -> Iterator[Found]:
    sources = [path for path in project.tree.files if path.endswith(".po") and not project.tree.is_aside(path)]
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
