"""The small charts, as SVG coordinates: lines over the last 15 minutes, one a backend.

The drawing is done here and not in the browser, so that it needs no script, and so that there is one of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

# Of the viewBox. The picture is stretched to the place it has; lines keep their width (vector-effect).
WIDTH = 300.0
HEIGHT = 60.0
# So that a line at the top or the bottom is not cut in half.
_MARGIN = 2.0


@dataclass(frozen=True, slots=True)
class Line:
    """``path`` is the `d` of an SVG path; "" without a single value. ``last`` is the newest value."""

    backend: str
    path: str
    last: float | None


@dataclass(frozen=True, slots=True)
class Chart:
    """``top`` is the value at the upper edge: a round one, so that it seldom changes."""

    lines: tuple[Line, ...]
    top: float


def chart(series: Mapping[str, Sequence[float | None]], least: float) -> Chart:
    """``series`` are values by backend, oldest first; None is a gap. The upper edge stands for ``least`` at least:
    otherwise the noise of a quiet night would look like a storm."""
    highest = max((value for values in series.values() for value in values if value is not None), default=0.0)
    top = max(least, _round_up(highest))
    return Chart(
        tuple(Line(backend, _path(values, top), values[-1] if values else None) for backend, values in series.items()),
        top,
    )


def _round_up(value: float) -> float:
    """To 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 0.0
    power = 1.0
    while power < value:
        power *= 10
    while power / 10 >= value:
        power /= 10
    for part in (0.2, 0.5):
        if power * part >= value:
            return power * part
    return power


def _path(values: Sequence[float | None], top: float) -> str:
    step = WIDTH / max(1, len(values) - 1)
    height = HEIGHT - 2 * _MARGIN
    parts: list[str] = []
    for gap, run in groupby(enumerate(values), key=lambda item: item[1] is None):
        if gap:
            continue
        points = [
            f"{_number(place * step)} {_number(_MARGIN + height * (1 - (value or 0.0) / top))}" for place, value in run
        ]
        # A single value between two gaps would be a line without a length, and be invisible without a dot at its end.
        parts.append("M" + "L".join(points) + ("h0" if len(points) == 1 else ""))
    return "".join(parts)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
