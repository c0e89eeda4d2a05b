"""uvicorn, run as a part of a process that has its own ideas about signals, start and end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from gateway.server.limits import Limits
from gateway.server.listener import Listener
from gateway.server.websocket_door import WebSocketDoor

logger = logging.getLogger("gateway.control")

# How long connections that are open may still bring a request when the drain begins.
_LAST_CALL = 0.05
# How often it is looked whether all of them have ended.
_LOOK = 0.1
# How long cancelled requests have for their `finally` blocks.
_CLEARING = 1.0


class Server(uvicorn.Server):
    """Serves ``app`` until ``drain()`` is called.

    ``on_started`` is called once connections are accepted, ``on_draining`` once they no longer are. ``drain_timeout``
    is how many seconds running requests have to finish before they are cut off. ``protocol`` speaks HTTP and
    ``websocket_protocol`` goes on after an upgrade, as in ``uvicorn.Config(http=..., ws=...)``.
    """

    def __init__(
        self,
        app: Callable[..., Any],
        *,
        drain_timeout: int,
        protocol: type[asyncio.Protocol] | str = "httptools",
        websocket_protocol: type[asyncio.Protocol] | str = "websockets-sansio",
        on_started: Callable[[], None] = lambda: None,
        on_draining: Callable[[], None] = lambda: None,
        **settings: Any,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                interface="asgi3",
                lifespan="off",
                http=protocol,
                ws=websocket_protocol,
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=drain_timeout,
                **settings,
            )
        )
        self._on_started = on_started
        self._on_draining = on_draining
        self._last_call: float | None = None

    def drain(self, patience: float = _LAST_CALL) -> None:
        """Accept no more, finish what runs, and let ``serve`` return. Noticed within a tenth of a second.

        A connection that is open and idle may bring one more request for ``patience`` seconds: a client that has not
        been told of the end cannot know better than to use it. Asked for twice, the shorter patience counts.
        """
        self._last_call = patience if self._last_call is None else min(patience, self._last_call)
        self.should_exit = True

    def limit(self, limits: Limits, on_refused: Callable[[str], None]) -> None:
        """What clients may use of the front door from now on, and whom to tell of those who want more.

        Called once it serves, and after each change.
        """
        loop = asyncio.get_running_loop()
        listener = Listener.of(self.config, self.server_state, self.lifespan.state, loop, limits)
        listener.on_refused = on_refused
        listener.limit(limits)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals belong to the process. uvicorn would raise them once more after the end.
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        queues = [listener.dup() for listener in sockets or []]
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        self._on_draining()
        late = [connection for queue in queues for connection in _taken_from(queue)]
        # uvicorn closes a connection without a request at once. One that has been accepted this moment has its
        # request in the socket's buffer, unread, and would be reset. So everyone gets one last call, and is told
        # with the answer that the connection ends (RFC 9112 9.6).
        self._tell_everyone((b"connection", b"close"))
        for connection in late:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)
        await self._wait_for_last_requests()
        await super().shutdown(None)
        cut = self.server_state.tasks
        if cut:
            many = "1 request was" if len(cut) == 1 else f"{len(cut)} requests were"
            logger.warning("%s not finished within the drain time and cut off", many)
            await asyncio.wait(cut, timeout=_CLEARING)

    def _protocol(self) -> asyncio.Protocol:
        protocol: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol

    async def _wait_for_last_requests(self) -> None:
        waited = _LAST_CALL
        await asyncio.sleep(waited)
        while self.server_state.connections and waited < (self._last_call or 0.0):
            self._end_websockets()
            await asyncio.sleep(_LOOK)
            waited += _LOOK

    def _end_websockets(self) -> None:
        """They may last for days. One whose handshake still waits for the app's answer is left to get it first."""
        for connection in tuple(self.server_state.connections):
            if isinstance(connection, WebSocketDoor) and connection.stream is not None:
                connection.shutdown()

    def _tell_everyone(self, field: tuple[bytes, bytes]) -> None:
        """Add ``field`` to every answer that has not begun, those to requests that run already included."""
        state = self.server_state
        # Requests that run hold this very list; new ones look for another list to know that something changed.
        state.default_headers.append(field)
        state.default_headers = list(state.default_headers)


def _taken_from(queue: socket.socket) -> list[socket.socket]:
    """The connections that wait to be accepted, and the end of the queue.

    Their clients have connected, and may have sent a request: when the last descriptor of a listening socket is
    closed, the kernel resets them.
    """
    taken = []
    with queue, contextlib.suppress(OSError):
        while True:
            connection, _ = queue.accept()
            connection.setblocking(False)
            taken.append(connection)
    return taken
