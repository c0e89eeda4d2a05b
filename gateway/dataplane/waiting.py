"""A request whose turn has not come, and its client, who may leave before it does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import Message, Receive, Scope


class WaitingClient:
    """Looks after the client while the app is not asked yet. ``receive`` gives the app what has come by then."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        # To receive is to tell a client that waits for 100 Continue to go on (RFC 9110 10.1.1): not before its turn.
        self._patient = any(name == b"expect" for name, _ in scope["headers"])
        self._receive = receive
        self._held: list[Message] = []
        self._on_left: Callable[[], None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._left = False

    def watch(self, on_left: Callable[[], None]) -> None:
        """Have ``on_left`` called if the client leaves before ``stop``, or has left already."""
        self._on_left = on_left
        if self._left:
            on_left()
        elif self._watch is None and not self._patient:
            self._watch = asyncio.get_running_loop().create_task(self._look())

    def stop(self) -> None:
        self._on_left = None
        if self._watch is not None:
            self._watch.cancel()

    async def receive(self) -> Message:
        """The ASGI receive."""
        return self._held.pop(0) if self._held else await self._receive()

    async def _look(self) -> None:
        while True:
            message = await self._receive()
            self._held.append(message)
            if message["type"] in ("http.disconnect", "websocket.disconnect"):
                self._left = True
                if self._on_left is not None:
                    self._on_left()
                return
            if message.get("more_body", False):
                # The rest stays with the client until somebody has use for it.
                return
