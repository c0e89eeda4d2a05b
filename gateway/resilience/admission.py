"""How many may be inside at once, and who is next: first come, first served.

No I/O and no clock: whoever waits is a ticket, and the caller knows how to tell it that its turn has come.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Ticket = TypeVar("Ticket", bound=Hashable)


class Admission(Generic[Ticket]):
    """``most`` may be inside, and ``queue`` more may wait. Every operation takes the same time, however many wait."""

    __slots__ = ("_waiting", "inside", "most", "queue")

    def __init__(self, most: int, queue: int) -> None:
        self.most = most
        self.queue = queue
        self.inside = 0
        # In order, and to be left from anywhere: a dict is both.
        self._waiting: dict[Ticket, None] = {}

    def __repr__(self) -> str:
        return f"<Admission {self.inside} of {self.most} inside, {self.waiting} of {self.queue} waiting>"

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def enter(self) -> bool:
        """Go in if there is room and nobody was here before. ``leave`` is owed for it."""
        # With a limit that was lowered there may be more inside than may be.
        if self.inside >= self.most or self._waiting:
            return False
        self.inside += 1
        return True

    def wait(self, ticket: Ticket) -> bool:
        """Queue up; False if the queue is full. The turn comes with ``leave`` or ``resize``, unless ``withdraw``."""
        if len(self._waiting) >= self.queue:
            return False
        self._waiting[ticket] = None
        return True

    def withdraw(self, ticket: Ticket) -> bool:
        """Leave the queue; False for who is not in it (any more)."""
        if ticket not in self._waiting:
            return False
        del self._waiting[ticket]
        return True

    def leave(self) -> Ticket | None:
        """Somebody goes out. Returns who takes the place, and is inside from now on; None if nobody does."""
        self.inside -= 1
        return self._next()

    def resize(self, most: int, queue: int) -> list[Ticket]:
        """Go by other numbers from now on. Returns who is inside by that. Nobody is put out, nor out of the queue."""
        self.most = most
        self.queue = queue
        admitted = []
        while (ticket := self._next()) is not None:
            admitted.append(ticket)
        return admitted

    def _next(self) -> Ticket | None:
        if not self._waiting or self.inside >= self.most:
            return None
        ticket = next(iter(self._waiting))
        del self._waiting[ticket]
        self.inside += 1
        return ticket
