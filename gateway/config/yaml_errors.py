"""What a YAML parser says, in the words of someone who does not parse YAML.

libyaml and PyYAML's own parser word their problems differently but agree on where they were: so the text here is
chosen by the parser's context and by what stands at the place.
"""

from __future__ import annotations

import re

from yaml.error import Mark, MarkedYAMLError, YAMLError

_BRACE = re.compile(r"\{[A-Za-z_]\w*(?::\w+)?\}")
_CLOSER = {"{": "}", "[": "]"}
_CONFLICT = re.compile(r"^<{7} ", re.MULTILINE)


def explain(error: YAMLError, text: str) -> tuple[int, str]:
    """The offset of the mistake in ``text``, and a message that says what to do about it."""
    if not isinstance(error, MarkedYAMLError):
        return 0, f"this is not YAML: {error}"
    mark = error.problem_mark or error.context_mark
    offset = min(mark.index, len(text)) if mark is not None else 0
    opened = error.context_mark
    conflict = _CONFLICT.search(text, 0, offset + 8)
    if conflict is not None:
        return conflict.start(), "a merge conflict was left here: keep one side, and delete the marks"
    tab = _tab_in_indentation(text, offset)
    if tab is not None:
        return tab, "a tab is used for indentation; YAML wants spaces"
    context = error.context or ""
    if "flow mapping" in context or "flow sequence" in context:
        return _unclosed(text, offset, opened, "flow mapping" in context)
    if "flow node" in context:
        return _no_value(text, offset)
    if "alias" in context or "anchor" in context:
        start = min(opened.index, len(text)) if opened is not None else offset
        return start, _needs_quotes(text[start : start + 1])
    if "next token" in context:
        return offset, _needs_quotes(text[offset : offset + 1])
    if "quoted scalar" in context:
        start = opened.index if opened is not None else offset
        if "escape" in (error.problem or ""):
            return offset, "unknown escape in double quotes; write '\\\\' for a backslash, or use single quotes"
        return min(start, len(text)), "the quote that opens here is never closed"
    if "simple key" in context:
        start = opened.index if opened is not None else offset
        return min(start, len(text)), "a ':' is missing after this word"
    if "block mapping" in context:
        return offset, _in_a_mapping(text, offset)
    if "block collection" in context:
        return offset, "expected '- ' here, as on the lines above: is the indentation right?"
    if "block node" in context:
        return offset, f"expected a value, found {text[offset : offset + 1]!r}"
    if "mapping values are not allowed" in (error.problem or ""):
        return offset, "a ':' is not expected here: put text that has ': ' in it in quotes, or check the indentation"
    if "document start" in (error.problem or ""):
        return offset, f"{text[offset : offset + 1]!r} is not expected here: what it closes was never opened"
    return offset, f"this is not YAML: {error.problem or context}"


def _tab_in_indentation(text: str, offset: int) -> int | None:
    """The offset of a tab that the line of ``offset`` is indented with, at or before it."""
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    end = start
    while end < len(text) and text[end] in " \t":
        end += 1
    found = text.find("\t", start, end)
    return found if found >= 0 else None


def _unclosed(text: str, offset: int, opened: Mark | None, mapping: bool) -> tuple[int, str]:
    start = min(opened.index, len(text)) if opened is not None else offset
    opener = "{" if mapping else "["
    # Reading went on to another line: it is the closing bracket that was forgotten, and its place is the opening one.
    if offset >= len(text) or "\n" in text[start:offset]:
        return start, _never_closed(opener)
    # {path: /books/{id}, to: new} and {app: ${APP}} are the usual reasons why a brace stands inside braces.
    if _BRACE.match(text, offset):
        return offset, "inside { } or [ ], put text that has {…} in it in quotes"
    if text.startswith(":", offset):
        return offset, "a ':' is not expected here: is a ',' missing before the word in front of it?"
    return offset, f"expected ',' or '{_CLOSER[opener]}' here"


def _never_closed(opener: str) -> str:
    return f"the '{opener}' that opens here is never closed with '{_CLOSER[opener]}'"


def _no_value(text: str, offset: int) -> tuple[int, str]:
    """Behind a bracket or a comma."""
    if offset < len(text):
        return offset, f"expected a value, found {text[offset]!r}"
    # The text ends there, and the parser does not say which bracket is open.
    closed = 0
    for at in range(len(text) - 1, -1, -1):
        if text[at] in "]}":
            closed += 1
        elif text[at] in "[{":
            if not closed:
                return at, _never_closed(text[at])
            closed -= 1
    return offset, "a value is missing here"


def _in_a_mapping(text: str, offset: int) -> str:
    before = text[max(0, offset - 1) : offset]
    if before in ('"', "'", "}", "]"):
        return f"nothing can follow the closing {before} on this line: put the whole value in quotes"
    if before == " ":
        last = text[:offset].rstrip(" ")[-1:]
        if last in ('"', "'", "}", "]"):
            return f"nothing can follow the closing {last} on this line: put the whole value in quotes"
    return "this line does not fit the lines above: is its indentation right?"


def _needs_quotes(character: str) -> str:
    if not character:
        return "a value is missing here"
    shown = "a tab" if character.isspace() else character
    return f"text that begins with {shown} must be in quotes"
