"""A client that has ended its side: gone, or only done with asking?

A FIN says both. ``nc -N`` and plain sockets send one behind the request and read on; a browser whose user went
elsewhere sends the same one. The first must get its answer, the second must not keep an app at work. Only what is
sent to the client tells them apart: a socket that was closed answers it with a reset.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from gateway.server.exchange import CONTINUE, Exchange

if TYPE_CHECKING:
    from gateway.server.protocol import FrontDoor


class HalfClose:
    """Looks after one such connection until it ends.

    An answer that comes at once is just sent. If it takes longer, and nothing of it is out yet, the client is sent
    "100 Continue", which every HTTP/1.1 client must ignore (RFC 9110 15.2). Where that cannot be, a client that was
    sent nothing for a while is taken for gone: the app is told so, and may still answer.
    """

    def __init__(self, connection: FrontDoor, transport: asyncio.Transport) -> None:
        self._connection = connection
        self._socket: socket.socket = transport.get_extra_info("socket")
        self._interval = connection.listener.limits.half_closed
        self._quiet_limit = connection.listener.limits.half_closed_quiet
        self._quiet = 0.0
        self._asked: Exchange | None = None
        self._timer = connection.listener.loop.call_later(self._interval, self._look)
        # Set by the connection whenever it writes.
        self.wrote = False

    def cancel(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        self._timer = self._connection.listener.loop.call_later(self._interval, self._look)
        exchange = self._connection.exchange
        # No event tells of the reset: the loop does not watch a socket that it has read to its end.
        if self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._connection.abort()
        elif exchange is None or self._connection.over:
            return
        elif self.wrote or self._connection.flow.write_paused:
            # A client that reads slowly is there; the time it may take for that is not ours to limit.
            self.wrote = False
            self._quiet = 0.0
        elif not exchange.started and exchange.scope["http_version"] == "1.1":
            if self._asked is not exchange:
                self._asked = exchange
                self._connection.write(CONTINUE)
        else:
            self._quiet += self._interval
            if self._quiet >= self._quiet_limit:
                exchange.leave()
