"""What breakers and fallbacks add to the numbers. Seldom: slots are looked up by their key each time."""

from __future__ import annotations

from gateway.telemetry.recorder import BREAKER_STATE, BREAKER_TRANSITIONS, FALLBACKS
from gateway.telemetry.slots import SlotFile

STATES = ("closed", "half_open", "open")


class BreakerRecorder:
    """The state of one route's breaker for one backend."""

    def __init__(self, slots: SlotFile, route: str, backend: str) -> None:
        self._slots = slots
        self._route = route
        self._backend = backend

    def is_now(self, state: str | None) -> None:
        """``state`` is one of STATES; None when there is no breaker any more."""
        for each in STATES:
            self._slots.values[self._slot(BREAKER_STATE, each)] = float(each == state)

    def came_to(self, state: str) -> None:
        self._slots.values[self._slot(BREAKER_TRANSITIONS, state)] += 1.0
        self.is_now(state)

    def _slot(self, kind: str, state: str) -> int:
        return self._slots.allocate((kind, self._route, self._backend, state))


class FallbackRecorder:
    """Counts of what ``route`` has asked of ``to`` in the place of ``backend``."""

    def __init__(self, slots: SlotFile, route: str, backend: str, to: str) -> None:
        self._slots = slots
        self._labels = (FALLBACKS, route, backend, to)

    def count(self, reason: str, outcome: str) -> None:
        self._slots.values[self._slots.allocate((*self._labels, reason, outcome))] += 1.0
