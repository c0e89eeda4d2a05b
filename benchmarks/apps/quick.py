"""``python -m benchmarks.apps.quick PORT``: an app that costs next to nothing, straight on the event loop.

Every answer is the same small JSON; but for ``/events``, an event stream that says hello and then nothing more.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop

from benchmarks.apps.books_fastapi import BOOK

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(BOOK), BOOK)
HELLO = b"data: hello\n\n"
# X-Accel-Buffering is how an app tells nginx that its answer is a stream.
_STREAM = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"%x\r\n%b\r\n" % (len(HELLO), HELLO)
)


class Quick(asyncio.Protocol):
    """Requests have no body, and come one at a time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._head = b""

    def data_received(self, data: bytes) -> None:
        self._head += data
        if self._head.endswith(b"\r\n\r\n"):
            self._transport.write(_STREAM if b" /events" in self._head[:32] else _ANSWER)
            self._head = b""


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Quick, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1])))
