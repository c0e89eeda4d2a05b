"""When the app does not do its part: what the client gets, and what the log says.

Before the answer has begun, a problem+json answer. After it, nothing more is sent: the server closes the connection
on an answer that is not complete, so the client sees that it is broken.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from starlette.types import Receive, Scope, Send

from gateway.backends.overload import Overloaded
from gateway.dataplane.exchange import CLIENT_LEFT, Exchange
from gateway.dataplane.problem_json import (
    FAILED,
    NO_ANSWER,
    STOPPING,
    ProblemResponse,
    overloaded,
    unavailable,
    upstream_failed,
)
from gateway.dataplane.shut import Unavailable
from gateway.http1.server_side import server_side
from gateway.telemetry.recorder import Recorder
from gateway.upstream.failure import Failure, UpstreamError

log = logging.getLogger("gateway")

# Messages that may wait unread when the app fails: a server holds few, under back-pressure.
_UNREAD = 8


async def refuse(scope: Scope, send: Send, problem: ProblemResponse, request_id: str) -> None:
    """Answer in the place of a backend."""
    websocket = scope["type"] == "websocket"
    if websocket and "websocket.http.response" not in scope.get("extensions", {}):
        # The server cannot send a body with a refusal: it makes a bare 403 of this.
        await send({"type": "websocket.close", "code": 1008 if problem.status < 500 else 1011})
        return
    for message in problem.messages(request_id, websocket):
        await send(message)


async def raised(
    scope: Scope, receive: Receive, exchange: Exchange, request_id: str, recorder: Recorder, error: Exception
) -> None:
    """The app raised ``error``."""
    if exchange.complete:
        log.error("request %s: the app raised after its answer was complete", request_id, exc_info=error)
        return
    _take_back(scope, exchange)
    if isinstance(error, Overloaded) and exchange.status == 0:
        await _answer_instead(scope, exchange, request_id, overloaded(error.retry_after))
        return
    if isinstance(error, Unavailable):
        await _answer_instead(scope, exchange, request_id, unavailable(error.retry_after))
        return
    if isinstance(error, UpstreamError):
        await _upstream_failed(scope, exchange, request_id, recorder, error)
        return
    if await _client_left(receive, scope):
        exchange.status = exchange.status or CLIENT_LEFT
        return
    log.error(
        "request %s: %s: the app raised %s%s",
        request_id,
        _asked(scope),
        type(error).__name__,
        "" if exchange.status == 0 else " after its answer had begun; the connection is broken off",
        exc_info=error,
    )
    await _give_up(scope, exchange, request_id, FAILED)


async def _upstream_failed(
    scope: Scope, exchange: Exchange, request_id: str, recorder: Recorder, error: UpstreamError
) -> None:
    """An app, or the way to it or from it. A client that leaves is nobody's failure."""
    if error.failure is Failure.CLIENT_LEFT:
        exchange.status = exchange.status or CLIENT_LEFT
        return
    if error.failure.side != "client":
        recorder.upstream_failed(error.failure.stage, error.failure.name.lower())
    log.warning(
        "request %s: %s: %s%s",
        request_id,
        _asked(scope),
        error,
        "" if exchange.status == 0 else "; the answer had begun, and is broken off",
    )
    await _give_up(scope, exchange, request_id, upstream_failed(error))


async def returned(scope: Scope, receive: Receive, exchange: Exchange, request_id: str) -> None:
    """The app returned without completing its answer."""
    if scope["type"] == "websocket" and exchange.status == 101:
        # Returning is a clean end to a connection that is still open.
        with contextlib.suppress(OSError, RuntimeError):
            await exchange.send({"type": "websocket.close", "code": 1000})
        return
    _take_back(scope, exchange)
    if await _client_left(receive, scope):
        exchange.status = exchange.status or CLIENT_LEFT
        return
    log.error(
        "request %s: %s: the app returned %s",
        request_id,
        _asked(scope),
        "without an answer" if exchange.status == 0 else "in the middle of its answer; the connection is broken off",
    )
    await _give_up(scope, exchange, request_id, NO_ANSWER)


async def cancelled(scope: Scope, exchange: Exchange, request_id: str) -> None:
    """The server ends this request, because it ends itself."""
    if exchange.status == 0:
        with contextlib.suppress(OSError, RuntimeError):
            await _answer_instead(scope, exchange, request_id, STOPPING)


async def _answer_instead(scope: Scope, exchange: Exchange, request_id: str, problem: ProblemResponse) -> None:
    exchange.replace_app()
    await refuse(scope, exchange.send, problem, request_id)


async def _give_up(scope: Scope, exchange: Exchange, request_id: str, problem: ProblemResponse) -> None:
    if exchange.status == 0:
        await _answer_instead(scope, exchange, request_id, problem)
    elif scope["type"] == "websocket" and exchange.status == 101 and not exchange.complete:
        # RFC 6455 7.4.1: 1011, the server met a condition that it did not expect.
        with contextlib.suppress(OSError, RuntimeError):
            await exchange.send({"type": "websocket.close", "code": 1011})


def _take_back(scope: Scope, exchange: Exchange) -> None:
    """An answer that has begun and of which nothing is on its way to the client yet has not begun."""
    if exchange.status and scope["type"] == "http":
        server = server_side(scope)
        if server is not None and server.take_back():
            exchange.status = 0


def _asked(scope: Scope) -> str:
    """For the log. The path as it was sent on, all ASCII: decoded, it can hold what drives a terminal (U+009B)."""
    return f"{scope.get('method', 'WEBSOCKET')} {scope['raw_path'].decode('latin-1')}"


async def _client_left(receive: Receive, scope: Scope) -> bool:
    """Whether the client has gone, asked without waiting.

    Only after a failure, so that what is taken from ``receive`` is missed by nobody.
    """
    disconnect = "websocket.disconnect" if scope["type"] == "websocket" else "http.disconnect"
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0):
            # What has come of the body stands before the news. A client that is still sending has not left.
            for _ in range(_UNREAD):
                if (await receive())["type"] == disconnect:
                    return True
    return False
