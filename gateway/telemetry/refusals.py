"""What was refused for being more than there may be, or not HTTP."""

from __future__ import annotations

from gateway.telemetry.recorder import LIMIT_REFUSED, REFUSED
from gateway.telemetry.slots import SlotFile


class Refusals:
    """Counts by reason. Seldom: the slot is looked up by its key each time."""

    def __init__(self, slots: SlotFile) -> None:
        self._slots = slots

    def count(self, reason: str) -> None:
        """``reason`` is one word of few: nothing that a client can make up."""
        self._slots.values[self._slots.allocate((REFUSED, reason))] += 1.0

    def count_limited(self, kind: str, name: str, reason: str) -> None:
        """At the limit that the route or the backend (``kind``) with this ``name`` has."""
        self.count(f"{kind}_{reason}")
        self._slots.values[self._slots.allocate((LIMIT_REFUSED, kind, name, reason))] += 1.0
