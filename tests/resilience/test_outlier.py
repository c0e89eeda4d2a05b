from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.resilience.outlier import Outlier, Settings

SETTINGS = Settings(consecutive=5, error_ratio=0.5, window=10, minimum=20, eject=10, slow_start=30)


def test_failures_in_a_row_are_enough() -> None:
    outlier = Outlier(SETTINGS)
    assert [outlier.failed(1.0) for _ in range(4)] == [None] * 4
    outlier.succeeded(1.0)
    assert [outlier.failed(1.0) for _ in range(5)] == [None] * 4 + ["consecutive"]


def test_a_share_of_failures_counts_only_among_enough_requests() -> None:
    outlier = Outlier(SETTINGS)
    for _ in range(9):
        outlier.succeeded(1.0)
        assert outlier.failed(1.0) is None
    outlier.succeeded(1.0)
    assert outlier.failed(1.0) == "error_ratio"


def test_what_was_long_ago_does_not_count() -> None:
    outlier = Outlier(SETTINGS)
    for _ in range(9):
        outlier.succeeded(1.0)
        assert outlier.failed(1.0) is None
    outlier.succeeded(12.0)
    assert outlier.failed(12.0) is None
    assert repr(outlier) == "<Outlier 1 of 2 failed, 1 in a row>"


def test_who_fails_again_stays_away_for_longer_and_who_has_held_begins_anew() -> None:
    outlier = Outlier(SETTINGS)
    assert outlier.eject(100.0) == 110
    assert outlier.eject(111.0) == 131
    assert outlier.eject(140.0) == 170
    # It has held for longer than the thirty seconds that it was left out.
    assert outlier.eject(201.0) == 211


def test_nobody_stays_away_for_more_than_ten_times_as_long() -> None:
    outlier = Outlier(SETTINGS)
    now = 0.0
    for _ in range(30):
        until = outlier.eject(now)
        assert until - now <= 100
        now = until
    assert outlier.eject(now) - now == 100


@pytest.mark.parametrize("consecutive", [1, 3])
@given(before=st.lists(st.booleans(), max_size=60))
def test_after_it_was_left_out_it_begins_anew(consecutive: int, before: list[bool]) -> None:
    outlier = Outlier(Settings(consecutive=consecutive, minimum=20))
    for well in before:
        outlier.succeeded(0.0) if well else outlier.failed(0.0)
    until = outlier.eject(0.0)
    assert [outlier.failed(until) for _ in range(consecutive)] == [None] * (consecutive - 1) + ["consecutive"]
