"""How often something has happened of late, in memory that does not grow."""

from __future__ import annotations

from typing import Final

# The window moves on in steps of this share of it.
_PARTS: Final = 10


class Window:
    """``count`` events in about the last ``seconds``, of which ``marked`` were marked.

    What is older is forgotten a tenth of the window at a time, so the counts reach back by nine to ten tenths of it.
    Times are of any clock that does not go back, in seconds.
    """

    __slots__ = ("_all", "_marks", "_part", "_step", "count", "marked")

    def __init__(self, seconds: float) -> None:
        self._step = seconds / _PARTS
        self._part = 0
        self._all = [0] * _PARTS
        self._marks = [0] * _PARTS
        self.count = 0
        self.marked = 0

    def add(self, now: float, *, marked: bool) -> None:
        """One more."""
        part = int(now / self._step)
        if part != self._part:
            self._move_to(part)
        index = self._part % _PARTS
        self._all[index] += 1
        self.count += 1
        if marked:
            self._marks[index] += 1
            self.marked += 1

    def move(self, now: float) -> None:
        """Forget what is too old by now."""
        part = int(now / self._step)
        if part != self._part:
            self._move_to(part)

    def clear(self) -> None:
        self._all = [0] * _PARTS
        self._marks = [0] * _PARTS
        self.count = self.marked = 0

    def _move_to(self, part: int) -> None:
        passed = part - self._part
        if passed < 0:
            # Somebody has looked at the clock a moment before the others.
            return
        self._part = part
        if passed >= _PARTS:
            self.clear()
            return
        for old in range(part - passed + 1, part + 1):
            index = old % _PARTS
            self.count -= self._all[index]
            self.marked -= self._marks[index]
            self._all[index] = self._marks[index] = 0
