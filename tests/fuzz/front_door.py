"""The whole front door, over a wire of our own."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from starlette.types import Receive, Scope, Send

from tests.server.wire import connected

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
# Turns of the event loop that the answer to one piece may take.
_TURNS = 50


class _App:
    """Notes each request that has come whole."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes, bytes, list[tuple[bytes, bytes]], bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        fields = [(bytes(name), value) for name, value in scope["headers"]]
        self.seen.append((scope["method"], scope["raw_path"], scope["query_string"], fields, body))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


async def _talk(data: bytes, size: int) -> tuple[list[Any], list[bool]]:
    """What the app has seen, and which of the answers were the app's.

    For what a request is refused may depend on how it arrives: a bare LF in it is told before the rest has come.
    """
    app = _App()
    door, wire = connected(app, ws="none")
    for at in range(0, len(data), size):
        for _ in range(_TURNS):
            if wire.reading or wire.closing:
                break
            await asyncio.sleep(0)
        if wire.closing:
            break
        door.data_received(data[at : at + size])
    for _ in range(_TURNS + 10 * len(data) // 16):
        await asyncio.sleep(0)
    door.connection_lost(None)
    await asyncio.sleep(0)
    return app.seen, [status == b"200" for status in _STATUS.findall(wire.written) if status != b"100"]


async def _all_ways(data: bytes) -> list[tuple[list[Any], list[bool]]]:
    return [await _talk(data, size) for size in (len(data) + 1, 1, 7)]


def connection(data: bytes) -> None:
    """The same bytes are the same requests, and are answered or refused, however they arrive."""
    with asyncio.Runner() as runner:
        whole, *others = runner.run(_all_ways(data))
    for other in others:
        assert other == whole
    for method, raw_path, query, fields, _ in whole[0]:
        assert method.isalpha() or "-" in method
        assert not re.search(rb"[\x00-\x20\x7f]", raw_path + query)
        for name, value in fields:
            assert re.fullmatch(rb"[!#$%&'*+.^_`|~0-9a-z-]+", name)
            assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value)
