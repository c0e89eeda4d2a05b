"""Apps that write down each request that reaches them, in the order in which they do.

The gateway imports two of them, and the third is served by the test itself. ``Remote`` reads strictly: what it cannot
read as exactly one request after the other is a finding.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

from flask import Flask, request
from starlette.types import Receive, Scope, Send

from tests.faults.background import BackgroundServer
from tests.faults.wire import Malformed, read_body, read_head

VARIABLE = "SECURITY_RECORD"

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

flask_app = Flask(__name__)


def note(file: Path, method: str, path: str, size: int) -> None:
    """One write to the end of the file: several processes may share it."""
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, f"{method} {path} {size}\n".encode())
    finally:
        os.close(handle)


@flask_app.route("/<path:rest>", methods=["GET", "POST", "PUT", "OPTIONS"])
def record(rest: str) -> str:
    note(Path(os.environ[VARIABLE]), request.method, request.path, len(request.get_data()))
    return "ok"


async def asgi_app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        await receive()
        await send({"type": "websocket.close"})
        return
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        if not message.get("more_body", False):
            break
    note(Path(os.environ[VARIABLE]), scope["method"], scope["path"], size)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


class Remote(BackgroundServer):
    """Writes into ``file``."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                try:
                    line, fields = await read_head(reader)
                    method, target, version = line.split(" ")
                    body = await read_body(reader, fields)
                except (Malformed, ValueError) as error:
                    note(self._file, "MALFORMED", str(error), 0)
                    break
                if version != "HTTP/1.1" or sum(name == "host" for name, _ in fields) != 1:
                    note(self._file, "MALFORMED", line, 0)
                note(self._file, method, target, len(body))
                writer.write(OK if method != "HEAD" else OK[:-2])
                await writer.drain()
        writer.close()
