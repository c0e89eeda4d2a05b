from __future__ import annotations

import pytest

from gateway.config.shares import percent, shares_text


@pytest.mark.parametrize(("hundredths", "text"), [(0, "0"), (1, "0.01"), (50, "0.5"), (1050, "10.5"), (10_000, "100")])
def test_percent(hundredths: int, text: str) -> None:
    assert percent(hundredths) == text


def test_shares() -> None:
    assert shares_text([("new", 10_000)]) == "new"
    assert shares_text([("legacy", 9000), ("new", 1000)]) == "legacy 90 %, new 10 %"
