"""Adds routes and backends to the text of routes.yaml, in the file's own layout, without touching another byte."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.config.editor import EditError
from gateway.config.loader import Loaded, load_text
from gateway.config.model import Config
from gateway.config.nodes import Node, parse
from gateway.config.pairs import added
from gateway.config.problem import ConfigError

_BOM: Final = "\ufeff"
_INDENT: Final = "  "
_LINE_END = re.compile(r"[^\n\r]*")
_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_COMMENT_LINE = re.compile(r"([ ]*)#[^\n\r]*")
_END_MARK = re.compile(r"^\.\.\.", re.MULTILINE)
_SEPARATOR = re.compile(r"\s*,\s*")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file writes its list of routes: in brackets, or with dashes ``indent`` from the left.

    ``offset`` is how far the keys of a route are to the right of its dash.
    """

    brackets: bool = False
    indent: str = _INDENT
    offset: str = _INDENT


def layout_of(loaded: Loaded) -> Layout:
    """The layout of the list of routes, or the usual one where there are none."""
    text = loaded.text.removeprefix(_BOM)
    pair = parse(text).get("routes")
    if pair is None or not pair[1].children:
        return Layout()
    routes = pair[1]
    if routes.style:
        return Layout(brackets=True)
    dash = _column(text, routes.content)
    return Layout(False, " " * dash, " " * max(2, _column(text, routes.children[-1].start) - dash))


def append_routes(loaded: Loaded, items: Sequence[str], number: int) -> Loaded:
    """The configuration with ``number`` more routes at its end, all of which go to the default.

    ``items`` are the lines of a list with dashes, or with ``Layout.brackets`` one route each. Raises EditError.
    """
    text = loaded.text.removeprefix(_BOM)
    root = parse(text)
    if root.style:
        raise EditError(loaded.problem((), "a file in braces cannot be added to; write the routes there by hand"))
    pair = root.get("routes")
    newline = _newline(text)
    if pair is None:
        at = _end_of(text, root)
        edited = text[:at] + "".join(newline + line for line in ("", "routes:", *items)) + text[at:]
    elif pair[1].kind != "list":
        raise EditError(loaded.problem(("routes",), "the routes are written by an alias; write them out there first"))
    elif not pair[1].children:
        edited = _into_empty(text, pair[0], pair[1], items, newline)
    elif pair[1].style:
        routes = pair[1]
        separator = _separator(text, routes)
        at = routes.children[-1].end
        edited = text[:at] + "".join(separator + item for item in items) + text[at:]
    else:
        at = _behind(text, pair[1])
        edited = text[:at] + "".join(newline + line for line in ("", *items)) + text[at:]

    def is_as_wanted(after: Config) -> bool:
        before = loaded.config
        there = len(before.routes)
        return (
            after.model_copy(update={"routes": after.routes[:there]}) == before
            and len(after.routes) == there + number
            and all(route.to == before.default for route in after.routes[there:])
        )

    return _checked(loaded, edited, is_as_wanted, "routes")


def add_backend(loaded: Loaded, name: str, value: str) -> Loaded:
    """The configuration with one more backend; ``value`` is its mapping, in braces. Raises EditError."""
    text = loaded.text.removeprefix(_BOM)
    pair = parse(text).get("backends")
    if pair is None or pair[1].kind != "mapping":
        raise EditError(
            loaded.problem(("backends",), "the backends are written by an alias; write them out there first")
        )
    start, end, new = added(text, pair[1], [(name, value)])
    edited = text[:start] + new + text[end:]

    def is_as_wanted(after: Config) -> bool:
        others = {key: backend for key, backend in after.backends.items() if key != name}
        return name in after.backends and after.model_copy(update={"backends": others}) == loaded.config

    return _checked(loaded, edited, is_as_wanted, "backends")


def _checked(loaded: Loaded, edited: str, is_as_wanted: Callable[[Config], bool], key: str) -> Loaded:
    mark = _BOM if loaded.text.startswith(_BOM) else ""
    message = f"the {key} are written in a way that cannot be added to safely; add these by hand"
    try:
        after = load_text(mark + edited, loaded.source, keep_unset=True)
    except ConfigError:
        raise EditError(loaded.problem((key,), message)) from None
    if not is_as_wanted(after.config):
        raise EditError(loaded.problem((key,), message))
    return after


def _into_empty(text: str, key: Node, routes: Node, items: Sequence[str], newline: str) -> str:
    """``routes: []  # none yet`` keeps its comment, and loses its brackets."""
    colon = text.index(":", key.end) + 1
    at = _line_end(text, routes.end)
    lines = "".join(newline + line for line in items)
    return text[:colon] + text[routes.end : at] + lines + text[at:]


def _behind(text: str, routes: Node) -> int:
    """Behind the last route and the comments that stand directly below it, no further left than its dash."""
    least = max(1, _column(text, routes.content))
    at = _line_end(text, routes.end)
    while (line_break := _LINE_BREAK.match(text, at)) is not None:
        comment = _COMMENT_LINE.match(text, line_break.end())
        if comment is None or len(comment[1]) < least:
            break
        at = comment.end()
    return at


def _end_of(text: str, root: Node) -> int:
    """Behind the last line of the file that has something on it; before the mark of its end, if there is one."""
    marked = _END_MARK.search(text, root.end)
    return len(text[: marked.start() if marked is not None else len(text)].rstrip())


def _separator(text: str, routes: Node) -> str:
    """What stands between the last two, or what one item alone suggests."""
    if len(routes.children) > 1:
        between = text[routes.children[-2].end : routes.children[-1].start]
        return between if _SEPARATOR.fullmatch(between) else ", "
    before = text[routes.content + 1 : routes.children[0].start]
    return "," + before if before and not before.strip() else ", "


def _line_end(text: str, at: int) -> int:
    found = _LINE_END.match(text, at)
    assert found is not None
    return found.end()


def _newline(text: str) -> str:
    found = _LINE_BREAK.search(text)
    return found.group() if found is not None else "\n"


def _column(text: str, at: int) -> int:
    return at - max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) - 1
