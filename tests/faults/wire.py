"""HTTP/1.1 read strictly from a stream, by the clients and by the hostile upstreams of the fault suite."""

from __future__ import annotations

import asyncio

Fields = list[tuple[str, str]]


class Malformed(Exception):
    """What has come is no HTTP message, and the connection has not ended either."""


def field(fields: Fields, name: str) -> str | None:
    """The one value of a field. Raises Malformed if there are several."""
    values = [value for key, value in fields if key == name]
    if len(values) > 1:
        raise Malformed(f"{len(values)} fields {name}")
    return values[0] if values else None


async def read_head(reader: asyncio.StreamReader) -> tuple[str, Fields]:
    """The first line, and the fields with their names in lower case.

    Raises EOFError or ConnectionError when the connection ends before, and Malformed.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise Malformed("a head without an end") from None
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    fields = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name.strip() != name:
            raise Malformed(f"the field line {line[:80]!r}")
        fields.append((name.lower(), value.strip()))
    return first, fields


async def read_body(reader: asyncio.StreamReader, fields: Fields, *, until_end: bool = False) -> bytes:
    """What the fields announce; with ``until_end`` all that comes, if they announce nothing. Raises as read_head."""
    length, coding = field(fields, "content-length"), field(fields, "transfer-encoding")
    if coding is not None:
        if coding != "chunked" or length is not None:
            raise Malformed(f"transfer-encoding {coding}, content-length {length}")
        return await _read_chunks(reader)
    if length is not None:
        return await reader.readexactly(int(length))
    return await reader.read() if until_end else b""


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    while True:
        line = await reader.readuntil(b"\r\n")
        try:
            size = int(line, 16)
        except ValueError:
            raise Malformed(f"the chunk size {line[:80]!r}") from None
        part = await reader.readexactly(size + 2)
        if part[size:] != b"\r\n":
            raise Malformed("a chunk that does not end where it should")
        if not size:
            return b"".join(parts)
        parts.append(part[:size])
