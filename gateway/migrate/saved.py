"""The endpoints of both apps, kept beside the history: the control process imports neither app, and reads this."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.migrate.target import Target

NAME: Final = "coverage.json"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Saved:
    """``at`` is when the apps were read, in seconds since the epoch; ``legacy`` and ``new`` name their backends."""

    at: float
    legacy: str
    new: str
    targets: tuple[Target, ...]


def to_text(at: float, legacy: str, new: str, targets: Sequence[Target]) -> str:
    data = {
        "version": _VERSION,
        "at": at,
        "legacy": legacy,
        "new": new,
        "targets": [target.as_data() for target in targets],
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def from_text(text: str) -> Saved:
    """Raises ValueError for what to_text has not written."""
    try:
        data = json.loads(text)
    except ValueError:
        raise ValueError("not a coverage, and no JSON") from None
    if not isinstance(data, dict) or data.get("version") != _VERSION:
        raise ValueError("not a coverage of this version")
    at, legacy, new, targets = (data.get(key) for key in ("at", "legacy", "new", "targets"))
    if not (
        isinstance(at, int | float)
        and isinstance(legacy, str)
        and isinstance(new, str)
        and isinstance(targets, list)
        and all(isinstance(target, dict) for target in targets)
    ):
        raise ValueError("not a coverage")
    return Saved(at, legacy, new, tuple(Target.from_data(target) for target in targets))


def load(folder: Path) -> Saved | None:
    """What is kept in the state folder; None if nothing is. Raises OSError and ValueError."""
    try:
        return from_text((folder / NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
