"""The nodes of the table's trie.

Laid out for the processor's caches: with ten thousand routes, a match costs more than with ten only by the cache lines
it touches for the first time. So nodes are small, and what can be the same object for all of them is.
"""

from __future__ import annotations

import enum
import re
import sys
from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

from gateway.routing.leaf import Leaf
from gateway.routing.rule import Rule
from gateway.routing.template import Kind, Template

T = TypeVar("T")

_UUID = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")
_EMPTY: Final[dict[str, Any]] = {}  # never written to


class Nothing(enum.Enum):
    """Told from every value that a route can lead to, None among them."""

    HERE = enum.auto()


class Node(Generic[T]):
    """Where a path stands that has matched certain segments.

    A path that ends here is decided by the method alone, if no rule here asks for more: its value has the place in
    ``values`` that ``places`` has for the method, and otherwise the last. If one does, by ``leaf``.
    """

    __slots__ = ("leaf", "literals", "parameters", "places", "sole", "values")

    def __init__(self) -> None:
        self.literals: dict[str, Node[T]] = _EMPTY
        self.parameters: Parameters[T] | None = None
        # Behind {name}, where no other parameter may come next.
        self.sole: Node[T] | None = None
        self.places: dict[str, int] = _EMPTY
        self.values: tuple[T | Nothing, ...] = ()
        self.leaf: Leaf[T] | None = None

    def grow(self, template: Template) -> Node[T]:
        """The node where ``template`` ends, made with those before it as far as there are none."""
        node = self
        for segment in template.segments:
            if segment.kind is Kind.LITERAL:
                if node.literals is _EMPTY:
                    node.literals = {}
                node = node.literals.setdefault(sys.intern(segment.text), Node())
            else:
                if node.parameters is None:
                    node.parameters = Parameters()
                below = node.parameters.grow(segment.kind)
                node.sole = node.parameters.sole
                node = below
        return node

    def end(self, entries: Sequence[tuple[Rule, T]], places: dict[tuple[str, ...], dict[str, int]]) -> None:
        """Let ``entries`` end here, in order of precedence. ``places`` are the ones that nodes share so far."""
        if any(rule.host is not None or rule.conditional for rule, _ in entries):
            self.leaf = Leaf(entries)
            return
        # One value for each method, or they would tie.
        named: dict[str, T] = {method: value for rule, value in entries for method in rule.methods}
        otherwise = next((value for rule, value in entries if not rule.methods), Nothing.HERE)
        methods = tuple(sorted(named))
        self.places = places.setdefault(methods, {method: place for place, method in enumerate(methods)})
        self.values = (*(named[method] for method in methods), otherwise)


class Parameters(Generic[T]):
    """The parameters that may come next."""

    __slots__ = ("_integer", "_rest", "_segment", "_uuid")

    def __init__(self) -> None:
        self._integer: Node[T] | None = None
        self._uuid: Node[T] | None = None
        self._segment: Node[T] | None = None
        self._rest: Node[T] | None = None

    def grow(self, kind: Kind) -> Node[T]:
        """The node behind a parameter, made if there is none."""
        match kind:
            case Kind.INT:
                self._integer = node = self._integer or Node()
            case Kind.UUID:
                self._uuid = node = self._uuid or Node()
            case Kind.SEGMENT:
                self._segment = node = self._segment or Node()
            case Kind.REST:
                self._rest = node = self._rest or Node()
            case Kind.LITERAL:
                raise ValueError("a literal is no parameter")
        return node

    @property
    def sole(self) -> Node[T] | None:
        """The node behind a plain segment, if that is the only parameter."""
        return self._segment if self._integer is self._uuid is self._rest is None else None

    def ways(self, piece: str, at: int, end: int, later: list[tuple[Node[T], int]]) -> None:
        """Put the ways that ``piece`` can go on ``later``, the most specific last, each with where it goes on.

        ``at`` is the index of the piece after this one, ``end`` that of the end of the path.
        """
        # The rest is never empty, but may begin with an empty segment: /admin//users.
        if self._rest is not None and (piece or at < end):
            later.append((self._rest, end))
        if not piece:
            return
        if self._segment is not None:
            later.append((self._segment, at))
        # str.isdigit alone is true for ² and for the digits of every script.
        if self._integer is not None and piece.isdigit() and piece.isascii():
            later.append((self._integer, at))
        elif self._uuid is not None and _UUID.fullmatch(piece):
            later.append((self._uuid, at))
