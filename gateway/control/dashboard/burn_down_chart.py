"""What was left to move, as SVG coordinates: a line of steps, from the first version to now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from gateway.control.dashboard.chart import HEIGHT, WIDTH
from gateway.migrate.burn_down import Point

# So that a line at the top or the bottom is not cut in half.
_MARGIN = 2.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Drawing:
    """``path`` is the `d` of an SVG path. ``begun`` is when it begins, in seconds since the epoch."""

    path: str
    begun: float
    left: int
    total: int


def drawing(points: Sequence[Point], now: float) -> Drawing | None:
    """None without a version. A version holds until the next one, and the last one until ``now``."""
    if not points:
        return None
    first, last = points[0], points[-1]
    span = max(now - first.at, 1.0)
    path = f"M0 {_y(first)}"
    for point in points[1:]:
        path += f"H{_number(WIDTH * min(1.0, (point.at - first.at) / span))}V{_y(point)}"
    return Drawing(f"{path}H{_number(WIDTH)}", first.at, last.left, last.total)


def thinned(items: Sequence[T], most: int) -> list[T]:
    """At most ``most`` of ``items``, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    step = (len(items) - 1) / (most - 1)
    return [items[round(place * step)] for place in range(most)]


def _y(point: Point) -> str:
    height = HEIGHT - 2 * _MARGIN
    return _number(_MARGIN + height * (1 - point.left / max(1, point.total)))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
