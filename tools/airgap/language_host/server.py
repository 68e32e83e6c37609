"""The ``LanguageRuntime`` service: what the engine asks of a language, answered for Python.

It owns the life of the host's process and of the programs it starts. Errors are worded as the official host words
them, since users search for those words.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from tools.airgap.language_host.environment import Environment, OptionError

SHOWN_TO_THE_USER = 32  # the exit code by which the executor says that it has printed what went wrong
SECONDS_TO_STOP = 5.0
SECONDS_TO_ANSWER = 0.5
PARENT_CHECK_SECONDS = 1.0
MESSAGE_LIMIT = 400 * 1024 * 1024
OPTIONS = [("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.max_send_message_length", MESSAGE_LIMIT)]


class Programs:
    """The programs that run now, so that a cancelled update stops them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[subprocess.Popen[bytes], bool] = {}
        self._cancelled = False

    def adopt(self, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        """Take a program into the care of this object."""
        with self._lock:
            self._running[process] = False
            cancelled = self._cancelled
        if cancelled:
            self.interrupt(process)
        return process

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for a program's end and give its exit code."""
        try:
            return process.wait()
        finally:
            with self._lock:
                self._running.pop(process, None)

    def interrupt(self, process: subprocess.Popen[bytes]) -> None:
        """Interrupt a program, once: a second signal would break into its cleaning up."""
        with self._lock:
            if not self._running.get(process, True):
                self._running[process] = True
                process.send_signal(signal.SIGINT)

    def cancel(self) -> None:
        """Interrupt what runs, and kill what does not stop by itself."""
        with self._lock:
            self._cancelled = True
            running = list(self._running)
        for process in running:
            self.interrupt(process)
        for process in running:
            try:
                process.wait(SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                process.kill()


def outcome(code: int) -> language_pb2.RunResponse:
    """Tell the engine how a program ended."""
    if code == 0:
        return language_pb2.RunResponse()
    if code == SHOWN_TO_THE_USER:
        return language_pb2.RunResponse(bail=True)
    return language_pb2.RunResponse(error=f"program exited with non-zero exit code: {max(code, -1)}")


def arguments(request: language_pb2.RunRequest, engine: str) -> list[str]:
    """Build the executor's command line."""
    named = {
        "monitor": request.monitor_address,
        "engine": engine,
        "project": request.project,
        "root_directory": request.info.root_directory,
        "stack": request.stack,
        "pwd": request.pwd,
        "dry_run": "true" if request.dryRun else "false",
        "parallel": str(request.parallel),
        "organization": request.organization,
    }
    flags = [part for key, value in named.items() if value for part in (f"--{key}", value)]
    return [*flags, request.info.entry_point, *request.args]


class LanguageRuntime(language_pb2_grpc.LanguageRuntimeServicer):
    """Answers the engine. Calls it does not define are answered "unimplemented"."""

    def __init__(self, executor: Path, engine: str) -> None:
        self._executor = executor
        self._engine = engine
        self._programs = Programs()
        self.finished = threading.Event()

    def Handshake(  # noqa: N802 - gRPC's name
        self, request: language_pb2.LanguageHandshakeRequest, _context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        """Learn where the engine is."""
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(  # noqa: N802 - gRPC's name
        self, _request: empty_pb2.Empty, _context: grpc.ServicerContext
    ) -> plugin_pb2.PluginInfo:
        """Say which version this host goes with: the SDK's."""
        from importlib.metadata import version  # noqa: PLC0415 - 30 ms, and few commands ask

        return plugin_pb2.PluginInfo(version=version("pulumi"))

    def GetRequiredPackages(  # noqa: N802 - gRPC's name
        self, request: language_pb2.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        """Name the plugins that the installed packages need."""
        environment = self._environment(request.info, context)
        response = language_pb2.GetRequiredPackagesResponse()
        try:
            environment.validate()
            for found in environment.survey()["required"]:
                json_format.ParseDict(found, response.packages.add(), ignore_unknown_fields=True)
        except (OptionError, OSError) as error:
            self._refuse(context, error)
        return response

    def Run(  # noqa: N802 - gRPC's name
        self, request: language_pb2.RunRequest, context: grpc.ServicerContext
    ) -> language_pb2.RunResponse:
        """Run the user's program and wait for it."""
        environment = self._environment(request.info, context)
        if request.attach_debugger:
            return language_pb2.RunResponse(
                error="this language host attaches no debugger: use the official one for it"
            )
        try:
            environment.validate()
            self._check_types(environment, request.info.program_directory)
            variables = environment.variables()
            variables["PULUMI_CONFIG"] = json.dumps(dict(request.config))
            variables["PULUMI_CONFIG_SECRET_KEYS"] = json.dumps(list(request.configSecretKeys))
            command = [environment.python, str(self._executor), *arguments(request, self._engine)]
            process = self._programs.adopt(subprocess.Popen(command, env=variables))  # it prints where the host prints
        except OptionError as error:
            self._refuse(context, error)
        except OSError as error:
            return language_pb2.RunResponse(
                error=f"problem executing program (could not run language executor): {error}"
            )
        context.add_callback(lambda: self._programs.interrupt(process))
        return outcome(self._programs.wait(process))

    def RunPlugin(  # noqa: N802 - gRPC's name
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Run a policy pack, or another plugin that is written in Python, and pass on what it prints."""
        from tools.airgap.language_host import plugins  # noqa: PLC0415 - most commands run none

        environment = self._environment(request.info, context, plugin=request.kind != plugins.POLICY_PACK)
        try:
            environment.validate()
            yield from plugins.run(request, environment, self._programs, context)
        except (OptionError, OSError) as error:
            self._refuse(context, error)

    def InstallDependencies(  # noqa: N802 - gRPC's name
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Install a program's requirements, as ``pulumi install`` asks."""
        from tools.airgap.language_host import plugins  # noqa: PLC0415 - one command asks

        environment = self._environment(request.info, context, plugin=request.is_plugin)
        try:
            for line in plugins.install(environment, request.info.program_directory, self._programs):
                yield language_pb2.InstallDependenciesResponse(stdout=line)
        except (OptionError, OSError) as error:
            self._refuse(context, error)

    def About(  # noqa: N802 - gRPC's name
        self, request: language_pb2.AboutRequest, context: grpc.ServicerContext
    ) -> language_pb2.AboutResponse:
        """Say which Python runs programs."""
        environment = self._environment(request.info, context)
        try:
            done = subprocess.run(
                [environment.python, "-c", "import platform, sys; print(sys.executable, platform.python_version())"],
                env=environment.variables(),
                capture_output=True,
                check=True,
                text=True,
                timeout=30,
            )
        except (OptionError, OSError, subprocess.SubprocessError) as error:
            self._refuse(context, error)
        executable, version = done.stdout.strip().rsplit(" ", 1)
        metadata = {"toolchain": "Pip", "typechecker": environment.typechecker or "None"}
        return language_pb2.AboutResponse(executable=executable, version=version, metadata=metadata)

    def GetProgramDependencies(  # noqa: N802 - gRPC's name
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        """List the packages that a program can import."""
        environment = self._environment(request.info, context)
        response = language_pb2.GetProgramDependenciesResponse()
        try:
            for found in environment.survey()["packages"]:
                response.dependencies.add(name=found["name"], version=found["version"])
        except (OptionError, OSError) as error:
            self._refuse(context, error)
        return response

    def Cancel(  # noqa: N802 - gRPC's name
        self, _request: empty_pb2.Empty, _context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """Stop what runs, then end: the engine waits five seconds for a host that stays."""
        self.finished.set()
        return empty_pb2.Empty()

    def stop(self) -> None:
        """Stop every program that still runs."""
        self._programs.cancel()

    def _environment(
        self, info: language_pb2.ProgramInfo, context: grpc.ServicerContext, *, plugin: bool = False
    ) -> Environment:
        try:
            options = json_format.MessageToDict(info.options)
            return Environment.of(info.root_directory, options, plugin=plugin)
        except OptionError as error:
            self._refuse(context, error)

    def _refuse(self, context: grpc.ServicerContext, error: Exception) -> NoReturn:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))
        raise AssertionError("abort raises")

    def _check_types(self, environment: Environment, folder: str) -> None:
        """Run the type checker that the runtime options name."""
        checker = environment.typechecker
        if checker is None:
            return
        if not environment.has(checker):
            raise OptionError(
                f"The typechecker option is set to {checker}, but {checker} is not installed. Please add an entry for "
                f"{checker} to requirements.txt and run `{environment.virtualenv}/bin/pip install -r requirements.txt`"
            )
        exclude = ["--exclude", os.path.relpath(environment.folder, folder)] if environment.folder else []
        command = [environment.python, "-m", checker, *(exclude if checker == "mypy" else []), folder]
        done = subprocess.run(
            command, cwd=folder, env=environment.variables(), capture_output=True, text=True, check=False, timeout=600
        )
        print(done.stdout + done.stderr, end="", flush=True)
        if done.returncode:
            raise OptionError(f"{checker} failed: exit status {done.returncode}\n{done.stdout}{done.stderr}")


def watch_parent(finished: threading.Event) -> None:
    """End with the engine, also when it is killed."""
    parent = os.getppid()
    while not finished.wait(PARENT_CHECK_SECONDS):
        if os.getppid() != parent:
            finished.set()


def serve(parameters: list[str], program: Path) -> int:
    """Serve the engine until it cancels, dies, or interrupts this process."""
    executor = program.resolve().parent / "pulumi-language-python-exec"
    if not executor.is_file():
        print(f"missing executor {executor}: run tools/bootstrap", file=sys.stderr)
        return 1
    host = LanguageRuntime(executor, next((value for value in parameters if not value.startswith("-")), ""))
    server = grpc.server(ThreadPoolExecutor(max_workers=16), options=OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: host.finished.set())
    threading.Thread(target=watch_parent, args=(host.finished,), daemon=True).start()
    print(port, flush=True)
    host.finished.wait()
    host.stop()
    server.stop(grace=SECONDS_TO_ANSWER).wait()
    sys.stdout.flush()
    os._exit(0)  # what is left are threads of calls that nobody waits for
