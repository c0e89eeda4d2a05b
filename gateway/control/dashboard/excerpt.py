"""The place in a bad file that a problem is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PLACE = re.compile(r":(\d+):\d+: ")
# Lines before and after.
_AROUND = 2
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    text: str
    marked: bool


def excerpt(text: str, problems: Sequence[str]) -> tuple[Line, ...]:
    """The lines of ``text`` around the first of ``problems``, each such as ``routes.yaml:8:9: unknown backend``.

    Empty where the problem has no line, or the file has become shorter since.
    """
    place = _PLACE.search(problems[0]) if problems else None
    if place is None:
        return ()
    wrong, lines = int(place[1]), text.splitlines()
    if not 1 <= wrong <= len(lines):
        return ()
    first, last = max(1, wrong - _AROUND), min(len(lines), wrong + _AROUND)
    return tuple(Line(number, lines[number - 1][:_LONGEST], number == wrong) for number in range(first, last + 1))
