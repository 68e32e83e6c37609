"""The bootstrap's command: its messages, its settings file, and that each failure names its mend."""

import ast
import errno
import hashlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from pipeline.console import PipelineError
from tests.unit.tools.programs import script
from tools.bootstrapping import check, debian, docker, environment, images, main, network, places, settings
from tools.bootstrapping.report import Report

ENTRY = Path(__file__).resolve().parents[3] / "tools" / "bootstrap"


def test_an_old_python_can_read_the_entry() -> None:
    """Whoever has Python 3.6 gets a message, not a syntax error."""
    ast.parse(ENTRY.read_text(), feature_version=(3, 7))


def test_another_python_is_looked_for(tmp_path: Path) -> None:
    """A Python that is too new or too old goes on with one that is right, past those that do not run."""
    script(tmp_path / "python3.13", "exit 127")
    script(tmp_path / "python3.12", '[ "$1" = -c ] || echo went on with: "$2"')
    entry = tmp_path / "bootstrap"
    entry.write_text(ENTRY.read_text().replace("OLDEST, NEWEST = 11, 13", "OLDEST, NEWEST = 12, 13", 1))
    older = entry.read_text().replace("(3, OLDEST) <= sys.version_info[:2]", "(4, 0) <= sys.version_info[:2]")
    entry.write_text(older)
    line = [sys.executable, str(entry), "--check"]
    done = subprocess.run(line, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "went on with: --check\n"
    done = subprocess.run(line, env={"PATH": "/nowhere"}, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert "allowed: Python 3.12 to 3.13" in done.stderr


def test_help_gives_examples() -> None:
    """The command explains itself, from any directory."""
    done = subprocess.run([str(ENTRY), "--help"], cwd="/", capture_output=True, text=True, check=True, timeout=30)
    assert "tools/bootstrap --check --json" in done.stdout


@pytest.mark.parametrize(
    ("number", "said", "mend"),
    [
        (errno.ENOSPC, "the disk is full: No space left on device: /x", "df -h"),
        (errno.EACCES, "may not write or run /x: Permission denied", "export SLIPWAY_CACHE="),
        (errno.EIO, "Input/output error", "tools/bootstrap"),
    ],
)
def test_the_operating_system_in_words(number: int, said: str, mend: str) -> None:
    """What the system refuses becomes a cause and a command."""
    (problem,) = main.explain(OSError(number, os.strerror(number), "/x")).problems
    assert said in problem.found
    assert mend in (problem.mend or "")


@pytest.mark.usefixtures("clone")
@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x"), 1, "error: the disk is full"),
        (KeyboardInterrupt(), 130, "warning: interrupted; the same command goes on where it stopped"),
    ],
)
def test_a_failure_is_a_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    """No traceback reaches the user, whatever stops a part."""

    def fail(_report: Report) -> None:
        raise error

    monkeypatch.setattr(environment, "ensure", fail)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert main.main([]) == code
    printed = capsys.readouterr().err
    assert printed.startswith(said)
    assert "Traceback" not in printed


def chosen(**changes: object) -> settings.Chosen:
    """Give the settings of a machine on the airgap route, with changes."""
    values: dict[str, object] = {
        "pulumi_home": Path("/clone/home of pulumi"),
        "docker_host": docker.DEFAULT,
        "buildx_config": Path("/cache/buildx"),
    }
    return settings.Chosen(**(values | changes))  # type: ignore[arg-type]  # the names are checked by the class


def sourced(text: str, **environ: str) -> dict[str, str]:
    """Give a shell's variables after it read the text, twice."""
    shell = shutil.which("dash") or "/bin/sh"
    line = 'set -eu; eval "$TEXT"; eval "$TEXT"; env -0'
    done = subprocess.run(
        [shell, "-c", line], env={"PATH": "/usr/bin:/bin", "TEXT": text, **environ}, capture_output=True, check=True
    )
    pairs = (entry.split("=", 1) for entry in done.stdout.decode().split("\0") if "=" in entry)
    return {name: value for name, value in pairs if name != "TEXT"}


