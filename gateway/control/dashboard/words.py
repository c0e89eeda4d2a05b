"""Figures as the dashboard writes them.

`static/words.js` writes them the same way, and a browser test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

# Where there was nothing to measure. A zero would claim that something had been.
NOTHING = "–"


def rate(value: float | None) -> str:
    """Requests a second."""
    if value is None:
        return NOTHING
    if value == 0:
        return "0"
    if value < 0.1:
        return "<0.1"
    if value < 10:
        return rounded(value, 1)
    return rounded(value, 0) if value < 10_000 else rounded(value / 1000, 1) + "k"


def ratio(value: float | None) -> str:
    """A share from 0 to 1, in percent. What is above zero never reads as zero: one error in a million is one error."""
    if value is None:
        return NOTHING
    if value == 0:
        return "0 %"
    percent = value * 100
    if percent < 0.1:
        return "<0.1 %"
    return rounded(percent, 1 if percent < 10 else 0) + " %"


def seconds(value: float | None) -> str:
    """A duration in three digits at most."""
    if value is None:
        return NOTHING
    if value < 0.01:
        return rounded(value * 1000, 1) + " ms"
    if value < 1:
        return rounded(value * 1000, 0) + " ms"
    return rounded(value, 1 if value < 10 else 0) + " s"


def limit(in_flight: int, allowed: int, waiting: int, refused: int) -> str:
    """``3 of 64 in flight``, and what is more than usual."""
    more = [f"{waiting} waiting"] if waiting else []
    more += [f"{refused} refused"] if refused else []
    return ", ".join((f"{in_flight} of {allowed} in flight", *more))


def refusals(by_reason: Mapping[str, int]) -> str:
    """The most frequent reason first: ``30 connections, 2 slow_head``."""
    most = sorted(by_reason.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{count} {reason}" for reason, count in most) or "nothing"


def percent(value: float) -> str:
    """A weight, 0 to 100, with the decimals it has: ``12.5``."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def moment(at: float) -> str:
    """``at`` in seconds since the epoch. In UTC: the browser's script turns it into local time, if it runs."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def iso(at: float) -> str:
    """For `<time datetime>`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def rounded(value: float, digits: int) -> str:
    """Half up, as JavaScript's toFixed does; Python's own format rounds a half to the even digit."""
    return str(Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
