"""What can be asked for, and why it cannot be had. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Why = Literal[
    "unknown-route",
    "ambiguous-route",
    "unknown-backend",
    "bad-weights",
    "nothing-to-undo",
    "unknown-version",
    "changed-underneath",
    "nothing-changes",
    "not-editable",
]


@dataclass(frozen=True, slots=True)
class Move:
    """Send all of a route to one backend. For ``route`` see naming.find_route."""

    route: str
    backend: str


@dataclass(frozen=True, slots=True)
class Split:
    """Send a share of a route to each backend.

    ``weights`` are in hundredths of a percent. What they leave of 100 % goes to ``default``; a backend that is not
    named gets nothing.
    """

    route: str
    weights: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RollBack:
    """Go back: one ``route``, or ``everything``, to ``default``; or the whole file to the text of ``version``.

    With none of the three it undoes the last change, and asked for again the one before that, as undo does in an
    editor. See undo.py.
    """

    route: str | None = None
    version: int | None = None
    everything: bool = False


Change = Move | Split | RollBack


class ChangeError(Exception):
    """The change cannot be made; nothing was written. The text is a full sentence that says what to do instead."""

    def __init__(self, kind: Why, message: str) -> None:
        super().__init__(message)
        self.kind: Why = kind
