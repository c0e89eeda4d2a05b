"""How many requests may be sent a second time: a share of the recent ones, so that trouble is not multiplied."""

from __future__ import annotations

from gateway.resilience.window import Window


class RetryBudget:
    """At most ``share`` of the requests of the last ``seconds`` may be tried again; ``floor`` always may.

    Without a floor, where little is asked nothing could ever be tried again.
    """

    __slots__ = ("_floor", "_requests", "_retries", "_share")

    def __init__(self, share: float = 0.2, *, floor: int = 10, seconds: float = 10.0) -> None:
        self._share = share
        self._floor = floor
        self._requests = Window(seconds)
        self._retries = Window(seconds)

    def asked(self, now: float) -> None:
        """A request has come that may yet have to be tried again."""
        self._requests.add(now, marked=False)

    def spend(self, now: float) -> bool:
        """Whether one may be tried again now; it counts as tried if so."""
        self._requests.move(now)
        self._retries.move(now)
        if self._retries.count >= max(self._floor, self._share * self._requests.count):
            return False
        self._retries.add(now, marked=False)
        return True
