"""A WSGI app as an ASGI application.

The ordinary request is one job in a thread pool: its body is gathered in the event loop first, so that a slow sender
holds no thread, and its whole response comes back in one hand-over. Large and chunked bodies, and responses that come
bit by bit, go through bounded buffers with back-pressure from end to end.
"""

from __future__ import annotations

import asyncio
import io
import logging
from wsgiref.types import WSGIApplication

from starlette.types import Receive, Scope, Send

from gateway.backends.mailbox import Mailbox
from gateway.backends.overload import Overloaded
from gateway.backends.threads import ThreadPool
from gateway.backends.wsgi_environ import base_environ, body_length, build_environ
from gateway.backends.wsgi_errors import ErrorLog
from gateway.backends.wsgi_exchange import Exchange
from gateway.backends.wsgi_inbound import Inbound, gather
from gateway.backends.wsgi_input import ClientDisconnected
from gateway.backends.wsgi_outbox import Outbox

SMALL_BODY = 64 * 1024
"""Bytes: a declared length up to which a body is gathered before the app is called."""

QUEUE_WATCH = 0.05
"""Seconds that a request waits for a thread before its client is watched; most have one by then."""

STOP_GRACE = 5.0
"""Seconds that running requests have to end when the app is stopped."""

STOP_ABANDONED = 1.0
"""Seconds that a thread then has to notice that nobody takes its response any more."""

logger = logging.getLogger(__name__)


class WsgiApp:
    """An ASGI application that calls ``app`` in at most ``threads`` threads, with ``queue`` requests waiting.

    Raises Overloaded, before anything was sent, when the queue is full; what the app raises; and IncompleteResponse
    when it produces less than it declared. When anything is raised after the start of the response, its end has not
    been sent: the server has to break the connection.

    ``name`` is for logs and thread names.
    """

    def __init__(self, app: WSGIApplication, *, threads: int = 32, queue: int = 1024, name: str = "wsgi") -> None:
        self._app = app
        self._pool = ThreadPool(threads, queue, name)
        self._base = base_environ(ErrorLog(logging.getLogger(f"{__name__}.{name}")))
        self._mailbox: Mailbox | None = None
        self._streams: set[Exchange] = set()

    def __repr__(self) -> str:
        return f"<WsgiApp {self._pool!r}>"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            await self._http(scope, receive, send)
        elif kind == "websocket":
            # WSGI has none. Closing instead of accepting is a 403 (ASGI, "Close - send event").
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        elif kind == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self.stop()
            await send({"type": "lifespan.shutdown.complete"})
        else:
            raise ValueError(f"unknown ASGI scope type {kind!r}")

    async def stop(self, grace: float = STOP_GRACE) -> None:
        """End the threads. Requests that wait are refused; those that run have ``grace`` seconds.

        After that streamed responses are broken off. A thread that does not end even then is left behind; it is a
        daemon and keeps no process alive.
        """
        for job in self._pool.close():
            assert isinstance(job, Exchange)
            job.refuse(Overloaded(1))
        if await self._pool.join(grace):
            return
        for exchange in tuple(self._streams):
            exchange.abandon()
        if not await self._pool.join(STOP_ABANDONED):
            logger.warning("%r: threads are still busy and are left behind", self)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        mailbox = self._mailbox
        if mailbox is None or mailbox.loop is not loop:
            mailbox = self._mailbox = Mailbox(loop)
        environ = build_environ(self._base, scope)
        exchange = Exchange(self._app, environ, mailbox)
        inbound: Inbound | None = None

        length = body_length(environ)
        if length == 0:
            environ["wsgi.input"] = io.BytesIO()
        elif length is not None and length <= SMALL_BODY:
            body = await gather(receive, length)
            if body is None:
                return
            environ["wsgi.input"] = io.BytesIO(body)
        else:
            inbound = self._inbound(receive, exchange)
            environ["wsgi.input"] = inbound.input(length)

        crowded = self._pool.submit(exchange)
        try:
            if crowded:
                inbound = inbound or self._inbound(receive, exchange)
                inbound.watch_after(QUEUE_WATCH)
            await exchange.ready
            if exchange.error is not None:
                exchange.raise_error()
            if exchange.abandoned:
                return
            await send({"type": "http.response.start", "status": exchange.status, "headers": exchange.headers})
            if exchange.outbox is None:
                await send({"type": "http.response.body", "body": exchange.body})
            else:
                inbound = inbound or self._inbound(receive, exchange)
                inbound.watch()
                await self._stream(exchange, exchange.outbox, send)
        except BaseException:
            self._pool.withdraw(exchange)
            raise
        finally:
            exchange.abandon()
            if inbound is not None:
                await inbound.stop()

    async def _stream(self, exchange: Exchange, outbox: Outbox, send: Send) -> None:
        self._streams.add(exchange)
        try:
            while True:
                body, last = await outbox.take()
                if outbox.gone:
                    return
                await send({"type": "http.response.body", "body": body, "more_body": not last})
                if last:
                    return
                outbox.accepted(len(body))
        finally:
            self._streams.discard(exchange)

    def _inbound(self, receive: Receive, exchange: Exchange) -> Inbound:
        def gone() -> None:
            exchange.abandon()
            if self._pool.withdraw(exchange):
                exchange.refuse(ClientDisconnected("the client has gone"))

        return Inbound(receive, gone)
