"""Words for messages: what was probably meant, and values short enough to show."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from itertools import islice

_LONGEST = 60
# Comparing is quadratic in the length of the words, and is done for each mistake in the file.
_MOST_NAMES = 200


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant by ``word``, if there is one."""
    candidates = [name for name in islice(names, _MOST_NAMES) if len(name) <= _LONGEST]
    if not word or len(word) > _LONGEST:
        return None
    by_case = {name.casefold(): name for name in reversed(candidates)}
    found = get_close_matches(word.casefold(), by_case, n=1, cutoff=0.6)
    return by_case[found[0]] if found else None


def did_you_mean(word: str, names: Collection[str], *, otherwise: str = "") -> str:
    """``"; did you mean 'legacy'?"``, or ``otherwise`` where no name is near."""
    name = nearest(word, names)
    return f"; did you mean '{name}'?" if name is not None else otherwise


def shorten(text: str, longest: int = _LONGEST) -> str:
    """Text from the file made fit for one line of a message."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:longest])
    return shown + "…" if len(text) > longest else shown


def listed(names: Iterable[str], last_with: str = "or") -> str:
    """``a, b or c``"""
    *front, last = names
    return f"{', '.join(front)} {last_with} {last}" if front else last
