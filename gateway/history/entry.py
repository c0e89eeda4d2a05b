"""One version that was live: who brought it, when and why. The text itself is kept apart, by its digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, Self, get_args

Origin = Literal["start", "file", "command", "api"]

_ORIGINS: Final = frozenset(get_args(Origin))
# A reason is a sentence or two: what is longer came from a script, and would be read by everyone who asks for history.
_LONGEST: Final = 500


@dataclass(frozen=True, slots=True)
class _Line:
    """What is kept as a line of JSON."""

    def line(self) -> bytes:
        """Its newline included."""
        return json.dumps(asdict(self), ensure_ascii=False).encode("utf-8", "replace") + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> Self:
        """Raises ValueError for a line that is none, or not whole. Keys that a later gateway may add are left out."""
        data = json.loads(line)
        if not isinstance(data, dict):
            raise ValueError("not a mapping")
        return cls(**{field.name: _checked(field.name, data) for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class Entry(_Line):
    """``at`` is when it became live, in seconds since the epoch. ``user`` and ``reason`` are "" where nobody said, as
    with an edit of the file. ``changes`` is what it changed, in a line. ``undone_to`` is set where a roll-back without
    arguments brought it: the version whose text this one has again.
    """

    version: int
    digest: str
    at: float
    origin: Origin
    user: str
    reason: str
    changes: str
    undone_to: int | None = None


@dataclass(frozen=True, slots=True)
class Announcement(_Line):
    """Who is about to write the text with this digest, and why; see Entry. ``at`` is when that was said."""

    digest: str
    at: float
    origin: Origin
    user: str
    reason: str
    undone_to: int | None = None


def short(text: str) -> str:
    """A user's or a script's words made fit for one line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _checked(name: str, data: Mapping[str, Any]) -> Any:
    value = data.get(name)
    match name:
        case "version":
            good = type(value) is int and value > 0
        case "at":
            good = type(value) in (int, float)
        case "origin":
            good = isinstance(value, str) and value in _ORIGINS
        case "undone_to":
            good = value is None or (type(value) is int and value > 0)
        case _:
            good = isinstance(value, str)
    if not good:
        raise ValueError(f"'{name}' cannot be {value!r}")
    return value
