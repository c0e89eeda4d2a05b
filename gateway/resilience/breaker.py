"""A circuit breaker: who fails again and again is left alone for a while, then tried with care."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

from gateway.resilience.window import Window

# What is let through at once when the way back begins, however slowly it is to go on from there.
_FIRST_SHARE: Final = 0.1

REFUSED: Final = 0


class State(IntEnum):
    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """It opens when of at least ``minimum`` outcomes in the last ``window`` seconds ``error_ratio`` were failures, or
    after ``consecutive`` failures in a row. After ``open`` seconds it lets ``probes`` requests through at a time; when
    as many in a row have succeeded, the share that it lets through grows for ``ramp`` seconds until it is all. Probes
    that say nothing for as long as it was open are waited for no longer: others may try.

    ``forced`` is the word of the operator: it stays as it says.
    """

    error_ratio: float = 0.5
    consecutive: int = 5
    window: float = 10.0
    minimum: int = 20
    open: float = 10.0
    probes: int = 3
    ramp: float = 30.0
    forced: Literal["open", "closed"] | None = None


class Breaker:
    """For one way that requests can go. Constant time for each, and constant memory.

    ``enter`` gives who may go a ticket, and exactly one of ``succeeded``, ``failed`` and ``withdrawn`` is called with
    it in the end. What a request says that went before the state last changed says nothing about the state now.

    Times are of any clock that does not go back, in seconds.
    """

    __slots__ = ("_credit", "_epoch", "_in_row", "_probing", "_ramp_from", "_settings", "_until", "_window", "state")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._window = Window(settings.window)
        self._epoch = 1
        self._in_row = 0
        self._probing = 0
        # While it is open, the end of that; then, when probes that say nothing are waited for no longer.
        self._until = 0.0
        # Since when the share grows; None when all may go.
        self._ramp_from: float | None = None
        self._credit = 0.0
        self.state = State.OPEN if settings.forced == "open" else State.CLOSED

    def __repr__(self) -> str:
        return f"<Breaker {self.state.name} {self._window.marked} of {self._window.count} failed>"

    @property
    def settings(self) -> Settings:
        return self._settings

    def enter(self, now: float) -> int:
        """A ticket for who may go; REFUSED, which is false, for who may not."""
        if self.state is State.CLOSED:
            if self._ramp_from is not None and not self._has_share(now):
                return REFUSED
            return self._epoch
        if self.state is State.OPEN:
            if self._settings.forced is not None or now < self._until:
                return REFUSED
            self._become(State.HALF_OPEN)
        if self._probing >= self._settings.probes:
            if now < self._until:
                return REFUSED
            self._probing = 0
        self._probing += 1
        self._until = now + self._settings.open
        return self._epoch

    def begun(self, now: float, ticket: int) -> bool:
        """The answer has begun well. True if that is all that has to be known: it counts as ``succeeded``, which is
        not called any more, nor is ``withdrawn``; but ``failed`` is, if it fails in the end."""
        if ticket != self._epoch or self.state is not State.HALF_OPEN:
            return False
        self.succeeded(now, ticket)
        return True

    def succeeded(self, now: float, ticket: int) -> None:
        if ticket != self._epoch:
            return
        if self.state is State.CLOSED:
            self._in_row = 0
            self._window.add(now, marked=False)
            return
        self._one_probe_less()
        self._in_row += 1
        if self._in_row >= self._settings.probes:
            self._become(State.CLOSED)
            self._ramp_from = now
            self._credit = 0.0

    def failed(self, now: float, ticket: int) -> None:
        if ticket != self._epoch:
            return
        if self.state is State.HALF_OPEN:
            self._open(now)
            return
        settings, window = self._settings, self._window
        self._in_row += 1
        window.add(now, marked=True)
        if settings.forced is None and (
            self._in_row >= settings.consecutive
            or (window.count >= settings.minimum and window.marked >= settings.error_ratio * window.count)
        ):
            self._open(now)

    def withdrawn(self, ticket: int) -> None:
        """It ended without saying anything about the backend: its client has left."""
        if ticket == self._epoch and self.state is State.HALF_OPEN:
            self._one_probe_less()

    def retry_after(self, now: float) -> int:
        """Whole seconds after which it is worth to come again; at least one."""
        return max(1, int(self._until - now) + 1) if self.state is State.OPEN else 1

    def _one_probe_less(self) -> None:
        # It may be one that was waited for no longer.
        self._probing = max(0, self._probing - 1)

    def _open(self, now: float) -> None:
        self._become(State.OPEN)
        self._until = now + self._settings.open

    def _become(self, state: State) -> None:
        self.state = state
        self._epoch += 1
        self._in_row = 0
        self._probing = 0
        self._ramp_from = None
        self._window.clear()

    def _has_share(self, now: float) -> bool:
        """Evenly: at a share of a quarter, every fourth."""
        assert self._ramp_from is not None
        ramp = self._settings.ramp
        passed = now - self._ramp_from
        if passed >= ramp:
            self._ramp_from = None
            return True
        self._credit += max(_FIRST_SHARE, passed / ramp)
        if self._credit < 1.0:
            return False
        self._credit -= 1.0
        return True
