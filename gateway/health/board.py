"""Where one process writes down which addresses are well, for the workers to read: in shared memory, without waiting.

The slots are those of the metrics, so the board is a part of the metrics page, too.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final, NamedTuple

from gateway.telemetry.recorder import BACKEND_HEALTH
from gateway.telemetry.slots import SlotFile, SlotReader

# What a slot says. It is born as 0.0, and that must never be read as "down".
UNKNOWN: Final = 0.0
UP: Final = 1.0
DOWN: Final = 2.0

# The writer gives a sign of life every so many seconds. Words of one that has given none for so long count no more:
# nobody is left alone because the one who checks is stuck.
BEAT: Final = 1.0
STALE: Final = 10.0

_BEAT_KEY: Final = ("health_beat",)


class Address(NamedTuple):
    """``url`` as the file has it."""

    backend: str
    url: str


class Board:
    """The writing side."""

    def __init__(self, slots: SlotFile) -> None:
        self._slots = slots
        self._beat = slots.allocate(_BEAT_KEY)

    def write(self, address: Address, up: bool | None) -> None:
        """None is for what is not known, or not asked any more."""
        slot = self._slots.allocate((BACKEND_HEALTH, *address))
        self._slots.values[slot] = UNKNOWN if up is None else UP if up else DOWN

    def beat(self) -> None:
        """A sign of life."""
        # CLOCK_MONOTONIC is the same in all processes of a machine.
        self._slots.values[self._beat] = time.monotonic()


class BoardReader:
    """The reading side, in a process that may have started long after the other one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader: SlotReader | None = None

    def down(self) -> frozenset[Address]:
        """The addresses that are down; none while there is no board, or nobody who keeps it."""
        if self._reader is None:
            try:
                self._reader = SlotReader(self._path)
            except FileNotFoundError:
                return frozenset()
        beat = 0.0
        down: list[Address] = []
        for key, values in self._reader.items():
            if key == _BEAT_KEY:
                beat = values[0]
            elif values[0] == DOWN:
                down.append(Address(*key[1:]))
        return frozenset(down) if time.monotonic() - beat < STALE else frozenset()

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
