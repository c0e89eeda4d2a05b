"""A response that is looked at whole before it goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from starlette.types import Message, Send

Fields = list[tuple[bytes, bytes]]

# A longer one goes on as it is: error pages and answers that are worth a change are short.
MOST: Final = 1 << 20


class Held:
    """Takes the place of ``send``. A response for which ``wanted`` (of its status and fields) holds is kept until it is
    whole, and goes on as ``changed`` makes it: status, fields without a content-length, content. Any other, and one
    longer than a MiB, goes on as it comes.
    """

    def __init__(
        self,
        send: Send,
        wanted: Callable[[int, Fields], bool],
        changed: Callable[[int, Fields, bytes], tuple[int, Fields, bytes]],
    ) -> None:
        self._send = send
        self._wanted = wanted
        self._changed = changed
        self._start: Message | None = None
        self._content: list[bytes] = []
        self._size = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self._wanted(message["status"], fields_of(message)):
            self._start = message
            return
        if self._start is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        content = message.get("body", b"")
        self._content.append(content)
        self._size += len(content)
        more = message.get("more_body", False)
        if more and self._size <= MOST:
            return
        start, self._start = self._start, None
        whole = b"".join(self._content)
        if more or self._size > MOST:
            await self._send(start)
            await self._send({"type": "http.response.body", "body": whole, "more_body": more})
            return
        status, fields, content = self._changed(start["status"], fields_of(start), whole)
        if status not in (204, 304):
            fields = [*without(fields, b"content-length"), (b"content-length", b"%d" % len(content))]
        await self._send({**start, "status": status, "headers": fields})
        await self._send({"type": "http.response.body", "body": content})


def fields_of(message: Message) -> Fields:
    return [(bytes(name).lower(), bytes(value)) for name, value in message.get("headers", ())]


def value_of(fields: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes:
    """The first value, empty without any."""
    return next((value for each, value in fields if each == name), b"")


def without(fields: Fields, *names: bytes) -> Fields:
    return [field for field in fields if field[0] not in names]


def media_type(fields: Fields) -> bytes:
    return value_of(fields, b"content-type").partition(b";")[0].strip().lower()


def is_json(fields: Fields) -> bool:
    """JSON that can be read: not compressed."""
    media = media_type(fields)
    return (media == b"application/json" or media.endswith(b"+json")) and not value_of(fields, b"content-encoding")
