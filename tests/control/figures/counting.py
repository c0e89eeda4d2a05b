"""Totals as the workers would have them, without workers."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.telemetry.recorder import Recorder
from gateway.telemetry.slots import Key, SlotFile


class Counting:
    """A worker's counters in this process' memory."""

    def __init__(self) -> None:
        self._slots = SlotFile()
        self._recorders: dict[tuple[str, str], Recorder] = {}

    def serve(
        self, times: int, *, route: str = "GET /books", backend: str = "new", status: int = 200, seconds: float = 0.02
    ) -> None:
        recorder = self.recorder(route, backend)
        for _ in range(times):
            recorder.begin()
            recorder.end("GET", status, seconds)

    def recorder(self, route: str = "GET /books", backend: str = "new") -> Recorder:
        lane = (route, backend)
        if lane not in self._recorders:
            self._recorders[lane] = Recorder(self._slots, route, backend)
        return self._recorders[lane]

    def totals(self) -> Mapping[Key, list[float]]:
        return {key: list(values) for key, values in self._slots.items()}