@pytest.mark.usefixtures("clone")
def test_the_settings_of_a_shell() -> None:
    """A shell that reads the file finds our tools first, once, and Pulumi's state in the clone."""
    found = sourced(settings.text(chosen()))
    assert found["PATH"] == f"{places.BIN}:{places.VENV}/bin:/usr/bin:/bin"
    assert found["PULUMI_BACKEND_URL"] == f"file://{places.LOCAL}/state"
    assert found["PULUMI_CONFIG_PASSPHRASE_FILE"] == f"{places.LOCAL}/passphrase"
    assert found["PULUMI_HOME"] == "/clone/home of pulumi"
    assert found["BUILDX_CONFIG"] == "/cache/buildx"
    assert "DOCKER_HOST" not in found


@pytest.mark.usefixtures("clone")
def test_what_the_user_has_set_stays() -> None:
    """A backend, a passphrase (also an empty one) and a Docker host of the user's come first."""
    own = {"PULUMI_BACKEND_URL": "s3://b", "PULUMI_CONFIG_PASSPHRASE": "", "DOCKER_HOST": "ssh://me"}
    found = sourced(settings.text(chosen(docker_host="unix:///other")), **own)
    assert {name: found[name] for name in own} == own
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in found


@pytest.mark.usefixtures("clone")
@pytest.mark.parametrize("own", [{}, {"PULUMI_BACKEND_URL": "s3://b", "PULUMI_CONFIG_PASSPHRASE_FILE": "/own"}])
def test_another_clone_in_the_same_shell_has_its_own_state(own: dict[str, str]) -> None:
    """What the first clone's file has set is not taken for the user's choice; what the user has set stays."""
    text = settings.text(chosen())
    first = sourced(text.replace(str(places.LOCAL), "/first/.slipway"), **own)
    first.pop("PATH")
    found = sourced(text, **first)
    assert found["PULUMI_BACKEND_URL"] == own.get("PULUMI_BACKEND_URL", f"file://{places.LOCAL}/state")
    assert found["PULUMI_CONFIG_PASSPHRASE_FILE"] == own.get(
        "PULUMI_CONFIG_PASSPHRASE_FILE", f"{places.LOCAL}/passphrase"
    )


@pytest.mark.usefixtures("clone")
def test_builds_trust_what_the_system_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's certificates, where it has them and the user has chosen none."""
    bundle = tmp_path / "ca.crt"
    monkeypatch.setattr(settings, "SYSTEM_BUNDLE", bundle)
    assert "SSL_CERT_FILE" not in sourced(settings.text(chosen()))

    bundle.touch()
    assert sourced(settings.text(chosen()))["SSL_CERT_FILE"] == str(bundle)
    assert sourced(settings.text(chosen()), SSL_CERT_FILE="/own")["SSL_CERT_FILE"] == "/own"


@pytest.mark.usefixtures("clone")
def test_the_cluster_of_this_machine_is_used_while_it_is_there(tmp_path: Path) -> None:
    """Its kubeconfig counts where it exists and the user has chosen none; images go to the registry of this machine."""
    kubeconfig = tmp_path / "cache" / "cluster" / "kubeconfig"
    text = settings.text(chosen())
    assert "KUBECONFIG" not in sourced(text)
    assert sourced(text)["SLIPWAY_REGISTRY"] == settings.MIRROR
    assert (
        sourced(text, SLIPWAY_REGISTRY="registry.example.org/team")["SLIPWAY_REGISTRY"] == "registry.example.org/team"
    )

    kubeconfig.parent.mkdir(parents=True)
    kubeconfig.touch()
    assert sourced(text)["KUBECONFIG"] == str(kubeconfig)
    assert sourced(text, KUBECONFIG="/own")["KUBECONFIG"] == "/own"
    assert "SLIPWAY_REGISTRY" not in sourced(settings.text(chosen(buildx_config=None)))


