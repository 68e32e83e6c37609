"""The files that a project serves or makes: static files, uploads, assets of Node, translations, logs."""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from components.defaults import COMMON
from components.problems import full_key
from pipeline.init import absent
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
    assigned = project.scope.names.get("STORAGES" if isinstance(new, dict) else old)
    # Nothing sets what such a condition asks for: the project keeps them itself then.
    return found if isinstance(found, str) and assigned is not None and not assigned.guarded else None


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
    if taken and absent.takes(project, "MEDIA_ROOT"):
        yield Setting(path=_ROOT, value=absent.MEDIA, why="MEDIA_ROOT, as slipway:app.files says it", place=place)
    elif taken and read:
        yield Setting(
            path=("app", "environment", read[0]), value=absent.MEDIA, why="where uploads are kept", place=place
        )
        yield Setting(path=_ROOT, value=absent.MEDIA, why=f"MEDIA_ROOT, which {read[0]} says", place=place)
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
        folder = posixpath.dirname(path)
        named = {str(name): str(script) for name, script in scripts.items()} if isinstance(scripts, dict) else {}
        served = posixpath.join(folder, "node_modules") in _static_folders(project) or _finds_packages(project)
        builds = {name: script for name, script in named.items() if _BUILDS.fullmatch(name)}
        made = {name: [*_written(project, folder, script)] for name, script in builds.items()}
        written = [output for outputs in made.values() for output in outputs]
        if "build" in named:
            yield from _assets(project, path, named["build"], written)
        elif served or written:
            commands = [f"npm run {name}" for name, outputs in made.items() if outputs]
            yield from _assets(project, path, "; ".join(commands), written)
            yield Setting(
                path=("assets", "build"),
                value=commands or ["true"],
                why="what makes assets" if commands else "the packages are served as they are",
                place=Place(path),
            )
        else:
            continue
        used = [named["build"]] if "build" in named else [builds[name] for name, outputs in made.items() if outputs]
        yield from _tools(project, folder, content, used, Place(path))
        return


_TOOLS = {"sass": "sass", "lessc": "less", "mjml": "mjml", "esbuild": "esbuild", "postcss": "postcss-cli"}
"""Programs that are often installed for a whole machine, and the package of each."""


def _tools(
    project: Project, folder: str, manifest: Mapping[str, object], scripts: Sequence[str], place: Place
) -> Iterator[Setting]:
    """Install what scripts start and no package.json asks for."""
    asked = repr([manifest.get(key) for key in ("dependencies", "devDependencies", "optionalDependencies")])
    starts = {word for script in scripts for word in re.findall(r"(?:^|&&|;|\|)\s*([a-z]+)\b", script)}
    wanted = [package for name, package in _TOOLS.items() if name in starts and f"'{package}'" not in asked]
    others = [name for name in ("yarn.lock", "pnpm-lock.yaml") if project.tree.has(posixpath.join(folder, name))]
    if wanted and not others:
        usual = "npm ci" if project.tree.has(posixpath.join(folder, "package-lock.json")) else "npm install"
        yield Setting(
            path=("assets", "install"),
            value=f"{usual} && npm install --no-save {' '.join(wanted)}",
            why=f"scripts start {' and '.join(wanted)}, which package.json does not ask for",
            place=place,
        )


_BUILDS = re.compile(r"(build|compile|bundle)([:_-](?!.*(watch|dev|test)).*)?")
"""Names of scripts that make assets."""

_OUTPUT = re.compile(
    r"""(?:^|\s)(?:-o|--output|--outfile|--outdir|--out-dir|--output-path|--dist-dir)[=\s]+["']?([\w./-]+)"""
    r"""|\bsass\s+(?:--?\S+\s+)*[^\s:]+[\s:]([\w./-]+\.css)\b"""
)
"""What a script says that it writes."""


def _written(project: Project, folder: str, script: str) -> Iterator[str]:
    """Give what a script writes that is not in the project."""
    for found in _OUTPUT.finditer(script):
        inner = posixpath.normpath(posixpath.join(folder, found[1] or found[2]))
        if not inner.startswith("..") and not _is_there(project, inner):
            yield inner


def _is_there(project: Project, inner: str) -> bool:
    return project.tree.has(inner) or any(file.startswith(f"{inner}/") for file in project.tree.files)


def _assets(project: Project, path: str, script: str, written: list[str]) -> Iterator[Found]:
    """Say where Node makes assets, and what it makes."""
    folder = posixpath.dirname(path)
    place = project.tree.line(path, '"build"')
    # A folder that settings name may be filled while the project runs: what scripts say counts more.
    found = [each for each in _made(project, folder) if not written or each.endswith("node_modules")]
    made = [*dict.fromkeys([*found, *written, *_configured(project, folder)])]
    yield Setting(
        path=("assets", "directory"),
        value=folder or ".",
        why="package.json has a script that builds assets" if script else "settings serve packages of Node",
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


def _static_folders(project: Project) -> list[str]:
    """Give the folders inside the project that settings name for static files, also those with a prefix."""
    found: list[str] = []
    for name in ("STATICFILES_DIRS", "WEBPACK_DIST", "VITE_OUTPUT"):
        value = project.scope.value(name)
        for each in value if isinstance(value, list) else [value]:
            path = each[-1] if isinstance(each, list) and each else each
            where = posixpath.normpath(str(path)) if isinstance(path, str | PurePosixPath) else ""
            inner = where.removeprefix(f"{IMAGE_ROOT}/")
            if inner != where:
                found.append(inner)
    return found


def _made(project: Project, folder: str) -> list[str]:
    """Name folders that settings name, and that are not in the project."""
    found = {inner: None for inner in _static_folders(project) if not _is_there(project, inner)}
    if _finds_packages(project):
        found[posixpath.join(folder, "node_modules")] = None
    return list(found)


def _finds_packages(project: Project) -> bool:
    """Whether a finder of static files looks into the packages of Node."""
    return any(
        re.search(r"\bnpm\.|node_assets|yarnpkg|NpmFinder", each) for each in project.scope.texts("STATICFILES_FINDERS")
    )


def _configured(project: Project, folder: str) -> list[str]:
    """Name what the configuration of the tool that makes the assets says, and that is not in the project."""
    found: dict[str, None] = {}
    for file in project.tree.files:
        if posixpath.dirname(file) == folder and re.match(
            r"(vite|vue|webpack|rollup|next)[\w.]*\.(js|ts|mjs|cjs)$", posixpath.basename(file)
        ):
            for out in re.findall(r"""\b(?:outDir|outputDir|file)\s*:\s*["']([\w./-]+)["']""", project.tree.text(file)):
                inner = posixpath.normpath(posixpath.join(folder, out))
                if not inner.startswith("..") and not _is_there(project, inner):
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
