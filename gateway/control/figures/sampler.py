"""Takes the samples."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gateway.control.figures.figures import STEP, Figures
from gateway.control.figures.sample import Lane, Limit
from gateway.health.board import Address
from gateway.telemetry.exposition import Aggregate
from gateway.telemetry.recorder import BACKEND_EJECTED, BREAKER_STATE, LIMIT_ALLOWED, LIMIT_IN_FLIGHT, LIMIT_WAITING
from gateway.telemetry.slots import Key

# Seconds.
_TICK = 1.0
# A sample for the charts is cheap, one a second is not quite: with 300 routes on two backends it takes 4 ms, and
# another 3 for every further worker. So seconds are counted only for as long as somebody looks.
_LOOKS_FOR = 30.0
# Who asks twice within this time gets the same figures, so that asking often costs no more.
_FRESH = 0.5


class Occupancy(NamedTuple):
    """Of a limit, over all workers: requests in flight, how many there may be, and how many wait."""

    in_flight: int
    allowed: int
    waiting: int


class Sampler:
    """Figures of a run, up to date whenever they are asked for."""

    def __init__(self, numbers: Aggregate) -> None:
        self._numbers = numbers
        self._figures = Figures(time.monotonic())
        self._asked = float("-inf")
        # In how many workers an address of a remote app gets no requests; of those in which one ever did not.
        self.ejected: dict[Address, int] = {}
        # In how many workers a breaker is in which state, by route and backend.
        self.breakers: dict[Lane, dict[str, int]] = {}
        self.limits: dict[Limit, Occupancy] = {}

    def figures(self) -> Figures:
        """As of now, give or take half a second. For half a minute from now they are kept by the second."""
        self._asked = time.monotonic()
        if self._asked - self._figures.at >= _FRESH:
            self._sample(self._asked)
        return self._figures

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(_TICK)
            now = time.monotonic()
            if now - self._asked < _LOOKS_FOR or now - self._figures.step_at >= STEP:
                self._sample(now)

    def _sample(self, at: float) -> None:
        totals = self._numbers.totals()
        self._figures.sample(totals, at)
        self.ejected = {
            Address(*key[1:]): int(values[0]) for key, values in totals.items() if key[0] == BACKEND_EJECTED
        }
        self.breakers = {}
        for key, values in totals.items():
            if key[0] == BREAKER_STATE and values[0]:
                self.breakers.setdefault((key[1], key[2]), {})[key[3]] = int(values[0])
        self.limits = _limits(totals)


def _limits(totals: Mapping[Key, Sequence[float]]) -> dict[Limit, Occupancy]:
    """Those that are in the live file: others allow nothing any more."""

    def count(kind: str, limit: Limit) -> int:
        return int(totals.get((kind, *limit), (0.0,))[0])

    limits = [(key[1], key[2]) for key, values in totals.items() if key[0] == LIMIT_ALLOWED and values[0]]
    return {
        limit: Occupancy(count(LIMIT_IN_FLIGHT, limit), count(LIMIT_ALLOWED, limit), count(LIMIT_WAITING, limit))
        for limit in limits
    }
