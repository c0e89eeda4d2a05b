"""A request's body that is kept while it is read, so that it can be read once more."""

from __future__ import annotations

from starlette.types import Message, Receive


class Replay:
    """Between ``receive`` and an app. ``most`` is how many bytes are kept.

    ``whole`` tells that nothing which the app has taken is lost, ``left`` that it was told of the client's leaving.
    ``body`` is what somebody has taken before, and has come to its end.
    """

    __slots__ = ("_kept", "_most", "_receive", "left", "whole")

    def __init__(self, receive: Receive, most: int, body: bytes | None = None) -> None:
        self._receive = receive
        self._most = most
        self._kept: list[Message] = []
        self.whole = True
        self.left = False
        if body is not None:
            self._keep({"type": "http.request", "body": body, "more_body": False})

    async def receive(self) -> Message:
        """For the first app."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._keep(message)
        else:
            self.left = True
        return message

    async def again(self) -> Message:
        """For the next one: what the first has taken, then what there is yet to come."""
        if self._kept:
            return self._kept.pop(0)
        return await self._receive()

    def _keep(self, message: Message) -> None:
        if not self.whole:
            return
        self._most -= len(message.get("body", b""))
        if self._most >= 0:
            self._kept.append(message)
        else:
            self.whole = False
            self._kept.clear()
