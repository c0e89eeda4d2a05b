"""Breakers that serve: one for each route and backend, which a reload does not reset."""

from __future__ import annotations

import logging
from typing import Literal

from gateway.config.survival import Breaker as BreakerConfig
from gateway.dataplane.exchange import CLIENT_LEFT
from gateway.resilience.breaker import Breaker, Settings, State
from gateway.telemetry.breakers import BreakerRecorder
from gateway.telemetry.slots import SlotFile

log = logging.getLogger("gateway")

_NAMES = {State.CLOSED: "closed", State.HALF_OPEN: "half_open", State.OPEN: "open"}
_SAID = {
    State.CLOSED: "works again, and gets its share back little by little",
    State.HALF_OPEN: "is tried again with a few requests",
    State.OPEN: "keeps failing, and is left alone for a while",
}


def breaker_settings(chosen: BreakerConfig | Literal["open", "closed"] | None) -> Settings | None:
    """What the file says, as the breaker has it."""
    match chosen:
        case None:
            return None
        case "open" | "closed":
            return Settings(forced=chosen)
        case BreakerConfig():
            return Settings(
                error_ratio=chosen.error_ratio,
                consecutive=chosen.consecutive,
                window=chosen.window,
                minimum=chosen.minimum,
                open=chosen.open,
                probes=chosen.probes,
                ramp=chosen.ramp,
            )


class Circuit:
    """A breaker that tells of its changes. Times are ``time.perf_counter()``."""

    def __init__(self, settings: Settings, slots: SlotFile, route: str, backend: str) -> None:
        self._breaker = Breaker(settings)
        self._recorder = BreakerRecorder(slots, route, backend)
        self._route = route
        self._backend = backend
        self._told = self._breaker.state
        self._retired = False
        self._recorder.is_now(_NAMES[self._told])

    def __repr__(self) -> str:
        return f"<Circuit {self._route} {self._backend} {self._breaker!r}>"

    @property
    def settings(self) -> Settings:
        return self._breaker.settings

    @property
    def state(self) -> State:
        return self._breaker.state

    def enter(self, now: float) -> int:
        """See Breaker."""
        ticket = self._breaker.enter(now)
        if self._breaker.state is not self._told:
            self._tell()
        return ticket

    def begun(self, ticket: int, now: float) -> bool:
        """See Breaker."""
        known = self._breaker.begun(now, ticket)
        if self._breaker.state is not self._told:
            self._tell()
        return known

    def ended(self, ticket: int, status: int, now: float) -> None:
        """``status`` is what the client was answered, or would have been; 0 if nobody knows.

        501 says what the app does not do, and nothing of its health (RFC 9110 15.6.2).
        """
        if status >= 500 and status != 501:
            self._breaker.failed(now, ticket)
        elif status == CLIENT_LEFT or status == 0:
            self._breaker.withdrawn(ticket)
        else:
            self._breaker.succeeded(now, ticket)
        if self._breaker.state is not self._told:
            self._tell()

    def retry_after(self, now: float) -> int:
        return self._breaker.retry_after(now)

    def retire(self) -> None:
        """No new request will ask it."""
        self._retired = True
        self._recorder.is_now(None)

    def _tell(self) -> None:
        state = self._told = self._breaker.state
        if self._retired:
            return
        self._recorder.came_to(_NAMES[state])
        level = logging.INFO if state is State.CLOSED else logging.WARNING
        log.log(level, "route %s: backend %s %s", self._route, self._backend, _SAID[state])


class Circuits:
    """All of one gateway, over its reloads."""

    def __init__(self, slots: SlotFile) -> None:
        self._slots = slots
        self._live: dict[tuple[str, str], Circuit] = {}
        self._next: dict[tuple[str, str], Circuit] = {}

    def of(self, route: str, backend: str, settings: Settings) -> Circuit:
        """For the configuration that is being compiled: the one that there is, unless its settings have changed."""
        known = self._next.get((route, backend)) or self._live.get((route, backend))
        if known is None or known.settings != settings:
            if known is not None:
                # Its numbers are in the same place.
                known.retire()
            known = Circuit(settings, self._slots, route, backend)
        self._next[route, backend] = known
        return known

    def settle(self) -> None:
        """That configuration serves from now on."""
        for key, circuit in self._live.items():
            if key not in self._next:
                circuit.retire()
        self._live, self._next = self._next, {}
