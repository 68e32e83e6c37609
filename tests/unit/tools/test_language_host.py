"""The language host: what it tells the engine, how it ends, and a real preview where a Pulumi is there."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from tools.airgap.language_host import packages, server
from tools.airgap.language_host.environment import Environment, OptionError
from tools.bootstrapping import places, pulumi

REPOSITORY = Path(__file__).resolve().parents[3]
SECONDS = 30
# Stands in for the SDK's executor: prints what it was given, or does what the program's name says.
EXECUTOR = """
import json, os, sys, time
name = sys.argv[-1]
if name == "sleep":
    print("begun", flush=True)
    time.sleep(60)
if name.isdigit():
    sys.exit(int(name))
names = ("PULUMI_CONFIG", "PULUMI_CONFIG_SECRET_KEYS", "VIRTUAL_ENV")
print(json.dumps({"arguments": sys.argv[1:], "variables": {name: os.environ.get(name) for name in names}}), flush=True)
"""


@pytest.mark.parametrize(
    ("python", "plugin"),
    [
        ("5.1.0", "5.1.0"),
        ("1.2", "1.2.0"),
        ("1.2.3a4", "1.2.3-alpha.4"),
        ("1.2.3b4", "1.2.3-beta.4"),
        ("1.2.3rc4", "1.2.3-rc.4"),
        ("1.2.3.post4", "1.2.3+post4"),
        ("1.2.3.post4.dev5", "1.2.3+post4dev5"),
        ("1!2.3.4", None),
        ("banana", None),
    ],
)
def test_versions_are_translated_as_officially(python: str, plugin: str | None) -> None:
    """Python's versions become semantic ones; what has no counterpart is left out."""
    assert packages.plugin_version(python) == plugin


@pytest.mark.parametrize(
    ("described", "found"),
    [
        (None, {"name": "acme", "version": "v1.0.0", "kind": "resource", "server": ""}),
        ({"resource": False}, None),
        (
            {"resource": True, "name": "other", "version": "2.0.0", "server": "s"},
            {"name": "other", "version": "v2.0.0", "kind": "resource", "server": "s"},
        ),
    ],
)
def test_what_a_package_needs(described: dict[str, Any] | None, found: dict[str, Any] | None) -> None:
    """A package's pulumi-plugin.json decides; without one its name does."""
    assert packages.requirement("pulumi-acme", "1.0", described) == found


def test_the_plugins_of_this_project() -> None:
    """The installed SDKs need exactly the plugins that the bootstrap brings."""
    found = {each["name"]: each["version"] for each in packages.survey()["required"]}
    assert found == {name: f"v{number}" for name, number in pulumi.PLUGINS.items()}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"virtualenv": 1}, "virtualenv option must be a string"),
        ({"toolchain": "poetry"}, "unsupported toolchain option: poetry"),
        ({"typechecker": "pylint"}, "unsupported typechecker option: pylint"),
        ({"virtualenv": "nowhere"}, 'but "/project-root/nowhere" doesn\'t exist; run the following commands'),
    ],
)
def test_options_that_cannot_be_used(options: Mapping[str, Any], said: str) -> None:
    """A wrong runtime option is named, in the official host's words where it has them."""
    with pytest.raises(OptionError) as caught:
        Environment.of("/project-root", options).validate()
    assert said in str(caught.value)


