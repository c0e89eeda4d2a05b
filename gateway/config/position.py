"""Where in the user's file a value stands, so that every message can point at it."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import Protocol, TypeAlias

from gateway.config.problem import Problem
from gateway.config.words import shorten

# The way to a value from the root: ("routes", 2, "to").
Path = tuple[str | int, ...]
Children: TypeAlias = "dict[str, Place] | list[Place] | None"

# Editors break lines at LF, CRLF and CR. libyaml's own line numbers also break at NEL, LS and PS, so they would
# drift from what the user sees; hence lines are counted here, from offsets.
_LINE_BREAK = re.compile(r"\r\n|\n|\r")


class Place:
    """One value of the file: the offsets in characters of its key and of itself, and the places inside it.

    ``key`` equals ``start`` where there is no key (list items, the root).
    """

    __slots__ = ("children", "key", "start")

    def __init__(self, key: int, start: int, children: Children = None) -> None:
        self.key = key
        self.start = start
        self.children = children

    def child(self, step: str | int) -> Place | None:
        children = self.children
        if isinstance(children, dict):
            return children.get(step) if isinstance(step, str) else None
        if isinstance(children, list) and isinstance(step, int) and 0 <= step < len(children):
            return children[step]
        return None


class Lines:
    """Turns offsets into a text into lines and columns, both from 1."""

    def __init__(self, source: str, text: str) -> None:
        self.source = source
        self.text = text

    @cached_property
    def _starts(self) -> list[int]:
        # Not before the first problem: a good file needs no line numbers, and every reload would pay for them.
        return [0, *(found.end() for found in _LINE_BREAK.finditer(self.text))]

    def at(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def problem(self, offset: int, message: str) -> Problem:
        return Problem(self.source, *self.at(offset), message)


class Positions(Protocol):
    """Makes a problem of a message and the way to what it is about."""

    def problem(self, path: Path, message: str, *, at_key: bool = False, after: str = "") -> Problem:
        """At the value, behind its beginning ``after``, or at its key.

        Where the file has no such value: at the innermost one around it.
        """
        ...

    def line(self, path: Path) -> int:
        """The line of the value, from 1; 0 where there are no lines."""
        ...

    def cite(self, path: Path) -> str:
        """How a message about one place names another: ``line 12``, or ``routes[1]`` where there are no lines."""
        ...


class TextPositions:
    """Positions in a file."""

    def __init__(self, lines: Lines, root: Place) -> None:
        self._lines = lines
        self._root = root

    def problem(self, path: Path, message: str, *, at_key: bool = False, after: str = "") -> Problem:
        place, found = self._nearest(path)
        offset = place.key if at_key and found else place.start
        if after and found:
            offset = self._behind(offset, after)
        return self._lines.problem(offset, message)

    def line(self, path: Path) -> int:
        return self._lines.at(self._nearest(path)[0].start)[0]

    def cite(self, path: Path) -> str:
        return f"line {self.line(path)}"

    def _behind(self, offset: int, after: str) -> int:
        # Only where the text stands there as it was read: not with escapes, folded lines or an alias.
        for quote in (0, 1):
            if self._lines.text.startswith(after, offset + quote):
                return offset + quote + len(after)
        return offset

    def _nearest(self, path: Path) -> tuple[Place, bool]:
        place = self._root
        for step in path:
            inner = place.child(step)
            if inner is None:
                return place, False
            place = inner
        return place, True


class PathPositions:
    """Positions in a dict: there are no lines, so the way to the value is the position."""

    def __init__(self, source: str) -> None:
        self._source = source

    def problem(self, path: Path, message: str, *, at_key: bool = False, after: str = "") -> Problem:
        return Problem(self.cite(path), 0, 0, message)

    def line(self, path: Path) -> int:
        return 0

    def cite(self, path: Path) -> str:
        return path_text(path) or self._source


def path_text(path: Path) -> str:
    """``("routes", 2, "to")`` as ``routes[2].to``."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        else:
            name = shorten(step)
            parts.append(f".{name}" if parts else name)
    return "".join(parts)
