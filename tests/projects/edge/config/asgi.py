import json
from collections.abc import Awaitable, Callable
from typing import Any

from .version import VERSION

Message = dict[str, Any]


async def application(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Answer requests with what this is, and say again what comes over a websocket."""
    if scope["type"] == "http":
        body = json.dumps({"process": "sockets", "version": VERSION, "path": scope["path"]}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": f"{VERSION}: {message['text']}"})
