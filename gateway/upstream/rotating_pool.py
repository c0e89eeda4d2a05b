"""The connections of a backend with several addresses, of which some may be left out because they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from gateway.resilience.rotation import Rotation
from gateway.upstream.connection import Connection, ConnectionLost
from gateway.upstream.failure import Failure, UpstreamError
from gateway.upstream.limits import PoolLimits
from gateway.upstream.origin import AVOIDED, C, Origin
from gateway.upstream.pool import Pool

# An app's honest answer to a method that it does not know: no sign that it is ill.
_NOT_IMPLEMENTED: Final = 501
# Seconds. Who has waited so long for a connection when the request ends has met an address that does not answer: on a
# network between a gateway and its apps it takes a thousandth of that.
_LONG: Final = 1.0


class RotatingPool(Pool):
    """Tells the ``rotation`` how requests end, and asks only whom it lets in.

    ``patience`` is the time in seconds after which a connection that nobody waits for any longer is taken for one that
    could not be had.
    """

    def __init__(
        self,
        origins: Sequence[Origin],
        limits: PoolLimits,
        loop: asyncio.AbstractEventLoop,
        rotation: Rotation,
        patience: float = _LONG,
    ) -> None:
        super().__init__(origins, limits, loop)
        self.rotation = rotation
        self._patience = min(patience, _LONG)
        self._members = dict(zip(self.origins, rotation.members, strict=True))
        self._coming_back: list[Origin] = []
        self._arrange()

    def checked(self, origin: Origin, *, up: bool) -> None:
        """The word of the active checks."""
        if self.rotation.checked(self._members[origin], self._loop.time(), up=up):
            self._arrange()

    def move(self, now: float) -> None:
        """Let those back whose time has come, by the loop's time."""
        if self.rotation.move(now):
            self._arrange()

    def expire(self, now: float) -> bool:
        self.move(now)
        return super().expire(now)

    def take(self) -> Connection | None:
        connection = super().take()
        if connection is not None:
            connection.era = self._era(connection.origin)
        return connection

    def give_back(self, connection: Connection) -> None:
        self.judge(connection)
        # Who waits in line may get it.
        connection.era = self._era(connection.origin)
        if connection.origin not in self.inside:
            connection.response.reusable = False
        super().give_back(connection)

    def judge(self, connection: Connection) -> None:
        origin, response, error = connection.origin, connection.response, connection.error
        if connection.era != self._era(origin):
            return
        if error is None:
            if response.head_complete:
                if response.status >= 500 and response.status != _NOT_IMPLEMENTED:
                    self._failed(origin)
                else:
                    self.rotation.succeeded(self._members[origin], self._loop.time())
        elif isinstance(error, ConnectionLost):
            # RFC 9112 9.3.1: a kept connection may end at any time.
            if not connection.used:
                self._failed(origin)
        elif error.failure is not Failure.TOTAL_TIMEOUT or not response.head_complete:
            # An answer that takes too long as a whole may have a slow reader.
            self._failed(origin)

    async def open(self, origin: Origin, make: Callable[[], C]) -> C:
        begun, era = self._loop.time(), self._era(origin)
        try:
            connection = await super().open(origin, make)
        except UpstreamError:
            if era == self._era(origin):
                self._failed(origin)
            raise
        except asyncio.CancelledError:
            now = self._loop.time()
            if now - begun >= self._patience:
                origin.avoid_until = now + AVOIDED
                if era == self._era(origin):
                    self._failed(origin)
            raise
        connection.era = era
        return connection

    def _era(self, origin: Origin) -> int:
        return self._members[origin].ejections

    def _failed(self, origin: Origin) -> None:
        if self.rotation.failed(self._members[origin], self._loop.time()):
            self._arrange()

    def _arrange(self) -> None:
        self.inside = tuple(self.origins[member.index] for member in self.rotation.inside)
        self._coming_back = [origin for origin in self.inside if self._members[origin].share < 1.0]
        for origin in self.origins:
            if origin not in self.inside:
                for connection in list(origin.idle):
                    connection.close()
                continue
            if origin not in self._coming_back:
                origin.credit = 1.0
            # There is a line if all that got requests before were full.
            while self._line and origin.open < self._limits.connections:
                self._offer(origin)

    def _offer(self, origin: Origin) -> None:
        if origin in self.inside:
            super()._offer(origin)

    def _took_turn(self, origin: Origin) -> None:
        """Each request gives those that come back a part of one; who has a whole one may take the next."""
        super()._took_turn(origin)
        for each in self._coming_back:
            if each is origin:
                each.credit -= 1.0
            each.credit = min(1.0, each.credit + self._members[each].share / len(self.inside))
