"""An app for WebSockets that says back what it hears."""

from __future__ import annotations

from starlette.types import Message, Receive, Scope, Send

CONNECT = {"type": "websocket.connect"}


class App:
    """Accepts, echoes, and keeps what it was told."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.told: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        assert await receive() == CONNECT
        await send({"type": "websocket.accept"})
        while True:
            message = await receive()
            self.told.append(message)
            if message["type"] == "websocket.disconnect":
                return
            await send({**message, "type": "websocket.send"})
