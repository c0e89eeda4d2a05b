from __future__ import annotations

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.control.figures.quantile import quantile
from gateway.telemetry.recorder import BOUNDS


def histogram(latencies: list[float]) -> list[float]:
    counts = [0.0] * (len(BOUNDS) + 1)
    for seconds in latencies:
        counts[bisect_left(BOUNDS, seconds)] += 1.0
    return counts


def test_without_requests_there_is_none() -> None:
    assert quantile(0.5, histogram([])) is None


def test_inside_a_bucket_it_is_interpolated() -> None:
    # Ten requests between 10 and 25 ms: the median is taken for the middle.
    assert quantile(0.5, histogram([0.02] * 10)) == pytest.approx(0.0175)


def test_what_takes_longer_than_the_last_bound_counts_as_that() -> None:
    assert quantile(0.95, histogram([1000.0] * 10)) == BOUNDS[-1]


@given(st.lists(st.floats(0.0001, 100), min_size=1), st.floats(0.01, 1))
def test_it_lies_in_the_bucket_of_the_true_value(latencies: list[float], share: float) -> None:
    found = quantile(share, histogram(latencies))
    assert found is not None
    ordered = sorted(latencies)
    true = next(value for n, value in enumerate(ordered, 1) if n >= share * len(ordered))
    place = bisect_left(BOUNDS, true)
    low = BOUNDS[place - 1] if place else 0.0
    high = BOUNDS[place] if place < len(BOUNDS) else BOUNDS[-1]
    assert low <= found <= high + 1e-9
