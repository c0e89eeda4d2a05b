"""One request that has been decided: steps 6 and 7."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from time import perf_counter
from typing import Any

from starlette.types import Receive, Scope, Send

from gateway.dataplane import failure
from gateway.dataplane.exchange import Added, Exchange, HttpExchange
from gateway.dataplane.snapshot import Lane
from gateway.dataplane.websockets import OpenWebSocket


class Request:
    """What steps 2 to 5 have decided, and what becomes of it.

    ``scope`` is for the app, ``added`` are fields for the answer, ``id`` is what the request is known by, ``begun``
    when its head was whole, by ``perf_counter``. ``app`` is the lane's until somebody has already begun to ask it.

    ``begin`` is called once, then ``end`` once, by whoever forwards it: ``carry``, or a shorter way.
    """

    __slots__ = ("added", "app", "begun", "id", "lane", "scope", "websocket")

    def __init__(self, scope: Scope, lane: Lane, added: Added | None, request_id: str, begun: float) -> None:
        self.scope = scope
        self.lane = lane
        self.app = lane.app
        self.added = added
        self.id = request_id
        self.begun = begun
        self.websocket: OpenWebSocket | None = None

    def begin(self) -> None:
        lane = self.lane
        lane.backend.in_flight += 1
        lane.recorder.begin()

    def divert(self, lane: Lane) -> None:
        """Another lane than the one that was chosen takes it, for that one fails."""
        if self.added is not None and lane.served_by is not None:
            self.added[0] = lane.served_by
        self.lane = lane
        self.app = lane.app

    def fall_back(self, lane: Lane, status: int) -> None:
        """The lane that was asked has failed, as if with ``status``, and the answer has not begun: now for ``lane``."""
        # 7. Record, for the one that has failed.
        failed = self.lane
        failed.backend.in_flight -= 1
        failed.recorder.end(self.scope["method"], status, perf_counter() - self.begun)
        self.divert(lane)
        self.begin()

    def forward(self, _: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """An ASGI app for this request alone."""
        return self.carry(receive, HttpExchange(send, self.added))

    async def carry(self, receive: Receive, exchange: Exchange) -> None:
        # 6. Forward. Whatever the app does, the client gets one answer, whole or visibly broken.
        scope = self.scope
        scope["state"] = self.lane.backend.state.copy()
        try:
            await self.app(scope, receive, exchange.send)
            if not exchange.complete:
                await failure.returned(scope, receive, exchange, self.id)
        except Exception as error:
            await failure.raised(scope, receive, exchange, self.id, self.lane.recorder, error)
        except asyncio.CancelledError:
            await failure.cancelled(scope, exchange, self.id)
            raise
        finally:
            self.end(exchange.status)

    def end(self, status: int, size: int | None = None) -> None:
        """``size`` is that of an answer's content that was sent in one piece."""
        # 7. Record.
        lane = self.lane
        lane.backend.in_flight -= 1
        if self.websocket is None:
            lane.recorder.end(self.scope["method"], status, perf_counter() - self.begun)
        else:
            lane.recorder.end_websocket(status)
