"""Changes where routes go, in the text of routes.yaml: the bytes that must change, and no other.

The file is its owner's: his comments, order, quotes and blank lines stay. So the text is not written anew from the
data; the few characters that mean something else from now on are replaced where they stand, and what comes out is
read again and compared with what was wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from gateway.config.loader import Loaded, load_text
from gateway.config.model import Config
from gateway.config.nodes import Node, parse
from gateway.config.pairs import added, has_comments, key_text
from gateway.config.problem import ConfigError, Problem
from gateway.config.scalars import resolve
from gateway.config.shares import percent

# Backend and share in hundredths of a percent; the shares add up to 100 %, and none is zero.
Weights = tuple[tuple[str, int], ...]

_BOM: Final = "\ufeff"


class EditError(Exception):
    """The text cannot be changed safely. ``problem`` says where, why, and what to do by hand."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Replacement(NamedTuple):
    """``text`` in the place of the characters from ``start`` to ``end``."""

    start: int
    end: int
    text: str


def edit(loaded: Loaded, wanted: Mapping[int, Weights]) -> Loaded:
    """The configuration with other weights for some routes, by their indices.

    A route that is to go to one backend is written ``to: new``; only a mapping with comments in it stays one, with 100
    and 0. Where there is a mapping already, its numbers change. Raises EditError.
    """
    mark = _BOM if loaded.text.startswith(_BOM) else ""
    text = loaded.text.removeprefix(_BOM)
    root = parse(text)
    replacements: list[Replacement] = []
    for index, weights in wanted.items():
        current = dict(loaded.config.routes[index].weights)
        replacements += _Edit(loaded, text, root, index).changes(current, weights)
    edited = mark + _replaced(text, replacements)
    try:
        after = load_text(edited, loaded.source, keep_unset=True)
    except ConfigError:
        after = None
    if after is None or not _is_as_wanted(loaded.config, after.config, wanted):
        raise EditError(_shared(loaded, root, wanted) or _by_hand(loaded, min(wanted), wanted[min(wanted)]))
    return after


class _Edit:
    """The change of one route."""

    def __init__(self, loaded: Loaded, text: str, root: Node, index: int) -> None:
        self._loaded = loaded
        self._text = text
        self._index = index
        pair = _pair_of(root, index)
        if pair is None:
            message = "this route is written by an alias; write it out, then change it"
            raise EditError(loaded.problem(("routes", index), message))
        self._key, self._node = pair

    def changes(self, current: Mapping[str, int], weights: Weights) -> Iterator[Replacement]:
        node = self._node
        if node.kind == "mapping" and (len(weights) > 1 or has_comments(self._text, node, after=self._colon)):
            yield from self._numbers(current, dict(weights))
        elif len(weights) > 1:
            yield self._instead(self._mapping(weights), same_kind=False)
        elif node.kind == "scalar":
            yield self._word(weights[0][0])
        else:
            quote = node.children[0].style if node.kind == "mapping" else ""
            yield self._instead(_quoted(weights[0][0], quote), same_kind=False)

    @property
    def _colon(self) -> int:
        """Behind the colon after ``to``."""
        return self._text.index(":", self._key.end) + 1

    def _word(self, backend: str) -> Replacement:
        node = self._node
        if node.style in ("|", ">"):
            return Replacement(node.end - len(node.value.strip()), node.end, backend)
        return self._instead(_quoted(backend, node.style), same_kind=True)

    def _mapping(self, weights: Weights) -> str:
        if self._node.kind == "scalar" and self._node.style in ("|", ">"):
            message = "this value is written as a block; write it on the line of its key, then change it"
            raise EditError(self._loaded.problem(("routes", self._index, "to"), message))
        # Who writes JSON has quotes around his keys, this one too.
        quote = '"' if self._key.style == '"' else ""
        return "{" + ", ".join(f"{_quoted(name, quote)}: {percent(weight)}" for name, weight in weights) + "}"

    def _instead(self, new: str, *, same_kind: bool) -> Replacement:
        """The whole value replaced; its anchor stays, and its tag only if that still fits."""
        node = self._node
        start = node.content
        if node.kind == "mapping" and not node.style and node.start == node.children[0].start:
            # The lines of a block end, and the new value goes behind the colon.
            return Replacement(self._colon, node.end, f" {new}")
        if node.tagged and not same_kind:
            start = node.start
            new = f"&{node.name} {new}" if node.name is not None else new
        elif node.kind == "mapping" and not node.style:
            start = self._colon
            new = f" &{node.name} {new}"
        if self._text[start - 1] == ":" and not self._key.style:
            # {to:{legacy: 1}} is well, but to:new is a word.
            new = f" {new}"
        return Replacement(start, node.end, new)

    def _numbers(self, current: Mapping[str, int], weights: dict[str, int]) -> Iterator[Replacement]:
        node = self._node
        for key, value in node.pairs:
            weight = weights.pop(key.value, 0)
            if current[key.value] != weight:
                yield Replacement(value.content, value.end, percent(weight))
        if weights:
            yield Replacement(*added(self._text, node, [(name, percent(weight)) for name, weight in weights.items()]))


def _pair_of(root: Node, index: int) -> tuple[Node, Node] | None:
    """The key ``to`` of a route, and its value; None where an alias stands for the route."""
    routes = root.get("routes")
    if routes is None or routes[1].kind != "list" or index >= len(routes[1].children):
        return None
    return routes[1].children[index].get("to")


def _quoted(name: str, quote: str) -> str:
    return key_text(name, quote or ('"' if resolve(name) != name else ""))


def _replaced(text: str, replacements: list[Replacement]) -> str:
    parts: list[str] = []
    at = 0
    for start, end, new in sorted(replacements):
        parts += (text[at:start], new)
        at = end
    return "".join([*parts, text[at:]])


def _is_as_wanted(before: Config, after: Config, wanted: Mapping[int, Weights]) -> bool:
    if len(before.routes) != len(after.routes) or _without_routes(before) != _without_routes(after):
        return False
    for index, (old, new) in enumerate(zip(before.routes, after.routes, strict=True)):
        if index in wanted:
            if {name: weight for name, weight in new.weights if weight > 0} != dict(wanted[index]):
                return False
            new = new.model_copy(update={"to": old.to})
        if old != new:
            return False
    return True


def _without_routes(config: Config) -> Config:
    return config.model_copy(update={"routes": ()})


def _shared(loaded: Loaded, root: Node, wanted: Mapping[int, Weights]) -> Problem | None:
    """The anchor in a changed value that an alias elsewhere goes by."""
    for index in wanted:
        pair = _pair_of(root, index)
        for node in pair[1].walk() if pair is not None else ():
            if node.name is None or node.kind == "alias":
                continue
            for other in root.walk():
                if other.kind == "alias" and other.name == node.name:
                    text = loaded.text.removeprefix(_BOM)
                    line = text.count("\n", 0, other.start) + 1
                    message = f"line {line} uses this value too, as '*{node.name}'; write it out there first"
                    return loaded.problem(("routes", index, "to"), message)
    return None


def _by_hand(loaded: Loaded, index: int, weights: Weights) -> Problem:
    if len(weights) == 1:
        value = weights[0][0]
    else:
        value = "{" + ", ".join(f"{name}: {percent(weight)}" for name, weight in weights) + "}"
    message = f"this value is written in a way that cannot be changed safely; write 'to: {value}' there by hand"
    return loaded.problem(("routes", index, "to"), message)