def test_a_virtual_environment_is_activated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program finds the programs of its environment first."""
    monkeypatch.setenv("PYTHONHOME", "/wrong")
    found = Environment.of("/project", {"virtualenv": "../venv"}).variables()
    assert found["VIRTUAL_ENV"] == "/venv"
    assert found["PATH"].startswith("/venv/bin:")
    assert "PYTHONHOME" not in found


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (0, language_pb2.RunResponse()),
        (server.SHOWN_TO_THE_USER, language_pb2.RunResponse(bail=True)),
        (1, language_pb2.RunResponse(error="program exited with non-zero exit code: 1")),
        (-9, language_pb2.RunResponse(error="program exited with non-zero exit code: -1")),
    ],
)
def test_how_a_program_ended(code: int, answer: language_pb2.RunResponse) -> None:
    """What was shown already is not said again; the rest is worded as officially."""
    assert server.outcome(code) == answer


class Host:
    """The language host as the engine starts it: a process that prints its port."""

    def __init__(self, folder: Path, **environ: str) -> None:
        program = folder / pulumi.HOST
        (folder / pulumi.EXECUTOR).write_text(EXECUTOR)
        program.write_text(pulumi.language_host().replace(str(places.BIN), str(folder)))
        program.chmod(0o755)
        self.process = subprocess.Popen(
            [str(program), "127.0.0.1:1"], stdout=subprocess.PIPE, text=True, env=os.environ | environ
        )
        self.port = self._line()
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        self.runtime = language_pb2_grpc.LanguageRuntimeStub(self.channel)

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def printed(self) -> dict[str, Any]:
        """Give what the executor printed."""
        found: dict[str, Any] = json.loads(self._line())
        return found

    def close(self) -> None:
        """End it, however the test did."""
        self.channel.close()
        self.process.kill()
        self.process.wait(SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """Start a host."""
    found = Host(tmp_path)
    yield found
    found.close()


def info(folder: Path, entry: str = ".") -> language_pb2.ProgramInfo:
    """Describe a program that runs with the Python of these tests."""
    options = struct_pb2.Struct()
    options.update({"virtualenv": sys.prefix, "toolchain": "pip"})
    return language_pb2.ProgramInfo(
        root_directory=str(folder), program_directory=str(folder), entry_point=entry, options=options
    )


def test_a_program_gets_what_the_engine_says(host: Host, tmp_path: Path) -> None:
    """Project, stack, addresses and configuration reach the executor as the SDK expects them."""
    request = language_pb2.RunRequest(
        project="p",
        stack="s",
        organization="o",
        pwd=str(tmp_path),
        monitor_address="127.0.0.1:2",
        parallel=4,
        dryRun=True,
        config={"p:key": "value"},
        configSecretKeys=["p:key"],
        info=info(tmp_path),
        args=["more"],
    )
    answer = host.runtime.Run(request, timeout=SECONDS)
    assert answer == language_pb2.RunResponse()
    printed = host.printed()
    assert printed["arguments"] == [
        *("--monitor", "127.0.0.1:2", "--engine", "127.0.0.1:1", "--project", "p"),
        *("--root_directory", str(tmp_path), "--stack", "s", "--pwd", str(tmp_path), "--dry_run", "true"),
        *("--parallel", "4", "--organization", "o", ".", "more"),
    ]
    assert printed["variables"] == {
        "PULUMI_CONFIG": '{"p:key": "value"}',
        "PULUMI_CONFIG_SECRET_KEYS": '["p:key"]',
        "VIRTUAL_ENV": sys.prefix,
    }


@pytest.mark.parametrize(("entry", "error"), [("3", "program exited with non-zero exit code: 3"), ("32", "")])
def test_a_failing_program(host: Host, tmp_path: Path, entry: str, error: str) -> None:
    """The exit code becomes the answer."""
    answer = host.runtime.Run(language_pb2.RunRequest(info=info(tmp_path, entry)), timeout=SECONDS)
    assert answer == language_pb2.RunResponse(error=error, bail=entry == "32")


def test_the_engine_learns_the_plugins(host: Host, tmp_path: Path) -> None:
    """Over gRPC too, and without a network: only the environment is looked at."""
    request = language_pb2.GetRequiredPackagesRequest(info=info(tmp_path))
    found = host.runtime.GetRequiredPackages(request, timeout=SECONDS).packages
    assert ("docker", "v5.1.0", "resource") in [(each.name, each.version, each.kind) for each in found]


def test_about(host: Host, tmp_path: Path) -> None:
    """``pulumi about`` names the Python that runs programs."""
    assert host.runtime.GetPluginInfo(empty_pb2.Empty(), timeout=SECONDS).version == pulumi.VERSION
    found = host.runtime.About(language_pb2.AboutRequest(info=info(tmp_path)), timeout=SECONDS)
    assert found.version == ".".join(str(number) for number in sys.version_info[:3])
    request = language_pb2.GetProgramDependenciesRequest(info=info(tmp_path))
    names = [each.name for each in host.runtime.GetProgramDependencies(request, timeout=SECONDS).dependencies]
    assert "pulumi-docker" in names


def test_what_it_does_not_do(host: Host) -> None:
    """Generating code is refused as a call that is not there, which the engine understands."""
    with pytest.raises(grpc.RpcError) as caught:
        host.runtime.GenerateProgram(language_pb2.GenerateProgramRequest(), timeout=SECONDS)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_cancel_ends_the_program_and_the_host(host: Host, tmp_path: Path) -> None:
    """The engine waits five seconds for a host that stays; this one is gone in well under one."""
    running = host.runtime.Run.future(language_pb2.RunRequest(info=info(tmp_path, "sleep")), timeout=SECONDS)
    assert host.process.stdout is not None
    assert host.process.stdout.readline() == "begun\n"
    start = time.monotonic()
    host.runtime.Cancel(empty_pb2.Empty(), timeout=SECONDS)
    assert host.process.wait(SECONDS) == 0
    assert time.monotonic() - start < 2
    assert "non-zero exit code" in running.result().error


def test_an_interrupt_ends_it(host: Host) -> None:
    """SIGINT, which the engine sends on shutdown, is not an error."""
    host.process.send_signal(signal.SIGINT)
    assert host.process.wait(SECONDS) == 0


def test_without_the_executor_it_says_so(tmp_path: Path) -> None:
    """A host that was copied alone names what is missing and what brings it."""
    program = tmp_path / pulumi.HOST
    program.write_text(pulumi.language_host().replace(str(places.BIN), str(tmp_path)))
    done = subprocess.run(["sh", str(program)], capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 1
    assert done.stderr == f"missing executor {tmp_path / pulumi.EXECUTOR}: run tools/bootstrap\n"


# A policy pack that speaks for itself: it answers GetPluginInfo with the configuration that it was told.
PACK = """
import os, sys, threading
from concurrent.futures import ThreadPoolExecutor
import grpc
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2
class Pack(analyzer_pb2_grpc.AnalyzerServicer):
    def ConfigureStack(self, request, context):
        self.stack = request.stack
        return analyzer_pb2.AnalyzerStackConfigureResponse()
    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version=" ".join((self.stack, os.environ["PULUMI_STACK"], os.environ["PULUMI_CONFIG"])))
