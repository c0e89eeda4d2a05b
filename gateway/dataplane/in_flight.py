"""Requests in flight, by route and by backend: those beyond a limit wait a little, in order, or are refused.

Whatever waits has cost its app nothing yet. So what is begun is finished at the pace it always had, however much more
is asked for.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable
from typing import Literal

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.backends.overload import Overloaded
from gateway.config.limits import InFlight as InFlightConfig
from gateway.dataplane.waiting import WaitingClient
from gateway.resilience.admission import Admission
from gateway.telemetry.recorder import LIMIT_ALLOWED, LIMIT_IN_FLIGHT, LIMIT_WAITING
from gateway.telemetry.refusals import Refusals
from gateway.telemetry.slots import Key

log = logging.getLogger("gateway")

Kind = Literal["route", "backend"]
# What comes of waiting: a place, or none in time, or the client did not wait for it.
Outcome = Literal["admitted", "expired", "left"]

_SECONDS_BETWEEN_NOTES = 10.0


class RouteFull(Overloaded):
    """There are too many requests of this route, whichever backend they are for: another one is no help."""


class InFlight:
    """One limit: that of a route, or of a backend. Used in the event loop alone."""

    def __init__(self, kind: Kind, name: str, setting: InFlightConfig, refusals: Refusals) -> None:
        self._kind = kind
        self._name = name
        self._setting = setting
        self._refusals = refusals
        self._admission = Admission[asyncio.Future[Outcome]](setting.in_flight, setting.queue)
        self.enter = self._admission.enter
        self._quiet_until = -math.inf
        self._unnoted = 0

    def __repr__(self) -> str:
        return f"<InFlight {self._kind} {self._name} {self._admission!r}>"

    def change(self, setting: InFlightConfig) -> None:
        """Go by ``setting`` from now on."""
        self._setting = setting
        for ticket in self._admission.resize(setting.in_flight, setting.queue):
            _admit(ticket)

    def leave(self) -> None:
        """One request less."""
        ticket = self._admission.leave()
        if ticket is not None:
            _admit(ticket)

    async def wait(self, client: WaitingClient) -> bool:
        """Wait for a place; False if the client does not. Raises Overloaded if there is no place in time."""
        loop = asyncio.get_running_loop()
        ticket: asyncio.Future[Outcome] = loop.create_future()
        if not self._admission.wait(ticket):
            raise self.refused("queue_full")
        expiry = loop.call_later(self._setting.wait, self._end, ticket, "expired")
        client.watch(lambda: self._end(ticket, "left"))
        try:
            outcome = await ticket
        except asyncio.CancelledError:
            # The turn may have come just now, before the cancellation or after it.
            admitted = not self._admission.withdraw(ticket) if ticket.cancelled() else ticket.result() == "admitted"
            if admitted:
                self.leave()
            raise
        finally:
            expiry.cancel()
        if outcome == "expired":
            raise self.refused("queue_wait")
        return outcome == "admitted"

    def _end(self, ticket: asyncio.Future[Outcome], outcome: Outcome) -> None:
        if not ticket.done() and self._admission.withdraw(ticket):
            ticket.set_result(outcome)

    @property
    def retry_after(self) -> int:
        """In whole seconds: by then whoever waits now has been served or has given up."""
        return math.ceil(self._setting.wait)

    @property
    def has_room(self) -> bool:
        admission = self._admission
        return admission.inside < admission.most and not admission.waiting

    @property
    def is_full(self) -> bool:
        """One more would not even be let into the queue."""
        admission = self._admission
        return admission.waiting >= admission.queue and not self.has_room

    @property
    def counts(self) -> dict[Key, int]:
        """As gauges have them."""
        admission, whose = self._admission, (self._kind, self._name)
        return {
            (LIMIT_IN_FLIGHT, *whose): admission.inside,
            (LIMIT_WAITING, *whose): admission.waiting,
            (LIMIT_ALLOWED, *whose): admission.most,
        }

    def refused(self, reason: str) -> Overloaded:
        """Count it, and say what the client is to be told."""
        self._refusals.count_limited(self._kind, self._name, reason)
        self._note()
        return RouteFull(self.retry_after) if self._kind == "route" else Overloaded(self.retry_after)

    def _note(self) -> None:
        self._unnoted += 1
        now = asyncio.get_running_loop().time()
        if now >= self._quiet_until:
            log.warning(
                "%s %s has %d requests in flight and %d waiting; %d were refused",
                self._kind,
                self._name,
                self._admission.inside,
                self._admission.waiting,
                self._unnoted,
            )
            self._quiet_until = now + _SECONDS_BETWEEN_NOTES
            self._unnoted = 0


def _admit(ticket: asyncio.Future[Outcome]) -> None:
    # One that was cancelled just now has yet to hear of it, and then gives its place to the next.
    if not ticket.done():
        ticket.set_result("admitted")


class Places:
    """The limits that a lane is under, the route's before the backend's: whoever has a place there may wait here."""

    __slots__ = ("_limits",)

    def __init__(self, limits: tuple[InFlight, ...]) -> None:
        self._limits = limits

    def enter(self) -> bool:
        """Take a place of each if that can be had at once. ``leave`` is owed for it."""
        for index, limit in enumerate(self._limits):
            if not limit.enter():
                self._leave(index)
                return False
        return True

    async def wait(self, client: WaitingClient) -> bool:
        """Take a place of each, in time; False if the client leaves before. Raises Overloaded."""
        taken = 0
        try:
            for limit in self._limits:
                if not limit.enter() and not await limit.wait(client):
                    break
                taken += 1
        except BaseException:
            self._leave(taken)
            raise
        if taken < len(self._limits):
            self._leave(taken)
            return False
        return True

    def full(self) -> InFlight | None:
        """The limit that one more request would fail at at once, if there is one."""
        for limit in self._limits:
            if not limit.has_room:
                return limit if limit.is_full else None
        return None

    def leave(self) -> None:
        self._leave(len(self._limits))

    async def held_by(self, work: Awaitable[None]) -> None:
        """Leave when ``work`` is done."""
        try:
            await work
        finally:
            self.leave()

    def _leave(self, taken: int) -> None:
        for limit in self._limits[:taken]:
            limit.leave()


class Limited:
    """An app that is given no more than its places allow for."""

    def __init__(self, app: ASGIApp, places: Places) -> None:
        self._app = app
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        places = self._places
        if not places.enter():
            client = WaitingClient(scope, receive)
            try:
                if not await places.wait(client):
                    return
            finally:
                client.stop()
            receive = client.receive
        try:
            await self._app(scope, receive, send)
        finally:
            places.leave()


class InFlightLimits:
    """All limits of one gateway, over its reloads: who is inside stays counted when the numbers change."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._live: dict[tuple[Kind, str], InFlight] = {}
        self._next: dict[tuple[Kind, str], tuple[InFlight, InFlightConfig]] = {}

    def places(
        self, route: str, of_route: InFlightConfig | None, backend: str, of_backend: InFlightConfig | None
    ) -> Places | None:
        """For the configuration that is being compiled. None without a limit."""
        wanted: tuple[tuple[Kind, str, InFlightConfig | None], ...]
        wanted = (("route", route, of_route), ("backend", backend, of_backend))
        limits = tuple(self._of(kind, name, setting) for kind, name, setting in wanted if setting is not None)
        return Places(limits) if limits else None

    def serving(self, route: str, backend: str) -> Places | None:
        """For one request, by the configuration that serves."""
        found = (self._live.get(("route", route)), self._live.get(("backend", backend)))
        limits = tuple(limit for limit in found if limit is not None)
        return Places(limits) if limits else None

    def counts(self) -> dict[Key, int]:
        """Of all that serve, as gauges have them."""
        return {key: count for limit in self._live.values() for key, count in limit.counts.items()}

    def _of(self, kind: Kind, name: str, setting: InFlightConfig) -> InFlight:
        limit = self._live.get((kind, name))
        if limit is None:
            limit = self._live[kind, name] = InFlight(kind, name, setting, self._refusals)
        self._next[kind, name] = (limit, setting)
        return limit

    def settle(self) -> None:
        """That configuration serves from now on."""
        self._live = {key: limit for key, (limit, _) in self._next.items()}
        for limit, setting in self._next.values():
            limit.change(setting)
        self._next = {}
