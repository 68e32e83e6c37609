"""A websocket from a test: the handshake as a browser makes it, and short texts in both directions (RFC 6455)."""

import base64
import hashlib
import secrets
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_SHORT = 126
"""Longer texts have a length of another form, which no test needs."""


@dataclass(frozen=True)
class Websocket:
    """An open one."""

    connection: socket.socket
    answers: BinaryIO

    def say(self, text: str) -> None:
        """Send a text; who connects has to mask it."""
        payload, mask = text.encode(), secrets.token_bytes(4)
        assert len(payload) < _SHORT
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self.connection.sendall(struct.pack("!BB", 0x81, 0x80 | len(payload)) + mask + masked)

    def hear(self) -> str:
        """Wait for a text; other frames, such as pings, are passed over."""
        while True:
            kind, length = struct.unpack("!BB", self._read(2))
            assert length < _SHORT
            payload = self._read(length)
            if kind == 0x81:
                return payload.decode()
            assert kind != 0x88, "it was closed"

    def _read(self, size: int) -> bytes:
        found = self.answers.read(size)
        assert len(found) == size, "it was cut"
        return found


@contextmanager
def websocket(address: tuple[str, int], path: str, seconds: float = 20, host: str | None = None) -> Iterator[Websocket]:
    """Open a websocket, or fail with what was answered instead.

    Args:
        address: where to connect.
        path: what to ask for.
        seconds: the limit of each wait.
        host: the host name to ask for; None for the address.
    """
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host or f'{address[0]}:{address[1]}'}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    ]
    with socket.create_connection(address, seconds) as connection, connection.makefile("rb") as answers:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        status = answers.readline().decode()
        assert status.split()[1] == "101", status
        headers = {}
        while (line := answers.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        expected = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()  # noqa: S324 - as the RFC says
        assert headers["sec-websocket-accept"] == expected
        yield Websocket(connection, answers)
