"""How long the suite takes, and how a test adds its row to the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import pytest

from tests.faults.answer import Verdict
from tests.faults.ledger import Ledger
from tests.faults.table import Row, row_of
from tests.faults.traffic import Traffic


class Tell(Protocol):
    def __call__(self, fault: str, *traffic: Traffic, ledger: Ledger | None = None) -> Row: ...


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


@pytest.fixture
def add_row(record_property: Callable[[str, object], None]) -> Callable[[Row], None]:
    """Into the table, which is printed at the end of the session: see tests/conftest.py."""
    return lambda row: record_property("fault", asdict(row))


@pytest.fixture
def tell(add_row: Callable[[Row], None]) -> Tell:
    """Add the row of a fault, and hold that nothing was answered wrongly, lost or done twice."""

    def tell(fault: str, *traffic: Traffic, ledger: Ledger | None = None) -> Row:
        row = row_of(fault, traffic, ledger)
        add_row(row)
        why = [each.reasons(Verdict.WRONG, Verdict.LOST).most_common(5) for each in traffic]
        assert (row.wrong, row.lost, row.twice) == (0, 0, 0), f"{row}: {why}"
        return row

    return tell
