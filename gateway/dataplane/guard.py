"""What stands before a lane whose backend may fail: its breaker, and who answers instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config.survival import Fallback
from gateway.dataplane.attempt import Attempt
from gateway.dataplane.circuit import Circuit
from gateway.dataplane.setback import Setback, answered
from gateway.resilience.budget import RetryBudget
from gateway.telemetry.breakers import FallbackRecorder

if TYPE_CHECKING:
    from gateway.dataplane.request import Request
    from gateway.dataplane.snapshot import Lane


class Guard:
    """Of one lane. ``fallback`` is who answers for it once it has failed; ``instead`` takes what the breaker does not
    let through, and is the same lane if there is a fallback.

    ``declined`` are the answers of the app that the client is not to see if there is another way.
    """

    __slots__ = (
        "backend",
        "budget",
        "circuit",
        "declined",
        "fallback",
        "instead",
        "most",
        "on",
        "recorder",
        "remote",
        "repeatable",
    )

    def __init__(
        self,
        lane: Lane,
        circuit: Circuit | None,
        instead: Lane,
        rule: Fallback | None,
        recorder: FallbackRecorder,
    ) -> None:
        self.circuit = circuit
        self.instead = instead
        self.recorder = recorder
        self.backend = lane.backend
        self.remote = lane.backend.interface == "remote"
        self.fallback = instead if rule is not None else None
        self.on: frozenset[int | str] = frozenset(rule.on if rule is not None else ())
        self.most = rule.body if rule is not None else 0
        self.repeatable = rule is not None and rule.repeatable
        self.declined: dict[int, Setback] = {code: answered(code) for code in self.on if isinstance(code, int)}
        self.budget = RetryBudget()

    def admit(self, request: Request) -> None:
        """The last word of step 5: the request goes to the lane under guard, or elsewhere."""
        fallback = self.fallback
        if fallback is not None and not self.backend.available and fallback.backend.available:
            # Active checks say that it cannot be reached: nobody needs to wait to find out.
            request.divert(fallback)
            self.recorder.count("down", "diverted")
            return
        now = request.begun
        ticket = 0
        if self.circuit is not None:
            ticket = self.circuit.enter(now)
            if not ticket:
                request.divert(self.instead)
                self.recorder.count("breaker", "diverted")
                return
        if fallback is not None:
            self.budget.asked(now)
        request.app = Attempt(self, request, ticket)
