"""What was left to move, version by version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.config.model import Config
from gateway.migrate.coverage import cover
from gateway.migrate.target import Target


@dataclass(frozen=True, slots=True)
class Point:
    """One moment of a migration. ``at`` is in seconds since the epoch; ``total`` are all targets of the legacy app."""

    at: float
    moved: int
    canary: int
    total: int

    @property
    def left(self) -> int:
        return self.total - self.moved


def burn_down(targets: Sequence[Target], versions: Sequence[tuple[float, Config]], legacy: str) -> Iterator[Point]:
    """For each version of the file that was live, with its time, how many targets were where.

    The endpoints are those of today: what the apps had at that time is not known.
    """
    for at, config in versions:
        coverage = cover(targets, config, legacy)
        yield Point(at, coverage.count("moved"), coverage.count("canary"), len(coverage.rows))
