"""Rules between which precedence cannot decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from gateway.routing.rule import Rule

# A file with thousands of copies of one route has millions of pairs; nobody reads more than these.
MOST_PAIRS = 1000

# A rule's index, and the one value that it wants of each header and query key that it wants one value of.
_Member = tuple[int, dict[tuple[str, str | bytes], str | bytes]]


class TieError(Exception):
    """Routes tie. ``pairs`` are their indices, all of them up to MOST_PAIRS, each pair and the list in rising order."""

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        self.pairs = tuple(sorted(pairs))
        super().__init__(f"{len(self.pairs)} pairs of routes match the same requests with the same precedence")


def tied(rules: Sequence[Rule]) -> set[tuple[int, int]]:
    """All pairs of rules of equal precedence that both match some request, up to MOST_PAIRS.

    Equal precedence leaves few rules to compare with each other: the same shape of template, host, number of header
    and of query matches, and a method that both name or that neither does. Among those, two rules overlap unless they
    want different values of one header or query key. (A request may repeat a header and so please both; that is
    not called a tie, and goes to the first in ``Rule.order``.)
    """
    groups: dict[object, list[_Member]] = defaultdict(list)
    for index, rule in enumerate(rules):
        wanted: dict[tuple[str, str | bytes], str | bytes] = {}
        wanted.update({("header", name): value for name, value in rule.headers if value is not None})
        wanted.update({("query", name): value for name, value in rule.query if value is not None})
        for method in rule.methods or ("",):
            groups[rule.template.shape, rule.host, rule.rank, method].append((index, wanted))
    pairs: set[tuple[int, int]] = set()
    for group in groups.values():
        for pair in _overlapping(group):
            pairs.add(pair)
            if len(pairs) == MOST_PAIRS:
                return pairs
    return pairs


def _overlapping(members: list[_Member]) -> Iterator[tuple[int, int]]:
    if len(members) < 2:
        return
    shared = set(members[0][1]).intersection(*(wanted for _, wanted in members))
    if not shared:
        for (one, wanted), (other, also) in combinations(members, 2):
            if all(wanted[key] == also[key] for key in wanted.keys() & also.keys()):
                yield one, other
        return
    # Keys that every member has an opinion on part them without comparing each with each: ten thousand routes told
    # apart by a tenant header are ten thousand groups of one.
    keys = tuple(shared)
    parts: dict[object, list[_Member]] = defaultdict(list)
    for index, wanted in members:
        rest = {key: value for key, value in wanted.items() if key not in shared}
        parts[tuple(wanted[key] for key in keys)].append((index, rest))
    for part in parts.values():
        yield from _overlapping(part)
