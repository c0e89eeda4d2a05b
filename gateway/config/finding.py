"""A mistake by the way to it, before it is known what that way is called: a line, or a place in a dict."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.config.position import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """``message`` is about the value at ``path``, or with ``at_key`` about its key.

    ``after`` is the beginning of a text value that is right: the mistake is behind it.
    """

    path: Path
    message: str
    at_key: bool = False
    after: str = ""
