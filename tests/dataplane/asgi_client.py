"""Calls an ASGI application with scripted messages, and keeps what it sends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message

RawHeaders = Sequence[tuple[bytes, bytes]]

CONNECT = {"type": "websocket.connect"}


@dataclass
class Answer:
    sent: list[Message] = field(default_factory=list)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return list(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def complete(self) -> bool:
        return len(self.sent) > 1 and not self.sent[-1].get("more_body", False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key == name]


def http_scope(method: str, target: str, headers: RawHeaders = (), **more: Any) -> dict[str, Any]:
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"shop.example"), *headers],
        "client": ("203.0.113.9", 4711),
        "server": ("127.0.0.1", 8000),
        **more,
    }


def websocket_scope(target: str, headers: RawHeaders = (), **more: Any) -> dict[str, Any]:
    scope = http_scope("GET", target, headers, type="websocket", scheme="ws", subprotocols=[], **more)
    del scope["method"]
    return scope


async def call(app: ASGIApp, scope: dict[str, Any], *received: Message, left: bool = False) -> Answer:
    """One request. After ``received`` (an empty body by default) the client waits, or has ``left``."""
    messages = list(received) or [{"type": "http.request", "body": b"", "more_body": False}]
    answer = Answer()

    async def receive() -> Message:
        if messages:
            return messages.pop(0)
        if not left:
            await asyncio.Event().wait()
        return {"type": "websocket.disconnect" if scope["type"] == "websocket" else "http.disconnect", "code": 1006}

    async def send(message: Message) -> None:
        answer.sent.append(message)

    await app(scope, receive, send)
    return answer


async def get(app: ASGIApp, target: str, headers: RawHeaders = (), **more: Any) -> Answer:
    return await call(app, http_scope("GET", target, headers, **more))
