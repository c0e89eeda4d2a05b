"""The table of the fault suite: one row a fault."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

from tests.faults.answer import Verdict
from tests.faults.ledger import Ledger
from tests.faults.traffic import Traffic

HEADINGS = ("fault", "sent", "answered right", "broken visibly", "wrong", "lost", "done twice")


@dataclass(frozen=True, slots=True)
class Row:
    """Requests of one test. ``lost``: no end within the bound, or a write that was answered and is in no ledger.

    ``twice``: a POST that is in the ledgers more than once. A PUT may be sent again (RFC 9110 9.2.2).
    """

    fault: str
    sent: int
    right: int
    broken: int = 0
    wrong: int = 0
    lost: int = 0
    twice: int = 0


def row_of(fault: str, traffics: Sequence[Traffic], ledger: Ledger | None) -> Row:
    """What came of all these requests. Without a ledger, the backend itself is not to be believed."""
    found = {verdict: sum(len(traffic.of(verdict)) for traffic in traffics) for verdict in Verdict}
    sent = sum(len(traffic.asked) for traffic in traffics)
    judged = sum(len(traffic.judged) for traffic in traffics)
    missing = twice = 0
    if ledger is not None:
        for method in ("POST", "PUT"):
            done = ledger.done(method)
            answered = [name for traffic in traffics for name in traffic.of(Verdict.RIGHT, method=method)]
            missing += sum(not done[name] for name in answered)
            if method == "POST":
                twice = sum(times > 1 for times in done.values())
    return Row(
        fault,
        sent,
        found[Verdict.RIGHT],
        found[Verdict.BROKEN],
        found[Verdict.WRONG],
        found[Verdict.LOST] + sent - judged + missing,
        twice,
    )


def lines(rows: Iterable[Row]) -> list[str]:
    """As Markdown, in columns."""
    cells = [HEADINGS, *(tuple(str(cell) for cell in astuple(row)) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
    text = [
        "| " + " | ".join((cell.rjust if at else cell.ljust)(widths[at]) for at, cell in enumerate(row)) + " |"
        for row in cells
    ]
    rule = "|" + "|".join("-" * (width + 1) + (":" if at else "-") for at, width in enumerate(widths)) + "|"
    return [text[0], rule, *text[1:]]
