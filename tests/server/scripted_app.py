"""An ASGI app that sends exactly what it is told to."""

from __future__ import annotations

from starlette.types import Message, Receive, Scope, Send

from tests.server.serving import Served

LENGTH_5 = (b"content-length", b"5")


def start(*headers: tuple[bytes, bytes], status: int = 200) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def content(body: bytes = b"", more: bool = False) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def sends(served: Served, *messages: Message) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    served.app = app
