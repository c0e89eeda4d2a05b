"""The text of a good routes.yaml as a tree of spans: what stands where, to the character.

document.py reads for every reload, and keeps the beginning of each value only. Who edits the text needs the ends, the
keys, the quotes and the anchors too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, Literal

import yaml
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Anchors and tags before a value, and what separates them from it: white space, line breaks and comments.
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*(?:\s|(?<=\s)#[^\n\r]*)*)+")

Kind = Literal["scalar", "mapping", "list", "alias"]


class Node:
    """A value or key. All offsets are in characters.

    ``start`` is where its anchor or tag begins, ``content`` where it begins itself, and ``end`` is behind its last
    character. ``style`` is the quote or block indicator of a scalar, "" if plain; of a mapping or list "{" or "[", ""
    for one in block style. ``name`` is the name of an anchor, or what an alias refers to; ``value`` is a scalar's text.
    """

    __slots__ = ("children", "content", "end", "kind", "name", "start", "style", "tagged", "value")

    def __init__(self, kind: Kind, start: int, content: int, end: int, style: str, name: str | None) -> None:
        self.kind: Kind = kind
        self.start = start
        self.content = content
        self.end = end
        self.style = style
        self.name = name
        self.value = ""
        self.tagged = False
        # Of a mapping: key, value, key, value...
        self.children: list[Node] = []

    @property
    def pairs(self) -> list[tuple[Node, Node]]:
        return list(zip(self.children[::2], self.children[1::2], strict=True))

    def get(self, key: str) -> tuple[Node, Node] | None:
        """Key and value of a mapping's entry."""
        return next((pair for pair in self.pairs if pair[0].value == key), None) if self.kind == "mapping" else None

    def walk(self) -> Iterator[Node]:
        """This node and all in it, in the order of the text."""
        yield self
        for child in self.children:
            yield from child.walk()


def parse(text: str) -> Node:
    """The root of a text that document.compose has read, without a byte order mark.

    What compose refuses has no meaning here: it bounds depth and size, so this need not.
    """
    root: Node | None = None
    open_nodes: list[Node] = []
    loader = _LOADER(text)
    try:
        while (event := loader.get_event()) is not None:
            node = _begun(event, text)
            if node is not None:
                if open_nodes:
                    open_nodes[-1].children.append(node)
                elif root is None:
                    root = node
                if node.kind in ("mapping", "list"):
                    open_nodes.append(node)
            elif isinstance(event, MappingEndEvent | SequenceEndEvent):
                _finish(open_nodes.pop(), event)
    finally:
        loader.dispose()
    assert root is not None
    return root


def _begun(event: Any, text: str) -> Node | None:
    kind: Kind
    style: str
    if isinstance(event, ScalarEvent):
        kind, style = "scalar", event.style or ""
    elif isinstance(event, MappingStartEvent):
        kind, style = "mapping", "{" if event.flow_style else ""
    elif isinstance(event, SequenceStartEvent):
        kind, style = "list", "[" if event.flow_style else ""
    elif isinstance(event, AliasEvent):
        kind, style = "alias", ""
    else:
        return None
    start = content = _index(event.start_mark)
    if kind == "alias":
        return Node(kind, start, start, _index(event.end_mark), style, event.anchor)
    if event.anchor is not None or event.tag is not None:
        found = _PROPERTIES.match(text, start)
        content = found.end() if found is not None else start
    node = Node(kind, start, content, _index(event.end_mark), style, event.anchor)
    node.tagged = event.tag is not None
    if kind == "scalar":
        node.value = event.value
        if style in ("|", ">"):
            # Its end is where the next token begins, some lines on.
            node.end = content + len(text[content : node.end].rstrip())
    return node


def _finish(node: Node, event: Any) -> None:
    # The end of a block is told at the next token, behind all blank lines and comments.
    node.end = _index(event.end_mark) if node.style or not node.children else node.children[-1].end


def _index(mark: Any) -> int:
    index: int = mark.index
    return index
