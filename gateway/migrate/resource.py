"""What an endpoint is about: the heading it stands under, and the group whose users see one version."""

from __future__ import annotations

import re

from gateway.config.rule_of import template_of
from gateway.routing.template import Kind

# Segments that say how the API is reached, not what it is about.
_PREFIX = re.compile(r"api|rest|v\d+(?:\.\d+)?", re.IGNORECASE)
_LONGEST = 64  # of a group's name


def resource_of(path: str, host: str | None = None) -> str:
    """``/api/v1/books/{id}`` is about ``api-v1-books``, ``/`` and ``/{page}`` about ``root``.

    The result is the name of a group. Endpoints that differ in their first literal segment, or in the prefix or
    the host before it, have nothing in common.
    """
    words: list[str] = [] if host is None else [host.removeprefix("*.")]
    for segment in template_of(path).segments:
        if segment.kind is not Kind.LITERAL or not segment.text:
            break
        words.append(segment.text)
        if not _PREFIX.fullmatch(segment.text):
            break
    else:
        if not words:
            return "root"
    name = re.sub(r"[^A-Za-z0-9_]+", "-", "-".join(words)).strip("-")
    if not name:
        return "root"
    return (name if name[0].isalpha() else f"r-{name}")[:_LONGEST]
