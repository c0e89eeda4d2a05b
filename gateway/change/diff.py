"""What is different between two texts, as a unified diff."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from gateway.change.lines import Run, common_runs

_CONTEXT: Final = 3
# Only at LF and CRLF, as `diff` and `patch` do; str.splitlines knows some ten more.
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


class _Change(NamedTuple):
    """Lines of the old text that others of the new text replace; half-open."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def unified(old: str, new: str, old_name: str, new_name: str) -> str:
    """ "" if they are equal. Every line ends with a newline."""
    before, after = _LINE.findall(old), _LINE.findall(new)
    changes = list(_changes(common_runs(before, after), len(before), len(after)))
    if not changes:
        return ""
    lines = [f"--- {old_name}\n", f"+++ {new_name}\n"]
    for hunk in _hunks(changes):
        lines += _hunk(hunk, before, after)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _changes(runs: Sequence[Run], old_length: int, new_length: int) -> Iterator[_Change]:
    at_old = at_new = 0
    for run in [*runs, Run(old_length, new_length, 0)]:
        if run.old > at_old or run.new > at_new:
            yield _Change(at_old, run.old, at_new, run.new)
        at_old, at_new = run.old + run.length, run.new + run.length


def _hunks(changes: Sequence[_Change]) -> Iterator[list[_Change]]:
    """Changes whose surroundings touch belong together."""
    hunk = [changes[0]]
    for change in changes[1:]:
        if change.old_start - hunk[-1].old_end > 2 * _CONTEXT:
            yield hunk
            hunk = []
        hunk.append(change)
    yield hunk


def _hunk(changes: Sequence[_Change], before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    first, last = changes[0], changes[-1]
    lead = min(_CONTEXT, first.old_start)
    trail = min(_CONTEXT, len(before) - last.old_end)
    old = _range(first.old_start - lead, last.old_end + trail)
    new = _range(first.new_start - lead, last.new_end + trail)
    yield f"@@ -{old} +{new} @@\n"
    at = first.old_start - lead
    for change in changes:
        yield from (" " + line for line in before[at : change.old_start])
        yield from ("-" + line for line in before[change.old_start : change.old_end])
        yield from ("+" + line for line in after[change.new_start : change.new_end])
        at = change.old_end
    yield from (" " + line for line in before[at : at + trail])


def _range(start: int, end: int) -> str:
    """As in POSIX, diff -u: an empty range names the line before it, and the length 1 is left out."""
    length = end - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"
