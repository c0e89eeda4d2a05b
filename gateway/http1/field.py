"""A header field that has been looked at already, and can be passed on without a second look."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gateway.http1.field_name import CONTENT_LENGTH, DATE, PLAIN, SERVER, UNDERSCORED, FieldName

_GOES_ON: Final = (PLAIN, UNDERSCORED)


class Field(tuple[bytes, bytes]):
    """A pair of name and value. The value is known to have no control character in it but the tab (RFC 9110 5.5).

    ``line`` is the field as it is sent, with the line end before it, and ``kind`` that of its name. ``passed`` is the
    line if the field goes on whatever it says, and otherwise None. ``number`` is a Content-Length's.
    """

    kind: int
    line: bytes
    passed: bytes | None
    number: int

    def __new__(cls, name: FieldName, value: bytes) -> Field:
        made = super().__new__(cls, (name, value))
        made.kind = name.kind
        made.line = name.spelling + value
        made.passed = made.line if name.kind in _GOES_ON else None
        made.number = int(value) if name.kind == CONTENT_LENGTH else 0
        return made

    def __reduce__(self) -> tuple[type, tuple[tuple[bytes, bytes]]]:
        """Pickled and copied as the plain pair, as its name is."""
        return tuple, ((bytes(self[0]), self[1]),)


class Block(list[tuple[bytes, bytes]]):
    """Fields that go on as they are. Not to be changed: many responses share them.

    ``text`` are all their lines, ``once`` which of DATE and SERVER are among them, added up, and ``length`` is what
    they say of the content; None if they do not.
    """

    __slots__ = ("length", "once", "text")

    def __init__(self, fields: Iterable[Field]) -> None:
        super().__init__(fields)
        self.text = b""
        self.once = 0
        self.length: int | None = None
        for field in self:
            assert isinstance(field, Field)
            self.text += field.line
            if field.kind == CONTENT_LENGTH:
                self.length = field.number
            elif field.kind in (DATE, SERVER):
                self.once |= field.kind
