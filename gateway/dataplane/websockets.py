"""WebSockets last, and routes move: what would now go elsewhere is closed after a while, to come back there.

Nothing here is on the way of an ordinary request, nor of a message.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from typing import Final

from gateway.backends.registry import Backend
from gateway.dataplane.choose import client_key, lane_of
from gateway.dataplane.exchange import WebSocketExchange
from gateway.dataplane.inbound import RawHeaders
from gateway.dataplane.snapshot import Snapshot

log = logging.getLogger("gateway")

# How many are looked at before requests get their turn: some milliseconds' worth.
_AT_A_TIME: Final = 200
# Seconds until a WebSocket is looked at again whose handshake the app has not answered yet.
_NOT_YET: Final = 1.0


@dataclass(slots=True, eq=False)
class OpenWebSocket:
    """One WebSocket, and what its backend was decided on. ``fresh`` is the id that its client was given with it."""

    backend: Backend
    path: str
    query_string: bytes
    headers: RawHeaders
    client: str
    fresh: str | None
    overridden: bool
    exchange: WebSocketExchange = field(init=False)
    end: asyncio.TimerHandle | None = field(default=None, init=False)


class WebSockets:
    """Those that are open."""

    def __init__(self) -> None:
        self._open: set[OpenWebSocket] = set()
        self._review: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, websocket: OpenWebSocket) -> None:
        self._open.add(websocket)

    def remove(self, websocket: OpenWebSocket) -> None:
        self._open.discard(websocket)
        if websocket.end is not None:
            websocket.end.cancel()

    def review(self, snapshot: Snapshot) -> None:
        """``snapshot`` serves from now on: see which WebSockets it would have sent elsewhere."""
        if self._review is not None:
            self._review.cancel()
            self._review = None
        if self._open:
            self._review = asyncio.get_running_loop().create_task(self._look_at_all(snapshot))

    async def stop(self) -> None:
        """The server has ended them all by now."""
        tasks = [*self._ending, *([self._review] if self._review is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_at_all(self, snapshot: Snapshot) -> None:
        grace = snapshot.config.websockets.grace
        moved = 0
        for count, websocket in enumerate(tuple(self._open), 1):
            if _would_stay(websocket, snapshot):
                if websocket.end is not None:
                    # The route has come back.
                    websocket.end.cancel()
                    websocket.end = None
            elif websocket in self._open:
                moved += 1
                if websocket.end is None:
                    self._end_after(grace, websocket)
            if count % _AT_A_TIME == 0:
                await asyncio.sleep(0)
        if moved:
            log.info("%d of %d WebSockets have moved, and are closed within %g s", moved, len(self._open), grace)

    def _end_after(self, seconds: float, websocket: OpenWebSocket) -> None:
        websocket.end = asyncio.get_running_loop().call_later(seconds, self._end, websocket)

    def _end(self, websocket: OpenWebSocket) -> None:
        if websocket.exchange.status == 0:
            self._end_after(_NOT_YET, websocket)
            return
        task = asyncio.get_running_loop().create_task(_close(websocket.exchange))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


async def _close(exchange: WebSocketExchange) -> None:
    with contextlib.suppress(OSError, RuntimeError):
        await exchange.move_away()


def _would_stay(websocket: OpenWebSocket, snapshot: Snapshot) -> bool:
    """Whether ``snapshot`` would send this WebSocket to the backend that it has.

    What has no key is dealt out by weight each time: it may stay where it could have come.
    """
    backend = websocket.backend
    if snapshot.backends.get(backend.name) is not backend:
        return False
    if websocket.overridden:
        return True
    headers = websocket.headers
    route = snapshot.table.match("GET", websocket.path, headers, websocket.query_string) or snapshot.default
    if route.only is not None:
        return route.only.backend is backend
    assert route.split is not None
    key = client_key(route, headers, websocket.client, snapshot.sticky_cookie)
    if not key and route.gives_ids:
        key = websocket.fresh
    if key:
        return lane_of(route, key).backend is backend
    return any(
        lane.backend is backend and weight > 0 for lane, weight in zip(route.lanes, route.split.weights, strict=True)
    )
