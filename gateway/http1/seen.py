"""Requests whose fields have come before, byte for byte: a client sends the same ones with one request after another.

What follows from the fields alone is then found out once. The fields are their own key, cookies and all, so nothing of
one client can ever be taken for another's; and whoever changes them makes a list of his own, on which nothing is noted.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.http1.field_name import FieldName

# Places in ``Passed.lanes``.
_MEMORY: Final = 32


class Seen(tuple[tuple[bytes, bytes], ...]):
    """The fields as they came. ``passed`` is what was made of them last."""

    passed: Passed | None = None


class Passed:
    """What is passed on of them to apps, as long as they come from ``client`` over ``scheme``, and what is ``said`` of
    that stays the same.

    ``lines`` is how the fields are written to a remote app; empty where that depends on more than the fields, and None
    until somebody has asked. ``chosen`` is which way a route sends who has these fields.
    """

    __slots__ = ("chosen", "client", "fields", "lines", "said", "scheme")

    def __init__(self, fields: list[tuple[bytes, bytes]], client: str, scheme: str, said: object) -> None:
        self.fields = fields
        self.client = client
        self.scheme = scheme
        self.said = said
        self.lines: bytes | None = None
        self.chosen: dict[Any, Any] = {}

    def choose(self, route: Any, lane: Any) -> None:
        if len(self.chosen) < _MEMORY:
            self.chosen[route] = lane


class PassedOn(list[tuple[bytes, bytes]]):
    """The fields of one request: those of ``passed``, and one more, which is its own and is known to be sound."""

    __slots__ = ("last_line", "passed")

    def __init__(self, passed: Passed, name: FieldName, value: bytes) -> None:
        super().__init__(passed.fields)
        self.append((name, value))
        self.passed = passed
        self.last_line = name.spelling + value

    @property
    def untouched(self) -> bool:
        return len(self) == len(self.passed.fields) + 1