@pytest.mark.usefixtures("clone")
def test_official_tools_need_no_settings_of_ours() -> None:
    """With what Pulumi and Docker bring themselves, their own places stay in use."""
    found = sourced(settings.text(chosen(pulumi_home=None, buildx_config=None)))
    assert not {"PULUMI_HOME", "BUILDX_CONFIG", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"} & set(found)


def daemon(path: Path, answer: bytes) -> socket.socket:
    """Answer one request on a socket, as a Docker daemon does."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + answer)

    threading.Thread(target=serve, daemon=True).start()
    return listener


@pytest.mark.parametrize(("said", "version"), [(b'{"Version": "20.10.24"}', "20.10.24"), (b"<html>", None)])
def test_a_daemon_is_asked(tmp_path: Path, said: bytes, version: str | None) -> None:
    """What answers like Docker is Docker; anything else is not."""
    with daemon(tmp_path / "s", said):
        assert docker.ask(f"unix://{tmp_path / 's'}").version == version


def test_a_missing_daemon_elsewhere_is_not_replaced(report: Report) -> None:
    """Where DOCKER_HOST names a daemon, none is started on this machine."""
    with pytest.raises(
        PipelineError, match=r"no Docker daemon answers at unix:///x: why\n  mend:    docker context ls"
    ):
        docker.bring(report, docker.Answer("unix:///x", reason="why"), mirror=False)


def test_a_user_who_may_not_is_told_the_group(report: Report) -> None:
    """A daemon that refuses this user is not installed again."""
    answer = docker.Answer(docker.DEFAULT, reason="Permission denied", denied=True)
    with pytest.raises(PipelineError, match=r"mend:    sudo usermod -aG docker \$USER"):
        docker.bring(report, answer, mirror=False)


def test_without_root_the_package_is_named(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may not install is told what to install."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PipelineError) as caught:
        debian.install(report, ["docker.io"], why="there is no Docker daemon")
    assert str(caught.value).splitlines() == [
        "there is no Docker daemon",
        "  mend:    sudo apt-get update && sudo apt-get install -y docker.io   # Debian, Ubuntu; elsewhere the same by its own packages",
    ]


@pytest.mark.usefixtures("clone")
def test_docker_hub_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A firewall that swallows questions costs its three seconds once; --again asks again."""
    asked: list[str] = []

    def reachable(url: str) -> bool:
        asked.append(url)
        return len(asked) > 1

    monkeypatch.setattr(network, "reachable", reachable)
    assert images.needed()
    assert images.needed()
    assert len(asked) == 1
    assert not images.needed(again=True)
    assert not images.needed()


@pytest.mark.usefixtures("clone")
def test_what_does_not_answer_is_not_reachable() -> None:
    """A refused connection is an answer of its own, at once."""
    assert not network.reachable("http://127.0.0.1:9/")


def wheel(folder: Path, name: str, version: str, requires: str = "") -> str:
    """Make a package that holds nothing; give its hash."""
    info = f"{name}-{version}.dist-info"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: toml\n"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(f"{info}/METADATA", metadata + (f"Requires-Dist: {requires}\n" if requires else ""))
        made.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        made.writestr(f"{info}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_newer_release_does_not_break_the_lock(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the lock pins is installed, also when the registry has a newer one of what another asks for with extras."""
    registry = tmp_path / "registry"
    registry.mkdir()
    pins = {"top": wheel(registry, "top", "1.0", "below[toml]>=1.0"), "below": wheel(registry, "below", "1.0")}
    wheel(registry, "below", "2.0")
    lock = tmp_path / "lock.txt"
    lock.write_text("".join(f"{name}==1.0 --hash=sha256:{sha}\n" for name, sha in pins.items()))
    monkeypatch.setattr(environment, "LOCK", lock)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(registry))

    environment.ensure(report)

    assert environment.complete()
    frozen = [str(places.VENV_PYTHON), "-m", "pip", "freeze"]
    done = subprocess.run(frozen, check=True, capture_output=True, text=True, timeout=60)
    assert sorted(line for line in done.stdout.splitlines() if "==" in line) == ["below==1.0", "top==1.0"]


def test_the_lock_is_complete() -> None:
    """Nothing that an installed package asks for is missing or of another version, though pip resolved nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "check"], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout


def test_an_interrupted_pip_starts_anew(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a package counts as a whole one for pip, so an environment that it left unfinished is made again."""
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0))
    places.VENV.mkdir(parents=True)
    (places.VENV / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.3\n")
    assert clone.exists()
    assert environment.works()
    environment.BEGUN.touch()
    assert not environment.works()


@pytest.mark.usefixtures("clone")
@pytest.mark.parametrize(("line", "works"), [("version = 3.10.1", False), ("version_info = 3.13.0.final.0", True)])
def test_an_environment_of_another_python(monkeypatch: pytest.MonkeyPatch, line: str, works: bool) -> None:  # noqa: FBT001 - expected value
    """An environment made with a Python that is not supported is made again; with another supported one it stays."""
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0))
    places.VENV.mkdir(parents=True)
    (places.VENV / "pyvenv.cfg").write_text(f"{line}\n")
    assert environment.works() is works


