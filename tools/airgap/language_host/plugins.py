"""Plugins written in Python, above all policy packs: starting them and passing on what they print.

A policy pack learns the stack's configuration from its environment, but the engine sends it over gRPC to a plugin that
already runs. So a small proxy takes the first calls, starts the pack with what they said, and forwards the rest.
"""

import json
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

import grpc
from pulumi.runtime.proto import analyzer_pb2, language_pb2

from tools.airgap.language_host.environment import Environment, OptionError

POLICY_PACK = "analyzer"
SECONDS_TO_START = 60.0
Chunk = tuple[str, bytes]

if TYPE_CHECKING:
    RawHandler = grpc.GenericRpcHandler[bytes, bytes]
else:
    RawHandler = grpc.GenericRpcHandler  # generic in its types alone


class Programs(Protocol):
    """What keeps the running programs."""

    def adopt(self, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        """Take a program into care."""

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for its end."""


def unread(message: bytes) -> bytes:
    """Leave a message as it came."""
    return message


class PolicyProxy(RawHandler):
    """The analyzer that the engine talks to; messages pass through it unread."""

    def __init__(self) -> None:
        self.configuration = b""
        self.wanted = threading.Event()
        self._ready = threading.Event()
        self._channel: grpc.Channel | None = None
        self._server = grpc.server(ThreadPoolExecutor(max_workers=8))
        self._server.add_generic_rpc_handlers((self,))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        """Choose who answers a call."""
        method: str = details.method
        answers: dict[str, Callable[[bytes, grpc.ServicerContext], bytes]] = {
            "Handshake": lambda _request, _context: b"",
            "ConfigureStack": lambda request, _context: self._configure(request),
        }
        forward = lambda request, context: self._forward(method, request, context)  # noqa: E731 - as the two above
        return grpc.unary_unary_rpc_method_handler(answers.get(method.rpartition("/")[2], forward))

    def _configure(self, request: bytes) -> bytes:
        self.configuration = request
        self.wanted.set()
        return b""

    def _forward(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        self.wanted.set()
        if not self._ready.wait(SECONDS_TO_START) or self._channel is None:
            context.abort(grpc.StatusCode.UNAVAILABLE, "policy pack not started")
        try:
            answer: bytes = self._channel.unary_unary(method, unread, unread)(request)
        except grpc.RpcError as error:
            context.abort(error.code(), error.details() or "")
        return answer

    def attach(self, port: int) -> None:
        """Forward to the pack, after telling it the configuration that came before it ran."""
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        try:
            self._channel.unary_unary("/pulumirpc.Analyzer/ConfigureStack", unread, unread)(self.configuration)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNIMPLEMENTED:  # older packs have no such call
                raise OptionError(f"policy pack configuration failed: {error.details()}") from error
        self._ready.set()

    def close(self) -> None:
        """Let waiting calls fail and end."""
        self._ready.set()
        self._server.stop(grace=None)


def policy_variables(configuration: bytes) -> dict[str, str]:
    """Say in a pack's environment which stack it looks at."""
    sent = analyzer_pb2.AnalyzerStackConfigureRequest.FromString(configuration)
    values = {
        "PULUMI_ORGANIZATION": sent.organization,
        "PULUMI_PROJECT": sent.project,
        "PULUMI_STACK": sent.stack,
        "PULUMI_DRY_RUN": "true" if sent.dry_run else "false",
        "PULUMI_CONFIG": json.dumps(dict(sent.config)),
    }
    return {key: value for key, value in values.items() if value}


def command(request: language_pb2.RunPluginRequest, environment: Environment) -> list[str]:
    """Build a plugin's command line."""
    folder = request.info.program_directory
    if request.kind == POLICY_PACK:
        return [environment.python, "-u", "-m", "pulumi.policy", *request.args, folder]
    if not (Path(folder) / "__main__.py").is_file():
        raise OptionError(f"plugin is not runnable: {folder} has no __main__.py, the one form this host starts")
    return [environment.python, folder, *request.args]


def start(line: list[str], folder: str, variables: dict[str, str], programs: Programs) -> subprocess.Popen[bytes]:
    """Start a program whose output is read."""
    return programs.adopt(
        subprocess.Popen(line, cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    )


def output(process: subprocess.Popen[bytes]) -> Iterator[Chunk]:
    """Give what a program prints, as it comes, until both of its streams end."""
    chunks: queue.SimpleQueue[Chunk] = queue.SimpleQueue()

    def read(name: str, stream: IO[bytes]) -> None:
        for line in stream:
            chunks.put((name, line))
        chunks.put((name, b""))

    streams = {name: stream for name in ("stdout", "stderr") if (stream := getattr(process, name))}
    for name, stream in streams.items():
        threading.Thread(target=read, args=(name, stream), daemon=True).start()
    ended = 0
    while ended < len(streams):
        chunk = chunks.get()
        if chunk[1]:
            yield chunk
        else:
            ended += 1


def run(
    request: language_pb2.RunPluginRequest, environment: Environment, programs: Programs, context: grpc.ServicerContext
) -> Iterator[language_pb2.RunPluginResponse]:
    """Run a plugin to its end; the engine ends it by closing the call."""
    variables = environment.variables()
    for entry in request.env:
        name, _, value = entry.partition("=")
        variables[name] = value
    line = command(request, environment)
    proxy = PolicyProxy() if request.kind == POLICY_PACK else None
    gone = threading.Event()
    context.add_callback(gone.set)
    if proxy is not None:
        context.add_callback(proxy.wanted.set)
        yield language_pb2.RunPluginResponse(stdout=f"{proxy.port}\n".encode())
        proxy.wanted.wait()
        if gone.is_set():
            proxy.close()
            return
        variables.update(policy_variables(proxy.configuration))
    folder = request.info.program_directory if proxy else request.pwd
    process = start(line, folder, variables, programs)
    context.add_callback(process.kill)
    attached = proxy is None
    try:
        for name, text in output(process):
            if proxy is not None and not attached and name == "stdout" and text.strip().isdigit():
                proxy.attach(int(text))
                attached = True
            elif name == "stdout":
                yield language_pb2.RunPluginResponse(stdout=text)
            else:
                yield language_pb2.RunPluginResponse(stderr=text)
        yield language_pb2.RunPluginResponse(exitcode=max(programs.wait(process), -1))
    finally:
        if proxy is not None:
            proxy.close()


def install(environment: Environment, folder: str, programs: Programs) -> Iterator[bytes]:
    """Make the virtual environment if it is missing and install the requirements into it."""
    yield b"Installing dependencies...\n\n"
    lines = []
    if environment.folder is not None and not Path(environment.python).is_file():
        ambient = Environment(environment.root, None, None)
        lines.append([ambient.python, "-m", "venv", str(environment.folder)])
    if (Path(folder) / "requirements.txt").is_file():
        lines.append([environment.python, "-m", "pip", "install", "-r", "requirements.txt"])
    for line in lines:
        process = start(line, folder, environment.variables(), programs)
        printed = []
        for _, text in output(process):
            printed.append(text)
            yield text
        if programs.wait(process):
            tail = b"".join(printed[-10:]).decode(errors="replace")
            raise OptionError(f"installing dependencies via '{' '.join(line)}': {tail}")
    yield b"Finished installing dependencies\n\n"
