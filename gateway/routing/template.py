"""Path templates: ``/books/{id:int}/pages/{rest:path}``."""

from __future__ import annotations

import difflib
import enum
import re
from dataclasses import dataclass

from gateway.routing.path import PathError, canonical


class TemplateError(ValueError):
    """A template is wrong. ``column`` is where, counted in characters from 0 at its start."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column


class Kind(enum.IntEnum):
    """What a segment matches, in order of precedence. No text is both INT and UUID, so those two never compete."""

    LITERAL = 0
    INT = 1
    UUID = 2
    SEGMENT = 3
    REST = 4


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One segment. ``text`` is the decoded literal, or the parameter's name. Compares as precedence does."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template. ``text`` is as written. A slash at the end is an empty literal segment, and so is ``/``."""

    text: str
    segments: tuple[Segment, ...]

    @property
    def shape(self) -> tuple[Segment, ...]:
        """The segments without the names: templates of one shape match the same paths. Compares as precedence does."""
        return tuple(s if s.kind is Kind.LITERAL else Segment(s.kind, "") for s in self.segments)


_TYPES = {"int": Kind.INT, "uuid": Kind.UUID, "path": Kind.REST}
# What people write who come from Flask, Django or OpenAPI, and what it is here ("" = no type at all).
_FOREIGN = {
    "str": "",
    "string": "",
    "default": "",
    "slug": "",
    "any": "",
    "float": "",
    "integer": "int",
    "number": "int",
}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FLASK = re.compile(r"<(?:(?P<type>[a-z]+)(?:\([^)]*\))?:)?(?P<name>\w+)>")


def parse(text: str) -> Template:
    """Read a template. Raises TemplateError, which says what is wrong, where, and what was probably meant."""
    if not text.startswith("/"):
        raise TemplateError(f"a path starts with a slash; did you mean '/{text}'?", 0)
    for mark, why in (
        ("?", "a path has no query string; match one with the key 'query'"),
        ("#", "a path has no fragment"),
    ):
        if mark in text:
            raise TemplateError(why, text.index(mark))
    segments: list[Segment] = []
    named: set[str] = set()
    column = 1
    for part in text[1:].split("/"):
        if segments and segments[-1].kind is Kind.REST:
            raise TemplateError(
                f"'{{{segments[-1].text}:path}}' takes the rest of the path, so nothing can follow it", column - 1
            )
        segment = _parse_segment(part, column)
        if segment.kind is not Kind.LITERAL:
            if segment.text in named:
                raise TemplateError(f"the parameter '{segment.text}' is there twice", column)
            named.add(segment.text)
        segments.append(segment)
        column += len(part) + 1
    return Template(text, tuple(segments))


def _parse_segment(part: str, column: int) -> Segment:
    flask = _FLASK.search(part)
    if flask is not None:
        meant = _FOREIGN.get(flask["type"] or "", flask["type"] or "")
        wanted = f"{{{flask['name']}:{meant}}}" if meant in _TYPES else f"{{{flask['name']}}}"
        raise TemplateError(f"parameters are written in braces here: {wanted}", column + flask.start())
    if part in ("*", "**"):
        raise TemplateError(
            "'*' matches nothing but itself; write {rest:path} for the rest of the path, or %2A", column
        )
    depth = 0
    for at, character in enumerate(part):
        depth += (character == "{") - (character == "}")
        if depth < 0:
            raise TemplateError("'}' closes nothing", column + at)
        if depth > 1:
            raise TemplateError("'{' inside a parameter", column + at)
    if depth > 0:
        raise TemplateError("'{' is never closed in its segment", column + part.rindex("{"))
    if "{" not in part:
        return Segment(Kind.LITERAL, _literal(part, column))
    if part[0] != "{" or part.index("}") != len(part) - 1:
        raise TemplateError(f"a parameter is a whole segment, and '{part}' has more in it", column + part.index("{"))
    return _parse_parameter(part[1:-1], column + 1)


def _parse_parameter(inside: str, column: int) -> Segment:
    name, colon, type_name = inside.partition(":")
    if not name:
        raise TemplateError("a parameter needs a name: {name}", column)
    if not _NAME.fullmatch(name):
        raise TemplateError(f"'{name}' is not a name: letters, digits and _, not starting with a digit", column)
    if not colon:
        return Segment(Kind.SEGMENT, name)
    kind = _TYPES.get(type_name)
    if kind is None:
        raise TemplateError(_unknown_type(name, type_name), column + len(name) + 1)
    return Segment(kind, name)


def _unknown_type(name: str, type_name: str) -> str:
    known = "known types are int, uuid and path"
    meant = _FOREIGN.get(type_name.lower())
    if meant is None:
        near = difflib.get_close_matches(type_name.lower(), _TYPES, n=1)
        meant = near[0] if near else None
    if meant is None:
        return f"unknown type '{type_name}'; {known}"
    wanted = f"{{{name}:{meant}}}" if meant else f"{{{name}}}"
    return f"unknown type '{type_name}'; did you mean {wanted}? ({known})"


def _literal(part: str, column: int) -> str:
    """The text as requests have it. A template is written by people: a plain é is as good as %C3%A9."""
    if " " in part:
        raise TemplateError("a space is written %20", column + part.index(" "))
    try:
        literal = canonical(b"/" + part.encode("utf-8"))[0][1:]
    except UnicodeEncodeError as error:
        raise TemplateError("not a character", column + error.start) from None
    except PathError as error:
        raise TemplateError(f"{error}, and requests for such a path are refused", column) from None
    if "\ufffd" in literal:
        # It would match every wrong byte.
        raise TemplateError(f"'{part}' is not UTF-8", column)
    return literal
