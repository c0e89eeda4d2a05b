"""How percentages are written."""

from __future__ import annotations

from collections.abc import Iterable


def percent(hundredths: int) -> str:
    """``1050`` as ``10.5``."""
    return f"{hundredths / 100:.2f}".rstrip("0").rstrip(".")


def shares_text(weights: Iterable[tuple[str, int]]) -> str:
    """``new``, or ``legacy 90 %, new 10 %``."""
    shares = list(weights)
    if len(shares) == 1:
        return shares[0][0]
    return ", ".join(f"{backend} {percent(weight)} %" for backend, weight in shares)
