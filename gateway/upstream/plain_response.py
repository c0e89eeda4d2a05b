"""Response heads as nearly all apps write them, read line by line.

Of the lines of a head most have come before, from the same app: these are found in a table, and cost a tenth of what
the parser takes for them. Whatever is not exactly of the usual form is left to the parser, which stays the one to say
what is valid: nothing is read here that it would read differently (tests/upstream/test_plain_response.py).
"""

from __future__ import annotations

import re
from typing import Final, cast

from gateway.http1.field import Block, Field
from gateway.http1.field_name import CONNECTION, CONTENT_LENGTH, DATE, PLAIN, SERVER, UNDERSCORED, FieldName, field_name
from gateway.upstream.limits import FIELDS

# They may hold the app's own address (rewrite.py).
PLACES: Final = frozenset((b"location", b"content-location", b"set-cookie"))

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2}) [\t\x20-\x7e]*")
_LINE: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)")
_NUMBER: Final = re.compile(rb"[0-9]{1,15}")

_PASSED: Final = (PLAIN, DATE, SERVER, UNDERSCORED)

# What a line says beside itself.
_NOTHING, _LENGTH, _PLACE, _KEEP, _CLOSE = range(5)

# Lines and heads are remembered from the second time on: many come only once, with an id or a time in them, and would
# cost more to remember than to read. Long ones seldom come twice.
_LINES: dict[bytes, tuple[int, tuple[bytes, bytes]]] = {}
_STATUS: dict[bytes, int] = {}
_MEMORY: Final = 1024
_LONGEST_KNOWN: Final = 128

# Whole heads: an app that sends the same content sends the same head, for as long as the second of its Date lasts.
_HEADS: dict[bytes, PlainHead] = {}
_HEADS_MEMORY: Final = 256
_LONGEST_HEAD: Final = 1024

# The hashes of lines and heads that have come once.
_ONCE: set[int] = set()
_ONCE_MEMORY: Final = 4096


class PlainHead:
    """The status, the fields for the client, the content-length, whether the connection is closed after the response,
    and whether one of PLACES is there. Shared by many responses."""

    __slots__ = ("close", "fields", "length", "places", "status")

    def __init__(
        self, status: int, fields: list[tuple[bytes, bytes]], length: int | None, *, close: bool, places: bool
    ) -> None:
        self.status = status
        self.fields = fields
        self.length = length
        self.close = close
        self.places = places


def read_plain(head: bytes) -> PlainHead | None:
    """None for a head that the parser has to read. ``head`` is without its empty line."""
    plain = _HEADS.get(head)
    if plain is None:
        plain = _read_head(head)
        if plain is not None and len(head) <= _LONGEST_HEAD and _came_before(head):
            if len(_HEADS) >= _HEADS_MEMORY:
                _HEADS.clear()
            _HEADS[head] = plain
            plain.fields = Block(Field(cast(FieldName, name), value) for name, value in plain.fields)
    return plain


def _came_before(text: bytes) -> bool:
    number = hash(text)
    if number in _ONCE:
        return True
    if len(_ONCE) >= _ONCE_MEMORY:
        _ONCE.clear()
    _ONCE.add(number)
    return False


def _read_head(head: bytes) -> PlainHead | None:
    lines = head.split(b"\r\n")
    status = _STATUS.get(lines[0]) or _status(lines[0])
    if not status or len(lines) > FIELDS:
        return None
    del lines[0]
    fields: list[tuple[bytes, bytes]] = []
    append = fields.append
    length: int | None = None
    close = places = False
    for line in lines:
        known = _LINES.get(line) or _read(line)
        if known is None:
            return None
        says, field = known
        if says:
            if says == _LENGTH:
                if length is not None:
                    return None
                length = int(field[1])
            elif says == _PLACE:
                places = True
            else:
                close = close or says == _CLOSE
                continue
        append(field)
    return PlainHead(status, fields, length, close=close, places=places)


def _status(line: bytes) -> int:
    """0 for a line that is not of the usual form."""
    found = _STATUS_LINE.fullmatch(line)
    if found is None:
        return 0
    status = int(found[1])
    if len(line) <= _LONGEST_KNOWN:
        if len(_STATUS) >= _MEMORY:
            _STATUS.clear()
        _STATUS[line] = status
    return status


def _read(line: bytes) -> tuple[int, tuple[bytes, bytes]] | None:
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    name, value = field_name(found[1]), found[2].rstrip(b" \t")
    if name.kind == CONNECTION:
        option = value.lower()
        if option != b"close" and option != b"keep-alive":
            # It may take other fields away (RFC 9110 7.6.1).
            return None
        says = _CLOSE if option == b"close" else _KEEP
    elif name.kind == CONTENT_LENGTH:
        if _NUMBER.fullmatch(value) is None:
            return None
        says = _LENGTH
    elif name.kind in _PASSED:
        says = _PLACE if name in PLACES else _NOTHING
    else:
        return None
    if len(line) > _LONGEST_KNOWN or not _came_before(line):
        return says, (name, value)
    known = says, Field(name, value)
    if len(_LINES) >= _MEMORY:
        _LINES.clear()
    _LINES[line] = known
    return known
