"""Plain tables and goals on standard output, fit to be pasted into an issue."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of a sorted sequence; NaN when it is empty."""
    if not ordered:
        return float("nan")
    rank = -(-len(ordered) * percent // 100)  # the smallest rank that at least this share is at or below
    return ordered[max(0, int(rank) - 1)]


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: the first column to the left, figures to the right."""
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    print(f"\n{title}")
    for row in [columns, *rows]:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print("  " + "  ".join(cells).rstrip())


def goal(what: str, value: float, limit: float, form: str = ".2f") -> bool:
    """Print whether ``value`` is within its limit, and return it."""
    met = value <= limit
    print(f"  goal: {what} at most {limit:{form}}: {value:{form}}, {'met' if met else 'NOT MET'}")
    return met


def fact(what: str, holds: bool) -> bool:
    """Print a sentence that must hold, and whether it does."""
    print(f"  goal: {what}: {'met' if holds else 'NOT MET'}")
    return holds
