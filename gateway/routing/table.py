"""The compiled table: which route a request is for.

A trie over path segments. A match walks down one node a segment, so its cost depends on the depth of the path and not
on the number of routes. Where a segment leaves more than one way to go, the less specific ones are kept, and taken up
when the first way ends without a route for the request's method, host, headers and query. (A file could be written
in which that happens at every segment; the ways then double with each, up to the number of routes.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from gateway.routing.leaf import Leaf
from gateway.routing.particulars import Particulars
from gateway.routing.rule import Rule
from gateway.routing.template import Kind, Template
from gateway.routing.ties import TieError, tied

__all__ = ["Rule", "Table", "TieError"]

T = TypeVar("T")

_UUID = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")


class Table(Generic[T]):
    """Rules with what they lead to, in any order. Immutable. Raises TieError."""

    def __init__(self, entries: Sequence[tuple[Rule, T]]) -> None:
        pairs = tied([rule for rule, _ in entries])
        if pairs:
            raise TieError(pairs)
        self._entries = sorted(entries, key=lambda entry: entry[0].order)
        self._root: _Node[T] = _Node()
        grouped: dict[_Node[T], list[tuple[Rule, T]]] = {}
        for entry in self._entries:
            grouped.setdefault(self._root.grow(entry[0].template), []).append(entry)
        for node, here in grouped.items():
            node.leaf = Leaf(here)
        # Below the deepest template nothing is looked at: a longer path is split no further.
        self._splits = 1 + max((len(rule.template.segments) for rule, _ in entries), default=0)

    def match(self, method: str, path: str, headers: Iterable[tuple[bytes, bytes]], query_string: bytes) -> T | None:
        """What the first rule that the request matches leads to, in order of precedence; None without one.

        ``path`` is the decoded one of path.canonical, ``headers`` have lower-case names. Headers and query are read
        only where a rule asks for them.
        """
        pieces = path.split("/", self._splits)
        end = len(pieces)
        at = 1
        node = self._root
        later: list[tuple[_Node[T], int]] = []
        particulars: Particulars | None = None
        while True:
            if at < end:
                piece = pieces[at]
                at += 1
                if node.branches:
                    node.branch(piece, at, end, later)
                literal = node.literals.get(piece)
                if literal is not None:
                    node = literal
                    continue
            else:
                leaf = node.leaf
                if leaf is not None:
                    if leaf.plain is not None:
                        found = leaf.plain.get(method, leaf.otherwise)
                    else:
                        if particulars is None:
                            particulars = Particulars(headers, query_string)
                        found = leaf.pick(method, particulars)
                    if found is not None:
                        return found[1]
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
            if at < len(pieces):
                node.branch(pieces[at], at + 1, len(pieces), later)
                literal = node.literals.get(pieces[at])
                if literal is not None:
                    later.append((literal, at + 1))
            elif node.leaf is not None:
                explained += [(value, rule.refusal(method, particulars)) for rule, value in node.leaf.entries]
        return explained

    def in_order(self) -> list[T]:
        """What all rules lead to, in order of precedence; literals that exclude each other in alphabetical order."""
        return [value for _, value in self._entries]


class _Node(Generic[T]):
    """Where the paths stand that have matched the same segments so far."""

    __slots__ = ("branches", "integer", "leaf", "literals", "rest", "segment", "uuid")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.integer: _Node[T] | None = None
        self.uuid: _Node[T] | None = None
        self.segment: _Node[T] | None = None
        self.rest: _Node[T] | None = None
        self.branches = False
        self.leaf: Leaf[T] | None = None

    def grow(self, template: Template) -> _Node[T]:
        """The node at the end of ``template``, made with all before it where there is none."""
        node = self
        for segment in template.segments:
            node = node._grow_one(segment.kind, segment.text)
        return node

    def _grow_one(self, kind: Kind, text: str) -> _Node[T]:
        if kind is Kind.LITERAL:
            return self.literals.setdefault(text, _Node())
        self.branches = True
        match kind:
            case Kind.INT:
                self.integer = node = self.integer or _Node()
            case Kind.UUID:
                self.uuid = node = self.uuid or _Node()
            case Kind.SEGMENT:
                self.segment = node = self.segment or _Node()
            case Kind.REST:
                self.rest = node = self.rest or _Node()
        return node

    def branch(self, piece: str, at: int, end: int, later: list[tuple[_Node[T], int]]) -> None:
        """Put the ways that ``piece`` may go as a parameter on ``later``, the most specific last.

        ``at`` is the index of the piece after it, ``end`` that of the end of the path.
        """
        # The rest is never empty, but may begin with an empty segment: /admin//users.
        if self.rest is not None and (piece or at < end):
            later.append((self.rest, end))
        if not piece:
            return
        if self.segment is not None:
            later.append((self.segment, at))
        # str.isdigit alone is true for ² and for the digits of every script.
        if self.integer is not None and piece.isdigit() and piece.isascii():
            later.append((self.integer, at))
        elif self.uuid is not None and _UUID.fullmatch(piece):
            later.append((self.uuid, at))
