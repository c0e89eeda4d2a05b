"""Entries of a mapping in the text, and how one more is written as its neighbours are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gateway.config.nodes import Node

_LINE_END = re.compile(r"[^\n\r]*")
_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_SEPARATOR: Final = re.compile(r"\s*,\s*")


def has_comments(text: str, mapping: Node, *, after: int) -> bool:
    """Whether a comment stands between ``after`` and the last character of the mapping."""
    at = after
    for node in mapping.children:
        if "#" in text[at : node.start]:
            return True
        at = node.end
    return "#" in text[at : mapping.end]


def key_text(name: str, quote: str) -> str:
    """A backend's name; it has no character that would have to be escaped."""
    return f"{quote}{name}{quote}"


def added(text: str, mapping: Node, entries: Sequence[tuple[str, str]]) -> tuple[int, int, str]:
    """Where ``entries`` go into the mapping, behind its last one, and the text that does it."""
    key, value = mapping.pairs[-1]
    between = text[key.end : value.start]
    colon = between if re.fullmatch(r"[ \t]*:[ \t]*", between) else ": "
    quote = key.style if key.style in ("'", '"') else ""
    written = [f"{key_text(name, quote)}{colon}{number}" for name, number in entries]
    if mapping.style:
        separator = _separator(text, mapping)
        return value.end, value.end, "".join(separator + entry for entry in written)
    line_end = _line_end(text, value.end)
    indent = _indent(text, key.start)
    newline = _newline(text, line_end)
    return line_end, line_end, "".join(f"{newline}{indent}{entry}" for entry in written)


def _separator(text: str, mapping: Node) -> str:
    """What stands between the last two entries, so that one entry a line stays one entry a line."""
    if len(mapping.pairs) > 1:
        between = text[mapping.pairs[-2][1].end : mapping.pairs[-1][0].start]
        if _SEPARATOR.fullmatch(between):
            return between
    return ", "


def _line_end(text: str, at: int) -> int:
    found = _LINE_END.match(text, at)
    assert found is not None
    return found.end()


def _indent(text: str, at: int) -> str:
    start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    before = text[start:at]
    return before if not before.strip() else " " * len(before)


def _newline(text: str, at: int) -> str:
    """The line break at ``at``; at the end of the file, that of the line before."""
    found = _LINE_BREAK.match(text, at)
    if found is not None:
        return found.group()
    start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at))
    return text[start - 1 : start + 1] if text[start - 1 : start + 1] == "\r\n" else text[start]
