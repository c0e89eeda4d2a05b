"""Which lines two texts have in common: patience first, difflib for what is left.

difflib alone takes minutes for ten thousand routes that all change: its cost grows with the product of the lines.
Lines that each text has once, such as `- path: /books`, tell without any search what belongs together (Bram Cohen's
patience diff); between two of those there is little left to compare.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

# Lines by lines. What is more and has no line of its own is one block that is replaced.
_MOST_COMPARED: Final = 4_000_000


class Run(NamedTuple):
    """``length`` lines that are the same, from ``old`` in one text and ``new`` in the other."""

    old: int
    new: int
    length: int


def common_runs(old: Sequence[str], new: Sequence[str]) -> list[Run]:
    """In ascending order; neighbours are joined."""
    runs: list[Run] = []
    for run in _runs(old, new):
        if runs and runs[-1].old + runs[-1].length == run.old and runs[-1].new + runs[-1].length == run.new:
            runs[-1] = runs[-1]._replace(length=runs[-1].length + run.length)
        elif run.length:
            runs.append(run)
    return runs


def _runs(old: Sequence[str], new: Sequence[str]) -> Iterator[Run]:
    at_old = at_new = 0
    for one, other in [*_anchors(old, new), (len(old), len(new))]:
        yield from _between(old, new, at_old, one, at_new, other)
        yield Run(one, other, int(one < len(old)))
        at_old, at_new = one + 1, other + 1


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Lines that both texts have once, as many as keep their order: the longest rising sequence."""
    once_old = {line for line, count in Counter(old).items() if count == 1}
    once_new = {line for line, count in Counter(new).items() if count == 1}
    places = {line: index for index, line in enumerate(new) if line in once_new}
    pairs = [(index, places[line]) for index, line in enumerate(old) if line in once_old and line in places]
    ends: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        pile = bisect_left(ends, place)
        if pile == len(ends):
            ends.append(place)
            piles.append(number)
        else:
            ends[pile] = place
            piles[pile] = number
        before.append(piles[pile - 1] if pile else -1)
    chain: list[tuple[int, int]] = []
    at = piles[-1] if piles else -1
    while at >= 0:
        chain.append(pairs[at])
        at = before[at]
    return chain[::-1]


def _between(
    old: Sequence[str], new: Sequence[str], old_start: int, old_end: int, new_start: int, new_end: int
) -> Iterator[Run]:
    one, other = old[old_start:old_end], new[new_start:new_end]
    if one == other:
        yield Run(old_start, new_start, len(one))
    elif len(one) * len(other) <= _MOST_COMPARED:
        for match in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks():
            yield Run(old_start + match.a, new_start + match.b, match.size)
