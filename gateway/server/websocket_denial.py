"""A handshake that is refused with a response of the app's own (ASGI "Websocket Denial Response")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.types import Message

from gateway.server.response_head import write_head

if TYPE_CHECKING:
    from gateway.server.websocket_door import WebSocketDoor


class Denial:
    """The response, which is the last on its connection. Its head goes out with its first content."""

    def __init__(self, door: WebSocketDoor, status: int, fields: list[tuple[bytes, bytes]]) -> None:
        """Raises ValueError or TypeError for a head that cannot be sent."""
        head, self._left, _ = write_head(status, fields, door.default_fields())
        self._door = door
        self._head = b"".join((*head, b"\r\nConnection: close"))
        self._bodiless = status in (204, 304)
        self._chunked = False
        self._complete = False

    async def send(self, message: Message) -> None:
        """Raises RuntimeError for a message out of order, and for content that does not fit its content-length."""
        if message["type"] != "websocket.http.response.body" or self._complete:
            raise RuntimeError(f"the ASGI message {message['type']!r} was sent after websocket.http.response.start")
        door = self._door
        if door.flow.write_paused:
            await door.flow.writable()
        if not door.over:
            self._write(b"" if self._bodiless else message.get("body", b""), message.get("more_body", False))

    def _write(self, content: bytes, more: bool) -> None:
        first = b""
        if self._head:
            first, self._head = self._first(len(content), more), b""
        if self._left is not None and not self._bodiless:
            self._left -= len(content)
            if self._left < 0 or (self._left and not more):
                raise RuntimeError("the content is not as long as the response's content-length says")
        elif self._chunked and content:
            content = b"%x\r\n%b\r\n" % (len(content), content)
        if self._chunked and not more:
            content += b"0\r\n\r\n"
        self._door.write(first + content)
        if not more:
            self._complete = True
            self._door.linger()

    def _first(self, size: int, more: bool) -> bytes:
        if self._bodiless or self._left is not None:
            return self._head + b"\r\n\r\n"
        if more:
            self._chunked = True
            return self._head + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
        return self._head + b"\r\nContent-Length: %d\r\n\r\n" % size

    def give_up(self) -> None:
        """The app does not go on: the client must see that this is not all of it."""
        if not self._complete:
            self._door.break_off(visibly=False)