def test_a_long_step_shows_that_it_lives(report: Report) -> None:
    """Without a terminal too, a line tells from time to time how long it has taken so far."""
    report.heartbeat = 0.05
    with report.step("slow") as step:
        report.say("working")
        report.run(["sleep", "0.2"], name="sleep", limit=5)
        step.did("built", "detail")
    assert isinstance(report.console.out, io.StringIO)
    lines = report.console.out.getvalue().splitlines()
    assert lines[0] == "    working"
    assert lines[1] == "    working: 0 s so far"
    assert re.fullmatch(r"  slow             built              \d\.\d s   detail", lines[-1])


def test_a_program_that_hangs_is_ended(report: Report) -> None:
    """Every program has a limit, and what it started ends with it."""
    with pytest.raises(PipelineError, match=r"^hang took longer than 0\.2 s and was ended"):
        report.run(["sh", "-c", "sleep 60 & wait"], name="hang", limit=0.2)


@pytest.mark.usefixtures("clone")
def test_the_check_is_for_programs_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each part that is missing names what mends it, and the exit code says that something is missing."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    assert main.main(["--check", "--json"]) == 1
    found = {part["name"]: part for part in json.loads(capsys.readouterr().out)}
    assert list(found) == [
        "python", "environment", "pulumi", "plugin docker", "plugin docker-build", "plugin kubernetes", "docker", "shell",
    ]  # fmt: skip
    assert [name for name, part in found.items() if part["present"]] in (["python"], ["python", "pulumi"])
    assert all(part["mend"] for part in found.values() if not part["present"])
    assert check.MEND == "tools/bootstrap"


@pytest.mark.parametrize(
    ("stat", "kept"),
    [
        ("7 (containerd) S 1 7", True),
        ("7 (containerd) Z 1 7", False),
        ("7 (python3) S 1 7", False),
        (None, False),
    ],
)
def test_a_dead_daemon_is_forgotten(tmp_path: Path, stat: str | None, kept: bool) -> None:  # noqa: FBT001 - expected value
    """A pid file counts while its program runs; a zombie, a stranger with its number, or nobody at all does not."""
    pid_file = tmp_path / "run/docker/containerd/containerd.pid"
    pid_file.parent.mkdir(parents=True)
    pid_file.write_text("7")
    if stat is not None:
        (tmp_path / "proc/7").mkdir(parents=True)
        (tmp_path / "proc/7/stat").write_text(stat)

    docker.forget_dead(tmp_path / "run", tmp_path / "proc")

    assert pid_file.exists() is kept
