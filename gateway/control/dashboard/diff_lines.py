"""A unified diff, line by line."""

from __future__ import annotations

from dataclasses import dataclass

_KINDS = {"+": "added", "-": "removed", "@": "place"}


@dataclass(frozen=True, slots=True)
class DiffLine:
    """``kind`` is ``added``, ``removed``, ``place`` (of what follows) or ``""``. ``text`` has its sign in front."""

    kind: str
    text: str


def diff_lines(diff: str) -> list[DiffLine]:
    """Without the names of the two files, which stand above it anyway."""
    lines = diff.split("\n")[:-1]
    if lines and lines[0].startswith("--- "):
        lines = lines[2:]
    return [DiffLine(_KINDS.get(line[:1], ""), line) for line in lines]
