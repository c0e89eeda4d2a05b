"""The connections of one backend: which one a request gets, and which request a free connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from gateway.upstream.connection import Connection
from gateway.upstream.failure import Failure, UpstreamError
from gateway.upstream.limits import PoolLimits
from gateway.upstream.origin import C, Origin

_NONE: frozenset[Origin] = frozenset()


class Pool:
    """Taking a connection and giving it back are synchronous, and cost the same however many there are.

    A request goes to the address with the fewest requests, and there to the connection used last: the others can
    grow old and be closed. When every address has as many connections as it may, requests wait in line.
    """

    def __init__(self, origins: Sequence[Origin], limits: PoolLimits, loop: asyncio.AbstractEventLoop) -> None:
        self.origins = tuple(origins)
        self._only = self.origins[0] if len(self.origins) == 1 else None
        # Those that get requests.
        self.inside = self.origins
        self._limits = limits
        self._loop = loop
        self._turn = 0
        self._stopped = False
        # In order of arrival. Each gets a connection, or the address to which it may open one.
        self._line: dict[asyncio.Future[Connection | Origin], None] = {}

    def __repr__(self) -> str:
        return f"<Pool {list(self.origins)} waiting={len(self._line)}>"

    @property
    def waiting(self) -> int:
        """How many requests wait for a connection."""
        return len(self._line)

    def take(self) -> Connection | None:
        """An idle connection, if there is one where the next request should go."""
        origin = self._only or self._choose(_NONE)
        if origin is None or not origin.idle:
            return None
        connection, _ = origin.idle.popitem()
        origin.busy += 1
        if self._only is None:
            self._took_turn(origin)
        return connection

    def reserve(self) -> Origin | None:
        """An address to which one more connection may be opened, and is counted from now on; None if there is none."""
        return self._reserve(_NONE)

    async def connect(self, origin: Origin) -> Connection:
        """A new connection to an address that is reserved; to another one if that cannot be reached.

        Nothing has been sent yet, so this is safe for any request. Raises UpstreamError.
        """
        failed: frozenset[Origin] = _NONE
        while True:
            try:
                connection = await self.open(origin, partial(Connection, self._loop, origin))
            except BaseException as error:
                origin.connecting -= 1
                self._offer(origin)
                failed |= {origin}
                other = self._reserve(failed) if isinstance(error, UpstreamError) else None
                if other is None:
                    raise
                origin = other
            else:
                origin.connecting -= 1
                origin.busy += 1
                return connection

    async def open(self, origin: Origin, make: Callable[[], C]) -> C:
        """A new connection of ``make``, which is not counted. Raises UpstreamError."""
        return await origin.connect(self._loop, make)

    def judge(self, connection: Connection) -> None:
        """What has come of asking on ``connection``, and what went wrong with it, says how well its address is."""

    def _reserve(self, avoid: frozenset[Origin]) -> Origin | None:
        origin = self._choose(avoid)
        if origin is None:
            return None
        if origin.open >= self._limits.connections:
            if not origin.idle:
                return None
            # Only who does not trust the idle ones wants a new one while there are such.
            next(iter(origin.idle)).close()
        origin.connecting += 1
        self._took_turn(origin)
        return origin

    def _took_turn(self, origin: Origin) -> None:
        self._turn += 1
        origin.turn = self._turn

    def give_back(self, connection: Connection) -> None:
        """The request is over. If its answer was not read to the end, or says so, the connection ends too."""
        origin = connection.origin
        origin.busy -= 1
        if connection.closed or not connection.response.reusable or not connection.response.complete or self._stopped:
            connection.close()
            if self._line:
                self._offer(origin)
            return
        connection.used = True
        if connection.flow.read_paused:
            # The end of its answer was not taken, for the client has left, say. Nobody would hear the next one.
            connection.flow.resume_reading()
        if self._line:
            waiter = self._first_in_line()
            if waiter is not None:
                origin.busy += 1
                waiter.set_result(connection)
                return
        origin.idle[connection] = self._loop.time()

    def expire(self, now: float) -> bool:
        """Close what has been idle for too long, by the loop's time. Returns whether anything idle is left."""
        oldest = now - self._limits.keepalive
        left = False
        for origin in self.origins:
            while origin.idle:
                connection, since = next(iter(origin.idle.items()))
                if since > oldest:
                    left = True
                    break
                connection.close()
        return left

    def stop(self) -> None:
        """Close what is idle, and what comes back later."""
        self._stopped = True
        for origin in self.origins:
            for connection in list(origin.idle):
                connection.close()

    def _choose(self, avoid: frozenset[Origin]) -> Origin | None:
        """Fewest requests; in turn among equals; reachable of late, with room and credit, if there is such a one."""
        if self._only is not None:
            return None if self._only in avoid else self._only
        best: Origin | None = None
        best_rank = (True, True, True, 0, 0)
        now = 0.0
        for origin in self.inside:
            if origin in avoid:
                continue
            if origin.avoid_until and not now:
                now = self._loop.time()
            full = not origin.idle and origin.open >= self._limits.connections
            rank = (origin.avoid_until > now, full, origin.credit < 1.0, origin.load, origin.turn)
            if best is None or rank < best_rank:
                best, best_rank = origin, rank
        return best

    # Waiting in line.

    async def stand_in_line(self) -> Connection | Origin:
        """Wait for a connection, or an address that is reserved. Raises UpstreamError when the line is full."""
        if len(self._line) >= self._limits.queue:
            raise UpstreamError(Failure.QUEUE_FULL, f"{len(self._line)} requests are waiting", retry_after=1)
        waiter: asyncio.Future[Connection | Origin] = self._loop.create_future()
        self._line[waiter] = None
        try:
            return await waiter
        except asyncio.CancelledError:
            self._line.pop(waiter, None)
            if waiter.done() and not waiter.cancelled():
                # Its turn came in the same moment.
                self._pass_on(waiter.result())
            raise

    def _pass_on(self, got: Connection | Origin) -> None:
        if isinstance(got, Connection):
            self.give_back(got)
        else:
            got.connecting -= 1
            self._offer(got)

    def _offer(self, origin: Origin) -> None:
        """There is room for one more connection."""
        if self._line and origin.open < self._limits.connections:
            waiter = self._first_in_line()
            if waiter is not None:
                origin.connecting += 1
                waiter.set_result(origin)

    def _first_in_line(self) -> asyncio.Future[Connection | Origin] | None:
        while self._line:
            waiter = next(iter(self._line))
            del self._line[waiter]
            if not waiter.done():
                return waiter
        return None
