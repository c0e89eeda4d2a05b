"""The new backend, for a uvicorn of its own: a bare ASGI app, which is soon back after it was killed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from starlette.types import Receive, Scope, Send

from tests.faults.stamped import Book, Wanted, stamp

_NAME = os.environ.get("FAULTS_APP", "new")
_book = Book(Path(os.environ["FAULTS_BOOK"]))
_PIECE = 1000


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    wanted = Wanted.of(f"{scope['path']}?{scope['query_string'].decode()}")
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message.get("body", b""), message.get("more_body", False)
    _book.note(scope["method"], wanted.name)
    if wanted.seconds:
        await asyncio.sleep(wanted.seconds)
    answer = stamp(wanted, _NAME, body)
    fields = [(b"content-type", b"application/json")]
    if not wanted.chunked:
        fields.append((b"content-length", str(len(answer)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    if wanted.chunked:
        for at in range(0, len(answer), _PIECE):
            await send({"type": "http.response.body", "body": answer[at : at + _PIECE], "more_body": True})
        answer = b""
    await send({"type": "http.response.body", "body": answer})