server = grpc.server(ThreadPoolExecutor(4))
analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Pack(), server)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
print("said", file=sys.stderr, flush=True)
threading.Event().wait()
"""


def test_a_policy_pack_is_told_its_stack(host: Host, tmp_path: Path) -> None:
    """The pack starts when the stack is known, has it in its environment, and gets the engine's calls."""
    from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc  # noqa: PLC0415 - only here

    # `python -m pulumi.policy` runs a pack; a module of that name in the pack's directory stands in for it.
    pack = tmp_path / "pack"
    (pack / "pulumi_pack").mkdir(parents=True)
    (pack / "pulumi_pack" / "__main__.py").write_text(PACK)
    request = language_pb2.RunPluginRequest(kind="analyzer", info=info(pack), args=["ignored"], pwd=str(pack))
    shim = pack / "sitecustomize.py"
    shim.write_text(
        "import runpy, sys\n"
        "if 'pulumi.policy' in sys.orig_argv:\n"
        f"    runpy.run_path({str(pack / 'pulumi_pack')!r}, run_name='__main__')\n"
    )
    request.env.append(f"PYTHONPATH={pack}")
    answers: Any = host.runtime.RunPlugin(request, timeout=SECONDS)
    port = int(next(answers).stdout)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        analyzer = analyzer_pb2_grpc.AnalyzerStub(channel)
        analyzer.Handshake(analyzer_pb2.AnalyzerHandshakeRequest(), timeout=SECONDS)
        configuration = analyzer_pb2.AnalyzerStackConfigureRequest(stack="prod", config={"p:k": "v"})
        analyzer.ConfigureStack(configuration, timeout=SECONDS)
        told = analyzer.GetPluginInfo(empty_pb2.Empty(), timeout=SECONDS).version
    assert told == 'prod prod {"p:k": "v"}'
    assert next(answers).stderr == b"said\n"
    answers.cancel()


def our_pulumi() -> str | None:
    """Find a Pulumi that was built here, with our host beside it."""
    found = REPOSITORY / ".slipway" / "bin" / "pulumi"
    return str(found) if found.exists() and (found.parent / pulumi.HOST).exists() else shutil.which("pulumi")


@pytest.mark.skipif(our_pulumi() is None, reason="there is no pulumi here: tools/bootstrap brings it")
def test_a_real_preview(tmp_path: Path) -> None:
    """The real engine runs a program through the host beside it, and shows its errors as they are."""
    program = our_pulumi()
    assert program is not None
    (tmp_path / "state").mkdir()
    (tmp_path / "Pulumi.yaml").write_text(
        f"name: probe\nruntime:\n  name: python\n  options: {{toolchain: pip, virtualenv: {json.dumps(sys.prefix)}}}\n"
    )
    environ = os.environ | {
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "a test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        line = [program, *arguments, "--non-interactive", "--color", "never"]
        return subprocess.run(
            line, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, timeout=2 * SECONDS
        )

    assert run("stack", "init", "test").returncode == 0
    assert run("config", "set", "greeting", "hello").returncode == 0
    main = tmp_path / "__main__.py"
    main.write_text("import pulumi\npulumi.export('said', pulumi.Config().require('greeting'))\n")
    start = time.monotonic()
    done = run("preview")
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'said: "hello"' in done.stdout
    assert time.monotonic() - start < 4, "the engine waited for something"
    main.write_text("raise ValueError('boom')\n")
    done = run("preview")
    assert done.returncode != 0
    assert f'File "{main}", line 1, in <module>' in done.stdout
    assert "ValueError: boom" in done.stdout
