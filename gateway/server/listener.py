"""What all connections of one server share: the app, the reader of heads, the clock for their deadlines."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from uvicorn import Config
from uvicorn.server import ServerState

from gateway.server.crowd import Crowd
from gateway.server.direct import DirectApp
from gateway.server.head_reader import HeadReader
from gateway.server.limits import Limits
from gateway.server.refusal import Refusal
from gateway.server.response_head import DefaultFields

if TYPE_CHECKING:
    from gateway.server.connection import Connection
    from gateway.server.exchange import Exchange
    from gateway.server.protocol import FrontDoor

log = logging.getLogger("gateway.server")

_SECONDS_BETWEEN_NOTES = 1.0

# How often some of those that rest are read again, and how many: a thousand a second, for a refusal is then a tenth of
# a processor at most. Who rests does so for longer than a moment only if he is one of very many.
_REST_SECONDS = 0.01
_READ_AGAIN = 10
# Nobody sees such a client leave. So no more of them than these, and nobody for longer than two seconds.
_MOST_RESTING = 2000

_LISTENERS: WeakKeyDictionary[ServerState, Listener] = WeakKeyDictionary()


class Listener:
    """One server's shared state.

    ``now`` is the loop's time in seconds as of the last look at the deadlines, so that nobody asks the clock for each
    request.
    """

    def __init__(
        self,
        config: Config,
        app_state: dict[str, Any],
        loop: asyncio.AbstractEventLoop,
        limits: Limits,
    ) -> None:
        self.config = config
        self.app = config.loaded_app
        # Not where the app is wrapped in a middleware, which would be passed by.
        self.direct = self.app.direct if isinstance(self.app, DirectApp) else None
        self.app_state = app_state
        self.most_tasks = config.limit_concurrency
        self.root_path = config.root_path
        self.loop = loop
        self.limits = limits
        self.heads = HeadReader(limits)
        self.crowd = Crowd(limits)
        # Whether something is to be noted down for each request.
        self.limits_requests = _limits_requests(limits)
        # Called with the reason of each refusal.
        self.on_refused: Callable[[str], None] | None = None
        self.asgi = {"version": config.asgi_version, "spec_version": "2.3"}
        self.defaults = DefaultFields([])
        self.now = loop.time()
        self._connections: set[Connection] = set()
        self._tick = limits.tick
        self._ticking = False
        # For every connection that has its answer from now until the next look.
        self.idle_deadline = self.deadline(limits.keep_alive)
        self._held: list[Exchange] = []
        self._resting: deque[FrontDoor] = deque()
        self._quiet_until = -inf
        self._unnoted = 0

    @classmethod
    def of(
        cls,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        loop: asyncio.AbstractEventLoop,
        limits: Limits,
    ) -> Listener:
        """The one for this server. uvicorn makes no object that knows its protocol class and lives as long."""
        found = _LISTENERS.get(server_state)
        if found is None:
            found = _LISTENERS[server_state] = cls(config, app_state, loop, limits)
        return found

    def limit(self, limits: Limits) -> None:
        """Go by ``limits`` from now on: with new connections, and with whatever the open ones do next."""
        self.limits = self.crowd.limits = limits
        self.heads = HeadReader(limits)
        self.limits_requests = _limits_requests(limits)
        self._tick = limits.tick
        self._read_clock()

    def deadline(self, seconds: float) -> float:
        """A point in time that is not less than ``seconds`` away."""
        return self.now + seconds + self._tick

    def add(self, connection: Connection) -> None:
        self._connections.add(connection)
        if not self._ticking:
            self._ticking = True
            self._read_clock()
            self.loop.call_later(self._tick, self._look)

    def remove(self, connection: Connection) -> None:
        self._connections.discard(connection)

    def _read_clock(self) -> float:
        self.now = self.loop.time()
        self.idle_deadline = self.deadline(self.limits.keep_alive)
        return self.now

    def _look(self) -> None:
        # One pass over all connections each second is cheaper than a timer set and cancelled for each request.
        now = self._read_clock()
        for connection in tuple(self._connections):
            if connection.deadline < now or connection.write_deadline < now or connection.end_deadline < now:
                connection.out_of_time(now)
        if self._connections:
            self.loop.call_later(self._tick, self._look)
        else:
            self._ticking = False

    def release_soon(self, exchange: Exchange) -> None:
        """Send the head that ``exchange`` holds, once the app has had the chance to send content with it."""
        if not self._held:
            self.loop.call_soon(self._release)
        self._held.append(exchange)

    def _release(self) -> None:
        held, self._held = self._held, []
        for exchange in held:
            if exchange.held is not None:
                exchange.release()

    def rest(self, connection: FrontDoor) -> None:
        """Read no more of ``connection`` for a while: its client was told to come later.

        In a rush it would come again at once. To refuse all of that, over and over, would take the time of those who
        were let in: uvloop runs nothing else as long as a thousand connections are ready to be read.
        """
        if len(self._resting) >= _MOST_RESTING:
            connection.close()
            return
        if not self._resting:
            self.loop.call_later(_REST_SECONDS, self._read_again)
        self._resting.append(connection)

    def _read_again(self) -> None:
        resting = self._resting
        for _ in range(min(len(resting), _READ_AGAIN)):
            resting.popleft().flow.resume_reading()
        if resting:
            self.loop.call_later(_REST_SECONDS, self._read_again)

    def count(self, refusal: Refusal) -> None:
        if self.on_refused is not None:
            self.on_refused(refusal.reason)

    def refused(self, connection: Connection, refusal: Refusal) -> None:
        """Count and log what a client did wrong: one line a second at most, whatever all clients do."""
        self.count(refusal)
        self._unnoted += 1
        if self.now >= self._quiet_until:
            more = f" (and {self._unnoted - 1} more)" if self._unnoted > 1 else ""
            log.warning("%s: answered %d: %s%s", connection.client_name, refusal.status, refusal.detail, more)
            self._quiet_until = self.now + _SECONDS_BETWEEN_NOTES
            self._unnoted = 0


def _limits_requests(limits: Limits) -> bool:
    return limits.requests_per_connection is not None or limits.stream_lifetime is not None
