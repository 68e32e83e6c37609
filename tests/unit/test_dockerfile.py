"""The Dockerfile of a Django project."""

import ast
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from components import dockerfile, health, installation, webserver
from components.dependencies import Found, Installer
from tests.sample import settings

FOUND = Found(installer=Installer.REQUIREMENTS, folder="", names=("requirements.txt",), read=("requirements.txt",))


def _text(said: dict[str, object] | None = None, found: Found = FOUND) -> str:
    return dockerfile.text(settings(said), found)


def _instructions(text: str) -> list[str]:
    """Take the text apart: one entry for each instruction, with its continuation lines and its heredoc."""
    result: list[str] = []
    inside = ""
    for line in text.splitlines():
        if inside or (result and result[-1].endswith("\\")):
            result[-1] += f"\n{line}"
        elif line and not line.startswith("#"):
            result.append(line)
        if line == inside:
            inside = ""
        elif "<<'EOF'" in line:
            inside = "EOF"
    return result


def test_the_order_of_the_instructions() -> None:
    """Two stages; what changes seldom comes before what changes often."""
    assert [each.split()[0] for each in _instructions(_text())] == [
        *["FROM", "ENV", "WORKDIR", "SHELL", "RUN", "RUN", "COPY", "RUN"],
        *[
            "FROM",
            "SHELL",
            "RUN",
            "ENV",
            "WORKDIR",
            "COPY",
            "COPY",
            "COPY",
            "USER",
            "EXPOSE",
            "STOPSIGNAL",
            "HEALTHCHECK",
            "CMD",
        ],
    ]


def test_a_step_that_fails_is_heard() -> None:
    """In both stages a failed step stays for a second, with its exit code, so that the plugin reads what it said."""
    waits = 'SHELL ["/bin/sh", "-c", "sh -c \\"$0\\" || { code=$?; sleep 1; exit $code; }"]'
    assert [each for each in _instructions(_text()) if each.startswith("SHELL")] == [waits, waits]


def test_the_final_stage() -> None:
    """What runs has a numeric user, a health check and gunicorn in exec form, and came from the build stage."""
    final = _instructions(_text())[11:]
    assert final[0] == (
        "ENV PATH=/opt/venv/bin:$PATH \\\n"
        "    PYTHONDONTWRITEBYTECODE=1 \\\n"
        "    PYTHONUNBUFFERED=1 \\\n"
        "    DJANGO_SETTINGS_MODULE=config.settings \\\n"
        "    HOME=/tmp"
    )
    assert final[1:8] == [
        "WORKDIR /app",
        "COPY --from=build /opt/venv /opt/venv",
        "COPY --from=build /rootfs/ /",
        "COPY --from=build /app /app",
        "USER 10001:10001",
        "EXPOSE 8000",
        "STOPSIGNAL SIGTERM",
    ]
    flags, check = final[8].split(" CMD ")
    assert flags == "HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3"
    assert json.loads(check) == health.command(health.of_image(settings().app, settings().health))
    assert json.loads(final[9].removeprefix("CMD ")) == webserver.default_command(settings().app, settings().web)


def test_dependencies_see_nothing_but_requirements() -> None:
    """Each requirements file is mounted at its own path, and nothing else: a changed line reinstalls nothing."""
    names = ("requirements/base.txt", "requirements/prod.txt")
    text = _text(found=replace(FOUND, names=names[1:], read=names))
    install = _instructions(text)[5]
    assert re.findall(r"--mount=(type=bind\S+)", install) == [
        "type=bind,source=requirements/base.txt,target=/app/requirements/base.txt",
        "type=bind,source=requirements/prod.txt,target=/app/requirements/prod.txt",
    ]
    assert "uv pip install --requirements requirements/prod.txt" in install
    before = text[: text.index("COPY . .")]
    assert "COPY" not in before


def test_steps_that_download_trust_the_ca_bundle_and_no_other_step_has_it() -> None:
    """The bundle is a mount of two steps of the build stage. The text is the same with and without a bundle."""
    text = _text()
    mounts = [each for each in _instructions(text) if "type=secret" in each]
    assert [
        each.count("--mount=type=secret,id=ca_bundle,target=/etc/ssl/certs/ca-certificates.crt") for each in mounts
    ] == [
        1,
        1,
    ]
    assert "required" not in text
    assert "ca_bundle" not in text[text.index("AS runtime") :]
    assert _text({"build": {"ca_bundle": "ca.pem"}}) == text


