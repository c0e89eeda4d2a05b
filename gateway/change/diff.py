"""What is different between two texts, as a unified diff."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Final

_CONTEXT: Final = 3
_HUNK = re.compile(r"@@ -(\d+)((?:,\d+)?) \+(\d+)((?:,\d+)?) @@")
# Only at LF and CRLF, as `diff` and `patch` do; str.splitlines knows some ten more.
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def unified(old: str, new: str, old_name: str, new_name: str) -> str:
    """ "" if they are equal. Every line ends with a newline."""
    before, after = _LINE.findall(old), _LINE.findall(new)
    # A change of one key in a file of ten thousand routes: comparing only from the first to the last difference is
    # what keeps difflib, whose cost is quadratic, out of it.
    top = _common(before, after)
    bottom = _common(before[top:][::-1], after[top:][::-1])
    first = max(0, top - _CONTEXT)
    last = max(0, bottom - _CONTEXT)
    compared = difflib.unified_diff(
        before[first : len(before) - last], after[first : len(after) - last], old_name, new_name, n=_CONTEXT
    )
    return "".join(_lines(compared, first))


def _common(one: list[str], other: list[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _lines(diff: Iterator[str], first: int) -> Iterator[str]:
    for line in diff:
        hunk = _HUNK.match(line)
        if hunk is not None:
            yield f"@@ -{int(hunk[1]) + first}{hunk[2]} +{int(hunk[3]) + first}{hunk[4]} @@\n"
        elif line.endswith("\n"):
            yield line
        else:
            yield f"{line}\n\\ No newline at end of file\n"
