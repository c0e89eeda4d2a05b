"""Which of many rows are shown. `static/filter.js` chooses by the same rules while somebody types."""

from __future__ import annotations

from gateway.control.dashboard import words
from gateway.control.dashboard.overview import Row

# Value and text of what the page offers.
KINDS = (("", "all routes"), ("split", "split"), ("errors", "with errors"), ("traffic", "with traffic"))


def fits(row: Row, text: str, kind: str) -> bool:
    """Whether ``row`` has every word of ``text`` somewhere, and is of the ``kind``; one that is none is all."""
    if not all(word in row.find for word in text.lower().split()):
        return False
    match kind:
        case "split":
            return row.split
        case "errors":
            return any(figure.level for cells in row.figures for figure in cells)
        case "traffic":
            return any(figure.text not in ("", "0", words.NOTHING) for figure in row.figures[0])
        case _:
            return True
