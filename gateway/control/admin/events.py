"""`GET /api/v1/events`: what happens, told as it happens (server-sent events, WHATWG HTML 9.2)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque

from fastapi import APIRouter, Response
from starlette.types import Receive, Scope, Send

from gateway.config.problem import Problem
from gateway.control.admin.problem import Refusal
from gateway.control.admin.running import Running
from gateway.control.admin.status import status_of
from gateway.control.admin.views import config_view

logger = logging.getLogger("gateway.control")

# A page left open in this many tabs is a mistake, or an attack.
MOST_LISTENERS = 64
# Seconds that a listener may take nothing for.
PATIENCE = 10.0
# Seconds between two looks at the configuration, and at the figures.
_LOOK = 0.1
_STATUS = 1.0
# A status that has not changed is sent all the same after this many seconds: proxies and browsers give up silence.
_SILENCE = 15.0
# A listener that is this many changes behind is not listening.
_MOST_BEHIND = 32


class Listener:
    """One open stream: what it has still to be told. A newer status takes the place of one that waits."""

    def __init__(self) -> None:
        self.ended = False
        self._status = b""
        self._changes: deque[bytes] = deque()
        self._news = asyncio.Event()

    def tell_status(self, text: bytes) -> None:
        self._status = text
        self._news.set()

    def tell_change(self, text: bytes) -> None:
        self._changes.append(text)
        self._news.set()
        if len(self._changes) > _MOST_BEHIND:
            self.end()

    def end(self) -> None:
        self.ended = True
        self._news.set()

    async def news(self) -> bytes:
        """What there is to tell, as soon as there is something; b"" at the end."""
        await self._news.wait()
        self._news.clear()
        if self.ended:
            return b""
        text = b"".join(self._changes) + self._status
        self._changes.clear()
        self._status = b""
        return text


class Events:
    """Tells all listeners the same. Costs nothing while there are none."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._listeners: set[Listener] = set()
        self._somebody = asyncio.Event()
        self._closed = False
        self._version = running.live.version
        self._problems: tuple[Problem, ...] = ()
        self._status = b""
        self._told = float("-inf")

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def join(self) -> Listener:
        """A new listener, who is told the status at once. Raises Refusal when there are too many."""
        if self._closed or len(self._listeners) >= MOST_LISTENERS:
            raise Refusal(503, f"{len(self._listeners)} listen already; close one", kind="too-many-listeners")
        listener = Listener()
        if not self._listeners:
            self._look()
        listener.tell_status(self._status_text())
        self._listeners.add(listener)
        self._somebody.set()
        return listener

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    def close(self) -> None:
        """End every stream: the end of the gateway does not wait for them."""
        self._closed = True
        for listener in self._listeners:
            listener.end()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            if not self._listeners:
                self._somebody.clear()
                await self._somebody.wait()
            await asyncio.sleep(_LOOK)
            news = self._look()
            if news or time.monotonic() - self._told >= _STATUS:
                self._tell_status()
            for listener in self._listeners:
                for text in news:
                    listener.tell_change(text)

    def _look(self) -> list[bytes]:
        """What has happened to the configuration since the last look."""
        live = self._running.live
        news = []
        if live.version != self._version:
            self._version = live.version
            news.append(_event("change", config_view(live).model_dump_json()))
        if live.problems != self._problems:
            self._problems = live.problems
            if live.problems:
                news.append(_event("rejected", config_view(live).model_dump_json()))
        return news

    def _status_text(self) -> bytes:
        return _event("status", status_of(self._running).model_dump_json())

    def _tell_status(self) -> None:
        text = self._status_text()
        now = time.monotonic()
        if text == self._status and now - self._told < _SILENCE:
            return
        self._status, self._told = text, now
        for listener in self._listeners:
            listener.tell_status(text)


class EventStream(Response):
    """The answer to one listener, for as long as it listens."""

    media_type = "text/event-stream"

    def __init__(self, events: Events) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        # Here, where a refusal can still be answered with a status.
        self._listener = events.join()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tasks = [asyncio.create_task(self._tell(send)), asyncio.create_task(_left(receive))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._events.leave(self._listener)
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _tell(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        while text := await self._listener.news():
            try:
                async with asyncio.timeout(PATIENCE):
                    # Waits while the connection's buffer is full: what is not taken does not pile up here.
                    await send({"type": "http.response.body", "body": text, "more_body": True})
            except TimeoutError:
                logger.warning("a listener to the events has taken nothing for %g s and is dropped", PATIENCE)
                return
        await send({"type": "http.response.body", "body": b""})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()


def event_routes(events: Events) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["seeing"])

    @router.get(
        "/events",
        response_class=Response,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def listen() -> Response:
        """A stream of events, each with JSON as its data.

        `status` is the document of `/api/v1/status`: at once, then every second in which it changes, and every 15 s.
        `change` is its `config` when a version becomes live, `rejected` the same when the file is bad or
        missing.
        """
        return EventStream(events)

    return router
