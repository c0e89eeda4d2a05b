"""What answers while a breaker is open and nobody else can."""

from __future__ import annotations

from time import perf_counter

from starlette.types import Receive, Scope, Send

from gateway.dataplane.circuit import Circuit


class Unavailable(Exception):
    """The backend is left alone for the moment. ``retry_after`` is in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"the breaker is open; try again in {retry_after} s")
        self.retry_after = retry_after


class Shut:
    """In the place of the app."""

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise Unavailable(self._circuit.retry_after(perf_counter()))
