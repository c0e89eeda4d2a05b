from __future__ import annotations

import math

import pytest

from benchmarks.report import fact, goal, percentile, table


@pytest.mark.parametrize(("percent", "value"), [(1, 1), (50, 50), (99, 99), (99.5, 100), (100, 100), (0, 1)])
def test_percentile_is_the_nearest_rank(percent: float, value: float) -> None:
    assert percentile(list(range(1, 101)), percent) == value


def test_percentile_of_nothing_is_no_number() -> None:
    assert math.isnan(percentile([], 50))


def test_a_goal_is_met_at_its_limit_and_not_above(capsys: pytest.CaptureFixture[str]) -> None:
    assert goal("ratio", 1.10, 1.10)
    assert not goal("ratio", 1.11, 1.10)
    assert not goal("ratio", float("nan"), 1.10)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "  goal: ratio at most 1.10: 1.10, met"
    assert said[1] == "  goal: ratio at most 1.10: 1.11, NOT MET"


def test_a_fact_is_met_when_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert fact("none lost", True)
    assert not fact("none lost", False)
    assert capsys.readouterr().out.splitlines()[1] == "  goal: none lost: NOT MET"


def test_table_lines_its_columns_up(capsys: pytest.CaptureFixture[str]) -> None:
    table("title", ["", "µs"], [["a", "1.0"], ["bcd", "100.0"]])
    assert capsys.readouterr().out == "\ntitle\n          µs\n  a      1.0\n  bcd  100.0\n"
