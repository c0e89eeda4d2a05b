"""The worker's end of its connection to the control process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import threading
import time
from collections.abc import Callable

from gateway.control.messages import Message, encode


class Lifeline:
    """Sends messages, and notices when the control process is gone.

    Then ``lost`` is called in the event loop, and after ``limit`` seconds the process ends whatever it is doing.
    That needs a thread: an event loop that an app keeps busy for ever would never notice, and would hold the
    listening socket that the next `gateway run` wants to bind.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    @classmethod
    async def connect(cls, descriptor: int, lost: Callable[[], None], limit: float) -> Lifeline:
        """``descriptor`` is the inherited end of the socket pair."""
        connection = socket.socket(fileno=descriptor)
        # Ours alone: what the apps start must not keep it open.
        connection.set_inheritable(False)
        loop = asyncio.get_running_loop()
        # A descriptor of its own: the event loop closes the other one whenever it sees fit.
        watched = connection.dup()
        threading.Thread(target=_watch, args=(watched, loop, lost, limit), name="lifeline", daemon=True).start()
        _, writer = await asyncio.open_unix_connection(sock=connection)
        return cls(writer)

    def send(self, message: Message) -> None:
        """Never waits: a control process that is slow to read must not slow a request down."""
        if not self._writer.is_closing():
            self._writer.write(encode(message))

    async def close(self) -> None:
        """Returns when everything is sent, or cannot be sent any more."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


def _watch(connection: socket.socket, loop: asyncio.AbstractEventLoop, lost: Callable[[], None], limit: float) -> None:
    # The control process never writes, so the connection becomes readable once: at its end.
    select.select([connection], [], [])
    try:
        loop.call_soon_threadsafe(lost)
    except RuntimeError:  # the loop is closed: the process is ending already
        return
    time.sleep(limit)
    os._exit(1)
