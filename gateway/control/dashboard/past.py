"""The history as the pages tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.change.change import ChangeError
from gateway.change.undo import undone
from gateway.history.entry import Entry, Origin

_WAYS: dict[Origin, str] = {
    "start": "a start of the gateway",
    "file": "an edit of the file",
    "command": "the command line",
    "api": "dashboard or API",
}


@dataclass(frozen=True, slots=True)
class Past:
    """A version that was live. ``previous`` is the one before it, None for the oldest that is kept."""

    version: int
    at: float
    who: str
    changes: str
    reason: str
    previous: int | None


@dataclass(frozen=True, slots=True)
class Undo:
    """``title`` says what the button named ``text`` would do."""

    text: str
    title: str


def past(entries: Sequence[Entry]) -> list[Past]:
    """``entries``, oldest first; the result has the newest first."""
    previous: list[int | None] = [None, *(entry.version for entry in entries)]
    told = [
        Past(entry.version, entry.at, _who(entry), entry.changes, entry.reason, before)
        for entry, before in zip(entries, previous, strict=False)
    ]
    return told[::-1]


def undo(entries: Sequence[Entry], source: str, refused: bool) -> Undo | None:
    """What a roll-back without arguments would do now; None where it can do nothing.

    ``source`` is the name of the file; while it is ``refused``, that is to make it good again.
    """
    if not entries:
        return None
    last = entries[-1]
    if refused:
        return Undo(f"Restore {source}", f"Write the text of version {last.version}, which is live, back into {source}")
    try:
        target = undone(entries, last.digest, None)
    except ChangeError:
        return None
    return Undo("Undo", f"Make the text of version {target.version} live again")


def _who(entry: Entry) -> str:
    way = _WAYS[entry.origin]
    return f"{entry.user} ({way})" if entry.user else way
