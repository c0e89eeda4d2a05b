"""Where a thread waits for the event loop, and the event loop never waits for the thread."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue


class Gate:
    """For one thread that waits and one event loop that lets it go on.

    Not a condition variable: its lock would have the event loop wait for a thread that was interrupted while it held
    it. Each side first publishes what it did, then looks at what the other did, so that one of them always sees both.
    """

    __slots__ = ("_tokens", "_waiting")

    def __init__(self) -> None:
        self._tokens: SimpleQueue[None] = SimpleQueue()
        self._waiting = False

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """In the thread: return when ``ready`` says so; it is asked again after each ``open``."""
        while not ready():
            self._waiting = True
            if ready():
                return  # a token may be left behind: it only costs one more question next time
            self._tokens.get()

    def open(self) -> None:
        """In the event loop: what ``ready`` depends on has changed."""
        if self._waiting:
            self._waiting = False
            self._tokens.put(None)
