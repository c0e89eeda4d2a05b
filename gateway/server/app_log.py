"""What the log says of an app that has not answered as it should."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from gateway.server.exchange import Exchange

log = logging.getLogger("gateway.server")


def tell_returned(exchange: Exchange) -> None:
    """The app has returned, and its answer is not complete."""
    method, path = exchange.scope["method"], exchange.scope["path"]
    if exchange.left_by_client:
        log.debug("%s %s: the client has left", method, path)
    elif exchange.started:
        # How an app breaks off an answer that it cannot complete; it has said why.
        log.debug("%s %s: the answer was broken off", method, path)
    else:
        log.error("%s %s: the app returned without an answer", method, path)


def tell_raised(exchange: Exchange, error: BaseException) -> None:
    method, path = exchange.scope["method"], exchange.scope["path"]
    if (exchange.disconnected or exchange.left_by_client) and isinstance(error, OSError | ClientDisconnect):
        log.debug("%s %s: the client has left", method, path, exc_info=error)
    else:
        when = "after its answer was complete" if exchange.answered else "while it answered"
        log.error("%s %s: the app raised %s", method, path, when, exc_info=error)
