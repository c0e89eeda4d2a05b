"""What requests say about one address among several: whether it fails so often that the others had better serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from gateway.resilience.window import Window

Reason = Literal["consecutive", "error_ratio"]

# Who is left out again and again is so for longer each time, up to this many times the first.
_LONGEST: Final = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """An address is left out after ``consecutive`` failures in a row, or when of at least ``minimum`` requests in the
    last ``window`` seconds a share of ``error_ratio`` failed: for ``eject`` seconds the first time, and longer each
    time that it does not hold. Its share of the requests then grows for ``slow_start`` seconds.
    """

    consecutive: int = 5
    error_ratio: float = 0.5
    window: float = 10.0
    minimum: int = 20
    eject: float = 10.0
    slow_start: float = 30.0


class Outlier:
    """Of one address. Constant time for each request, and constant memory.

    Times are of any clock that does not go back, in seconds.
    """

    __slots__ = ("_in_row", "_settings", "_times", "_until", "_window")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._window = Window(settings.window)
        self._in_row = 0
        self._times = 0
        # The end of the last time that it was left out.
        self._until = 0.0

    def __repr__(self) -> str:
        return f"<Outlier {self._window.marked} of {self._window.count} failed, {self._in_row} in a row>"

    def succeeded(self, now: float) -> None:
        self._in_row = 0
        self._window.add(now, marked=False)

    def failed(self, now: float) -> Reason | None:
        """Why the address is one to leave out, if this makes it one."""
        settings, window = self._settings, self._window
        self._in_row += 1
        window.add(now, marked=True)
        if self._in_row >= settings.consecutive:
            return "consecutive"
        if window.count >= settings.minimum and window.marked >= settings.error_ratio * window.count:
            return "error_ratio"
        return None

    def eject(self, now: float) -> float:
        """Until when to leave it out. It begins anew after that."""
        last = self._settings.eject * self._times
        if now - self._until > last:
            # It has held for longer than it was left out.
            self._times = 0
        self._times = min(self._times + 1, _LONGEST)
        self._until = now + self._settings.eject * self._times
        self._in_row = 0
        self._window.clear()
        return self._until
