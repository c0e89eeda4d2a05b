"""Calling an ASGI application without a server: what it receives is scripted, what it sends is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from starlette.types import ASGIApp, Message, Scope


def http_scope(
    method: str = "GET", path: str = "/", headers: Iterable[tuple[bytes, bytes]] = (), **more: object
) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": list(headers),
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        **more,
    }


def request(body: bytes = b"", more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


DISCONNECT: Message = {"type": "http.disconnect"}


class Client:
    """The other end of one request.

    ``on_send`` is awaited with each message, after it was kept: it may wait, as a server does for a slow reader, or
    raise.
    """

    def __init__(
        self, incoming: Iterable[Message] = (request(),), on_send: Callable[[Message], Awaitable[None]] | None = None
    ) -> None:
        self._incoming = list(incoming)
        self._left = asyncio.Event()
        self._on_send = on_send
        self.received = 0
        self.sent: list[Message] = []

    def leave(self) -> None:
        self._left.set()

    async def receive(self) -> Message:
        self.received += 1
        if self._incoming:
            return self._incoming.pop(0)
        await self._left.wait()
        return DISCONNECT

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if self._on_send is not None:
            await self._on_send(message)

    async def call(self, app: ASGIApp, scope: Scope | None = None) -> Client:
        await app(scope or http_scope(), self.receive, self.send)
        return self

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return list(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def complete(self) -> bool:
        return bool(self.sent) and self.sent[-1].get("more_body") is not True and len(self.sent) > 1


async def until(condition: Callable[[], bool]) -> None:
    """Return when ``condition`` holds; it is given five seconds."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)
