"""Which templates match the same paths."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.routing.template import Kind, Segment, Template

_UUID = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")


def overlap(one: Template, other: Template) -> bool:
    """Whether some path matches both."""
    return _overlap(one.segments, other.segments)


def covers(wide: Template, narrow: Template) -> bool:
    """Whether every path that matches ``narrow`` matches ``wide``."""
    return _covers(wide.segments, narrow.segments)


def matches_text(segment: Segment, text: str) -> bool:
    """Whether ``segment`` matches the decoded ``text`` of one segment of a path; the rest of a path is not asked."""
    match segment.kind:
        case Kind.LITERAL:
            return text == segment.text
        case Kind.INT:
            return text.isdigit() and text.isascii()
        case Kind.UUID:
            return _UUID.fullmatch(text) is not None
        case _:
            return text != ""


def _overlap(one: Sequence[Segment], other: Sequence[Segment]) -> bool:
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left.kind is Kind.REST:
            return _can_be_rest(other[at:])
        if right.kind is Kind.REST:
            return _can_be_rest(one[at:])
        if not _share(left, right):
            return False
    return len(one) == len(other)


def _share(left: Segment, right: Segment) -> bool:
    if left.kind is Kind.LITERAL:
        return matches_text(right, left.text)
    if right.kind is Kind.LITERAL:
        return matches_text(left, right.text)
    return left.kind is right.kind or Kind.SEGMENT in (left.kind, right.kind)


def _covers(wide: Sequence[Segment], narrow: Sequence[Segment]) -> bool:
    for at, (outer, inner) in enumerate(zip(wide, narrow, strict=False)):
        if outer.kind is Kind.REST:
            return _can_be_rest(narrow[at:])
        if inner.kind is Kind.REST:
            return False
        if inner.kind is Kind.LITERAL:
            if not matches_text(outer, inner.text):
                return False
        elif outer.kind is not Kind.SEGMENT and outer.kind is not inner.kind:
            return False
    return len(wide) == len(narrow)


def _can_be_rest(segments: Sequence[Segment]) -> bool:
    """Whether what ``segments`` match is not empty: the rest of a path never is."""
    return len(segments) > 1 or segments[0] != Segment(Kind.LITERAL, "")
