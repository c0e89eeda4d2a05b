"""What an app may offer beside ``__call__``: to begin a request at once, and to answer it without a task.

An ASGI app takes a task and some coroutines for each request, and an answer that comes later takes a future and two
turns of the event loop. For an app that only passes on what arrives elsewhere, that is a third of all it costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from gateway.server.exchange import Exchange


class Direct(Protocol):
    """Who answers a request without a task. Nothing is asked of it any more once it has answered or started a task."""

    def left(self) -> None:
        """The client has gone. The request is over."""

    def hand_over(self) -> None:
        """Go on in a task: call ``Exchange.start``."""


@runtime_checkable
class DirectApp(Protocol):
    """An ASGI app that is also asked like this, by a server that can."""

    def direct(self, exchange: Exchange) -> None:
        """Begin to answer: call ``exchange.start`` with an ASGI app for this one request, or ``exchange.take``.

        It may not wait. What it raises is treated as if ``__call__`` had raised it. The scope is the app's own; but the
        headers in it may be a Seen, which many requests share.
        """