def test_git_by_ssh_is_for_the_stage_of_the_build() -> None:
    """It has git and ssh, each once; what runs has neither. Another key of a host is the same text."""
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEnE6s0MrSuN7mPbt3zTRrHMkY0iXUsv0fQjqKJrcXdA"
    text = _text({"dependencies": {"ssh_hosts": f"git.example.org {key}"}, "build": {"packages": "gcc git"}})
    build, runtime = text.split("AS runtime")
    assert "install -qqy --no-install-recommends gcc git openssh-client >/dev/null" in build
    assert "openssh-client" in _text({"dependencies": {"ssh_hosts": f"git.example.org {key}"}})
    assert build.count("type=ssh") == 1
    assert "ssh" not in runtime
    assert "openssh-client" not in _text({"build": {"packages": "gcc git"}})
    other: dict[str, object] = {"dependencies": {"ssh_hosts": f"a.org {key}"}, "build": {"packages": "gcc git"}}
    assert _text(other) == text


def test_every_base_image_can_be_given() -> None:
    """Both stages start from the same image, so that the environment that is copied fits."""
    assert re.findall(r"^FROM (.*)$", _text(), re.MULTILINE) == [
        "python:3.13-slim AS build",
        "python:3.13-slim AS runtime",
    ]
    other = _text({"build": {"base_image": "registry.example.org/python:3.12"}})
    assert re.findall(r"^FROM (\S*)", other, re.MULTILINE) == ["registry.example.org/python:3.12"] * 2


def test_no_frontend_is_downloaded() -> None:
    """A syntax line would ask Docker Hub for an image, which is out of reach behind many firewalls."""
    assert "syntax=" not in _text()


