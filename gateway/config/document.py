"""YAML text to plain data, with the place of every key and value, in bounded time and memory.

The text is read as a stream of parser events onto an explicit stack. yaml.compose() and PyYAML's constructors recurse
(in C: deep nesting ends the process), expand aliases without limit, keep the last of two equal keys, and know Python
tags; none of them is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from gateway.config.position import Children, Lines, Place, Positions, TextPositions
from gateway.config.problem import MOST_PROBLEMS, ConfigError, Problem
from gateway.config.scalars import resolve
from gateway.config.words import shorten
from gateway.config.yaml_errors import explain

# The deepest that routes.yaml goes is five: root, routes, a route, to, a percentage.
MAX_DEPTH: Final = 16
# Keys count too. 10,000 routes with every key set have about 300,000.
MAX_VALUES: Final = 400_000

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# The characters YAML does not allow in a stream (YAML 1.2, 5.1), and the surrogates, which UTF-8 cannot carry.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
# libyaml compares each %TAG directive with all before it: a file of them costs quadratic time, so none is let in.
_DIRECTIVE = re.compile(r"^%", re.MULTILINE)
_YAML_TAG: Final = "tag:yaml.org,2002:"
_PLAIN_TAGS: Final = frozenset({"!", _YAML_TAG + "str", _YAML_TAG + "map", _YAML_TAG + "seq"})


@dataclass(frozen=True, slots=True)
class Document:
    """The data of a file or dict, where it stands, and the mistakes that did not prevent reading on."""

    data: Mapping[str, object]
    positions: Positions
    problems: tuple[Problem, ...]
    # Whether any text has a "${" in it: most files have none, and need not be searched again.
    references: bool


def compose(source: str, text: str) -> Document:
    """Read one YAML document whose root is a mapping.

    Raises ConfigError when it cannot be read to its end.
    """
    return _Reader(source, text).read()


class _List:
    """A list whose end has not been read."""

    __slots__ = ("anchor", "children", "items", "values_before")

    def __init__(self, anchor: str | None = None, values_before: int = 0) -> None:
        self.anchor = anchor
        self.values_before = values_before
        self.items: list[object] = []
        self.children: list[Place] = []

    def add(self, value: object, start: int, children: Children) -> Place:
        place = Place(start, start, children)
        self.items.append(value)
        self.children.append(place)
        return place


class _Mapping:
    """A mapping whose end has not been read.

    ``key`` waits for its value; ``drop`` says that this value is read only for the mistakes in it.
    """

    __slots__ = ("anchor", "children", "drop", "items", "key", "key_start", "values_before")

    def __init__(self, anchor: str | None, values_before: int) -> None:
        self.anchor = anchor
        self.values_before = values_before
        self.items: dict[str, object] = {}
        self.children: dict[str, Place] = {}
        self.key: str | None = None
        self.key_start = 0
        self.drop = False

    def add(self, value: object, start: int, children: Children) -> Place:
        place = Place(self.key_start, start, children)
        if self.key is not None and not self.drop:
            self.items[self.key] = value
            self.children[self.key] = place
        self.key = None
        self.drop = False
        return place


class _Anchored:
    """What an alias stands for, and how many values it adds."""

    __slots__ = ("children", "size", "value")

    def __init__(self, value: object, children: Children, size: int) -> None:
        self.value = value
        self.children = children
        self.size = size


class _Reader:
    def __init__(self, source: str, text: str) -> None:
        self._text = text
        self._lines = Lines(source, text)
        self._problems: list[Problem] = []
        self._documents = _List()
        self._stack: list[_List | _Mapping] = [self._documents]
        self._anchors: dict[str, _Anchored] = {}
        self._open_anchors = 0
        self._values = 0
        self._references = False

    def read(self) -> Document:
        if found := _FORBIDDEN.search(self._text):
            self._give_up(found.start(), f"the character U+{ord(found.group()):04X} is not allowed in YAML")
        if found := _DIRECTIVE.search(self._text):
            self._give_up(found.start(), "a line cannot begin with '%': YAML directives are not supported")
        for event in self._events():
            kind = type(event)
            start: int = event.start_mark.index
            if kind is ScalarEvent:
                self._scalar(event, start)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                self._open(event, start, is_mapping=kind is MappingStartEvent)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                self._close()
            elif kind is AliasEvent:
                self._alias(event, start)
            elif kind is DocumentStartEvent and self._documents.items:
                self._give_up(start, "a second document begins here; the file must hold only one")
        return self._document()

    def _events(self) -> Iterator[Any]:
        parser = _LOADER(self._text)
        try:
            while (event := parser.get_event()) is not None and type(event) is not StreamEndEvent:
                yield event
        except yaml.YAMLError as error:
            self._give_up(*explain(error, self._text))
        finally:
            parser.dispose()

    def _document(self) -> Document:
        if not self._documents.items:
            what = "holds only comments" if self._text.strip() else "is empty"
            self._give_up(0, f"the file {what}; it needs at least 'version: 1', 'backends:' and 'default:'")
        data, place = self._documents.items[0], self._documents.children[0]
        if not isinstance(data, dict):
            what = "a list" if isinstance(data, list) else "a single value"
            self._give_up(place.start, f"expected keys such as 'version:' and 'routes:', found {what}")
        return Document(data, TextPositions(self._lines, place), tuple(self._problems), self._references)

    def _scalar(self, event: ScalarEvent, start: int) -> None:
        word: str = event.value
        top = self._stack[-1]
        self._count(1, start)
        if "${" in word:
            self._references = True
        if event.tag is not None:
            self._check_tag(event.tag, start)
        if type(top) is _Mapping and top.key is None:
            self._key(top, word, start, plain=event.implicit[0])
            return
        value = resolve(word) if event.implicit[0] and event.tag is None else word
        top.add(value, start, None)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, None, 1)

    def _key(self, top: _Mapping, word: str, start: int, *, plain: bool) -> None:
        top.key = word
        top.key_start = start
        if plain and word == "<<":
            top.drop = True
            self._note(start, "'<<' (merging mappings) is not supported; write the keys out")
        elif word in top.items:
            top.drop = True
            line = self._lines.at(top.children[word].key)[0]
            self._note(start, f"the key '{shorten(word)}' is given twice; the first is on line {line}")

    def _open(self, event: MappingStartEvent | SequenceStartEvent, start: int, *, is_mapping: bool) -> None:
        top = self._stack[-1]
        self._count(1, start)
        if type(top) is _Mapping and top.key is None:
            self._give_up(start, "a key must be plain text; put text that begins with '{' or '[' in quotes")
        if len(self._stack) > MAX_DEPTH:
            self._give_up(start, f"values are nested more than {MAX_DEPTH} deep")
        if event.tag is not None:
            self._check_tag(event.tag, start)
        opened: _List | _Mapping
        opened = (_Mapping if is_mapping else _List)(event.anchor, self._values)
        top.add(opened.items, start, opened.children)
        self._stack.append(opened)
        if event.anchor is not None:
            self._open_anchors += 1

    def _close(self) -> None:
        ended = self._stack.pop()
        if ended.anchor is not None:
            self._open_anchors -= 1
            size = self._values - ended.values_before + 1
            self._anchors[ended.anchor] = _Anchored(ended.items, ended.children, size)

    def _alias(self, event: AliasEvent, start: int) -> None:
        name = event.anchor or ""
        top = self._stack[-1]
        # An alias inside an anchored value is how aliases grow exponentially, or come to contain themselves.
        if self._open_anchors:
            self._give_up(start, f"the alias '*{shorten(name)}' is inside a value that has an anchor itself")
        if type(top) is _Mapping and top.key is None:
            self._give_up(start, "an alias cannot be a key; put text that begins with '*' in quotes")
        anchored = self._anchors.get(name)
        if anchored is None:
            self._give_up(start, f"no '&{shorten(name)}' stands before this; put text that begins with '*' in quotes")
        self._count(anchored.size, start)
        top.add(anchored.value, start, anchored.children)

    def _check_tag(self, tag: str, start: int) -> None:
        if tag not in _PLAIN_TAGS:
            shown = shorten("!!" + tag.removeprefix(_YAML_TAG) if tag.startswith(_YAML_TAG) else tag)
            self._note(start, f"the tag '{shown}' is not allowed; write plain text, a number, true or false")

    def _count(self, values: int, start: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            self._give_up(
                start, f"the file holds more than {MAX_VALUES:,} values, aliases counted as what they stand for"
            )

    def _note(self, start: int, message: str) -> None:
        self._problems.append(self._lines.problem(start, message))
        if len(self._problems) > MOST_PROBLEMS:
            raise ConfigError(self._problems)

    def _give_up(self, start: int, message: str) -> NoReturn:
        raise ConfigError([*self._problems, self._lines.problem(start, message)])
