"""A plugin's side of Pulumi's protocol that is the same for each: serving, answering with errors, lines in the display."""

import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn

import grpc
from google.protobuf import any_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, provider_pb2_grpc, status_pb2

from tools.airgap.plugin.errors import InitializationError, PluginError, UnsupportedError
from tools.airgap.plugin.wire import Mask, encode

_WORKERS: Final = 128  # operations at once; most of them wait
_MESSAGE_BYTES: Final = 400 * 1024 * 1024  # what the engine allows
_LOG_SECONDS: Final = 2
_OPTIONS: Final = [
    ("grpc.max_receive_message_length", _MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MESSAGE_BYTES),
]


class Log:
    """Lines in the engine's display."""

    def __init__(self, engine: str | None) -> None:
        self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine)) if engine else None

    def progress(self, urn: str) -> Callable[[str], None]:
        """Return what an operation calls to say what it is at; the line is replaced by the next."""

        def say(text: str) -> None:
            self._send(urn, text, engine_pb2.LogSeverity.INFO, ephemeral=True)

        return say

    def warn(self, urn: str, text: str) -> None:
        """Say something that stays."""
        self._send(urn, text, engine_pb2.LogSeverity.WARNING, ephemeral=False)

    def _send(self, urn: str, text: str, severity: engine_pb2.LogSeverity.ValueType, *, ephemeral: bool) -> None:
        if self._stub is not None:
            request = engine_pb2.LogRequest(severity=severity, message=text, urn=urn, ephemeral=ephemeral)
            with suppress(grpc.RpcError):  # an engine that does not listen is no reason to fail
                self._stub.Log(request, timeout=_LOG_SECONDS)


@contextmanager
def answering(context: grpc.ServicerContext, plugin: str) -> Iterator[None]:
    """Turn errors into answers. Only a bug of the plugin shows where it happened."""
    try:
        yield
    except UnsupportedError as error:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
    except PluginError as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
    except Exception as error:
        if type(error) is Exception:  # how grpc ends a call that was answered with abort()
            raise
        last = traceback.extract_tb(error.__traceback__)[-1]
        context.abort(
            grpc.StatusCode.INTERNAL,
            f"a bug of the {plugin} plugin of Slipway ({type(error).__name__} in {Path(last.filename).name}, "
            f"line {last.lineno}): {error}",
        )


def fail_with_state(context: grpc.ServicerContext, error: InitializationError, mask: Mapping[str, Mask]) -> NoReturn:
    """Answer that a resource exists and is to be recorded, and that it is not what was asked for."""
    details = provider_pb2.ErrorResourceInitFailed(
        id=error.id,
        properties=encode(error.state, mask),
        inputs=encode(error.inputs, mask),
        reasons=error.reasons,
    )
    packed = any_pb2.Any()
    packed.Pack(details)
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error), details=[packed])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, str(error))
    raise AssertionError("abort() does not return")


def serve(provider: provider_pb2_grpc.ResourceProviderServicer, engine: int) -> None:
    """Serve until the engine, which has a process id, is done with this process or gone."""
    server = grpc.server(futures.ThreadPoolExecutor(_WORKERS), options=_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    print(port, flush=True)
    while os.getppid() == engine:  # one that is killed tells nobody; without it nothing here has a purpose
        time.sleep(1)
    os._exit(0)
