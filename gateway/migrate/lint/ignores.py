"""`# lint: ignore SG101, SG102` in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.config.nodes import parse

# The reason may follow the codes.
_COMMENT = re.compile(
    r"(?:^|(?<=\s))#[ \t]*lint:[ \t]*ignore\b[ \t]*(?P<codes>[A-Za-z]+[0-9]+(?:[ \t]*,[ \t]*[A-Za-z]+[0-9]+)*)?"
)
_LINE_BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Ignore:
    """One code of a comment at ``line`` and ``column``, from 1; "" where the comment names none.

    ``about`` is the line that it is for: its own, or the next that is not a comment if it stands alone.
    """

    code: str
    line: int
    column: int
    about: int


def ignores(text: str) -> Iterator[Ignore]:
    """All of a text that was loaded, without a byte order mark."""
    if "lint:" not in text:
        return
    # What looks like a comment in quotes, or in a block of text, is none.
    texts = [(node.start, node.end) for node in parse(text).walk() if node.kind == "scalar"]
    starts = [0, *(found.end() for found in _LINE_BREAK.finditer(text))]
    ends = [*starts[1:], len(text)]
    lines = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    for number, line in enumerate(lines, 1):
        for comment in _COMMENT.finditer(line):
            at = starts[number - 1] + comment.start()
            if any(start < at < end for start, end in texts):
                continue
            about = number if line[: comment.start()].strip() else _next(lines, number)
            for code in (comment["codes"] or "").split(","):
                yield Ignore(code.strip().upper(), number, comment.start() + 1, about)


def _next(lines: list[str], number: int) -> int:
    """The first line behind ``number`` that is neither empty nor a comment."""
    for at in range(number, len(lines)):
        if lines[at].strip() and not lines[at].lstrip().startswith("#"):
            return at + 1
    return number
