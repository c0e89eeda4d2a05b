"""The compiled table: which route a request is for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Generic, TypeVar

from gateway.routing.node import Node, Nothing
from gateway.routing.particulars import Particulars
from gateway.routing.rule import Rule
from gateway.routing.ties import TieError, tied

__all__ = ["Rule", "Table", "TieError"]

T = TypeVar("T")

_NOTHING = Nothing.HERE


class Table(Generic[T]):
    """Rules with what they lead to, in any order. Immutable. Raises TieError.

    A trie over path segments: a match walks down one node a segment, so its cost depends on the depth of the path and
    not on the number of routes. Where a segment leaves more than one way to go, the less specific ones are kept, and
    taken up when the first ends without a route for the request's method, host, headers and query. (A file could be
    written in which that happens at every segment; the ways then double with each, up to the number of routes.)
    """

    def __init__(self, entries: Sequence[tuple[Rule, T]]) -> None:
        pairs = tied([rule for rule, _ in entries])
        if pairs:
            raise TieError(pairs)
        self._entries = sorted(entries, key=lambda entry: entry[0].order)
        self._root: Node[T] = Node()
        self._ends: dict[Node[T], list[tuple[Rule, T]]] = {}
        places: dict[tuple[str, ...], dict[str, int]] = {}
        for _, same_shape in groupby(self._entries, key=lambda entry: entry[0].template.shape):
            here = list(same_shape)
            node = self._root.grow(here[0][0].template)
            node.end(here, places)
            self._ends[node] = here
        # Below the deepest template nothing is looked at: a longer path is split no further.
        self._splits = 1 + max((len(rule.template.segments) for rule, _ in entries), default=0)

    def match(self, method: str, path: str, headers: Iterable[tuple[bytes, bytes]], query_string: bytes) -> T | None:
        """What the first rule that the request matches leads to, in order of precedence; None without one.

        ``path`` is the decoded one of path.canonical, ``headers`` have lower-case names. Headers and query are read
        only where a rule asks for them.
        """
        pieces = path.split("/", self._splits)
        # First straight down, where each segment leaves one way to go or a literal that comes before all others: what
        # is found so is what the search would find first. For most requests that is all.
        node = self._root
        for piece in pieces[1:]:
            deeper = node.literals.get(piece)
            if deeper is None:
                deeper = node.sole
                if deeper is None or not piece:
                    break
            node = deeper
        else:
            if node.values:
                value = node.values[node.places.get(method, -1)]
                if value is not _NOTHING:
                    return value
        return self._search(method, pieces, headers, query_string)

    def _search(
        self, method: str, pieces: list[str], headers: Iterable[tuple[bytes, bytes]], query_string: bytes
    ) -> T | None:
        end = len(pieces)
        at = 1
        node = self._root
        later: list[tuple[Node[T], int]] = []
        particulars: Particulars | None = None
        while True:
            if at < end:
                piece = pieces[at]
                at += 1
                if node.parameters is not None:
                    node.parameters.ways(piece, at, end, later)
                literal = node.literals.get(piece)
                if literal is not None:
                    node = literal
                    continue
            elif node.values:
                value = node.values[node.places.get(method, -1)]
                if value is not _NOTHING:
                    return value
            elif node.leaf is not None:
                if particulars is None:
                    particulars = Particulars(headers, query_string)
                entry = node.leaf.pick(method, particulars)
                if entry is not None:
                    return entry[1]
            if not later:
                return None
            node, at = later.pop()

    def explain(
        self, method: str, path: str, headers: Iterable[tuple[bytes, bytes]], query_string: bytes
    ) -> list[tuple[T, str | None]]:
        """Everything whose path matches, in order of precedence, each with why the request is not for it.

        The reason is None where there is none: the first of those is what ``match`` returns.
        """
        pieces = path.split("/", self._splits)
        particulars = Particulars(headers, query_string)
        explained: list[tuple[T, str | None]] = []
        later = [(self._root, 1)]
        while later:
            node, at = later.pop()
            if at == len(pieces):
                here = self._ends.get(node, ())
                explained += [(value, rule.refusal(method, particulars)) for rule, value in here]
                continue
            if node.parameters is not None:
                node.parameters.ways(pieces[at], at + 1, len(pieces), later)
            literal = node.literals.get(pieces[at])
            if literal is not None:
                later.append((literal, at + 1))
        return explained

    def in_order(self) -> list[T]:
        """What all rules lead to, in order of precedence; literals that exclude each other in alphabetical order."""
        return [value for _, value in self._entries]