@pytest.mark.parametrize("value", ["plain", 'it\'s "quoted"', "two\nlines\nEOF\nRUN false", "$HOME `x` \\ end\\", "é"])
def test_any_plain_variable_reaches_the_settings_module(value: str) -> None:
    """Values of the environment are data in the build, whatever they look like."""
    collect = _instructions(_text({"app": {"environment": {"VALUE": value}}}))[7]
    script = collect.split("<<'EOF'\n")[1].removesuffix("\nEOF")
    [given] = [
        node.args[0]
        for node in ast.walk(ast.parse(script))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "os.environ.update"
    ]
    environment = ast.literal_eval(given)
    assert environment["VALUE"] == value
    assert environment["DJANGO_SETTINGS_MODULE"] == "config.settings"
    assert {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"} < environment.keys()


def test_scripts_in_the_dockerfile_are_python() -> None:
    """Both scripts can be parsed, and the one that cleans up knows where uploads go."""
    scripts = re.findall(r"<<'EOF'\n(.*?)^EOF$", _text({"media": {"root": "/data/up"}}), re.DOTALL | re.MULTILINE)
    assert len(scripts) == 2
    for script in scripts:
        ast.parse(script)
    assert 'for folder in ["/data/up"]:' in scripts[1]
    assert "os.chown(folder, 10001, 10001)" in scripts[1]


def test_what_is_kept_belongs_to_the_user_of_the_app() -> None:
    """A new volume takes over the owner of the folder that it lies on, wherever the project keeps something."""
    text = _text(
        {
            "static": {"serve": "volume", "root": "/app/collected"},
            "volumes": {"indexes": {"path": "/srv/indexes", "processes": "worker"}},
            "processes": {"worker": {"command": "x"}},
        }
    )
    assert 'for folder in ["/app/media", "/app/collected", "/srv/indexes"]:' in text


@pytest.mark.parametrize(("serve", "collected"), [("nginx", True), ("project", True), ("volume", False)])
def test_what_lies_on_a_volume_is_collected_there(serve: str, collected: bool) -> None:  # noqa: FBT001 - a table
    """An image holds static files unless they are collected at each release."""
    assert ("collectstatic" in _text({"static": {"serve": serve, "root": "/app/collected"}})) is collected


def test_the_installer_is_the_one_that_this_project_is_tested_with() -> None:
    """The version of uv in images is the locked one."""
    lock = (Path(__file__).parents[2] / "requirements-dev.txt").read_text(encoding="utf-8")
    assert f"\nuv=={installation.UV_VERSION} " in lock


FILES: dict[str, object] = {
    "app": {
        "environment": {"DSN": "${secrets.dsn}", "DSN_FILE": "${secrets.dsn.file}", "SITE": "https://${domain}"},
        "files": {"/app/config/local.py": "KEY = '${secrets.dsn}'", "/etc/shop.ini": "[${domain}]"},
    }
}


def test_a_build_sees_no_secret_and_no_stack() -> None:
    """Files and variables are there with contents that are none, so that several stacks share the image."""
    text = _text(FILES)

    assert '"DSN": "only-while-the-image-is-built-where-no-real-secret-has-a-place"' in text
    assert '"SITE": "https://localhost"' in text
    assert '"secrets.dsn": "only-while-the-image-is-built-where-no-real-secret-has-a-place"' in text
    assert "KEY = 'only-while-the-image-is-built-where-no-real-secret-has-a-place'" in text
    assert _text({**FILES, "domain": "shop.example.org"}) == text


def test_rendered_files_are_linked(tmp_path: Path) -> None:
    """The steps that do it, run: links in the project and beside it lead to the folder of the secret files."""
    collect = re.findall(r"<<'EOF'\n(.*?)\nEOF\n", _text(FILES), re.DOTALL)[0]
    steps = collect[collect.index("for name, content") : collect.index("\nimport django")]
    for folder in ("/run/secrets", "/rootfs", "/app/", "/etc/"):
        steps = steps.replace(f'"{folder}', f'"{tmp_path}{folder}')

    exec("from pathlib import Path\n" + steps, {})  # noqa: S102 - the text of the image, in a folder of the test

    assert (
        tmp_path / "app/config/local.py"
    ).read_text() == "KEY = 'only-while-the-image-is-built-where-no-real-secret-has-a-place'"
    assert (tmp_path / "etc/shop.ini").read_text() == "[localhost]"
    assert (tmp_path / "rootfs" / str(tmp_path).lstrip("/") / "etc/shop.ini").is_symlink()


def test_without_files_the_text_is_the_same_as_ever() -> None:
    """A project that asks for none keeps its releases."""
    assert "/run/secrets" not in _text()


def test_a_folder_of_a_repository() -> None:
    """Commands run where manage.py is, and folders that are named are on the path, in the build and when running."""
    text = _text({"app": {"directory": "site", "python_path": ["lib/a", "src"]}})
    instructions = [each for each in _instructions(text) if each.startswith(("WORKDIR", "ENV PYTHONPATH", "COPY . ."))]

    assert instructions == [
        "WORKDIR /app",
        "COPY . .",
        "WORKDIR /app/site",
        "ENV PYTHONPATH=/app/lib/a:/app/src",
        "WORKDIR /app/site",
    ]
    assert "    PYTHONPATH=/app/lib/a:/app/src \\\n    HOME=/tmp\n" in text[text.index("AS runtime") :]


def test_packages_of_the_system() -> None:
    """Those of the build are in its stage alone, before Python's; those of the runtime are in the image. Alpine has apk."""
    text = _text({"build": {"packages": "gcc libpq-dev", "runtime_packages": ["libpq5"]}})
    build, runtime = text.split("AS runtime\n")

    assert build.index("install -qqy --no-install-recommends gcc libpq-dev >/dev/null") < build.index("# The installer")
    assert "else apk add --no-cache gcc libpq-dev; fi" in build
    assert "libpq5" not in build
    assert runtime[runtime.index("# What the project") :].startswith(
        "# What the project needs of the system.\nRUN --mount=type=cache,target=/var/cache/apt"
    )
    assert "install -qqy --no-install-recommends libpq5 >/dev/null" in runtime
    assert "gcc" not in runtime


def test_commands_of_the_build(tmp_path: Path) -> None:
    """They run in order, by a shell, before static files are collected, with the variables of the build; none after a failure."""
    commands = ["echo one > a.txt", "exit 3", "echo two > b.txt"]
    text = _text({"build": {"commands": commands, "environment": {"MODE": "live", "SECRET_KEY": "mine"}}})
    collect = _instructions(text)[7].split("<<'EOF'\n")[1]
    steps = collect[collect.index("import subprocess") : collect.index("\nimport django")]

    done = subprocess.run([sys.executable, "-c", steps], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr == "the build command failed with exit code 3: exit 3\n"
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]
    assert '"MODE": "live"' in collect
    assert '"SECRET_KEY": "mine"' in collect
    assert "MODE" not in text[text.index("AS runtime") :]


def test_static_files_that_are_never_collected() -> None:
    """Django still has to start, and there is an empty folder to publish."""
    text = _text({"build": {"collect_static": "never"}})

    assert "collectstatic" in _text()
    assert "collectstatic" not in text
    assert "django.setup()" in text
    assert "published.mkdir(parents=True)\nEOF\n" in text


def test_a_lock_and_packages_have_steps_of_their_own() -> None:
    """The tool that reads a lock comes before the dependencies; a package that is the project's own, after its code."""
    found = replace(FOUND, installer=Installer.UV, names=("uv.lock",), read=("uv.lock",), later=True)
    text = _text(found=found)
    assert text.index("uv sync --frozen") < text.index("COPY . .") < text.index("uv sync --locked --inexact")

    text = _text(found=replace(FOUND, installer=Installer.POETRY, names=("poetry.lock",), read=("poetry.lock",)))
    assert text.index("uv tool install") < text.index("poetry export")
