from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.control.dashboard.chart import HEIGHT, WIDTH, chart


def test_the_newest_value_stands_at_the_right_edge_and_zero_at_the_bottom() -> None:
    (line,) = chart({"new": [0.0, 5.0, 10.0]}, least=1).lines
    assert line.path == "M0 58L150 30L300 2"
    assert line.last == 10


def test_a_gap_is_not_drawn_over_and_a_lone_value_is_a_dot() -> None:
    (line,) = chart({"new": [1.0, 1.0, None, 1.0, None]}, least=1).lines
    assert line.path == "M0 2L75 2M225 2h0"
    assert line.last is None


@pytest.mark.parametrize(
    ("highest", "top"), [(0.0, 1), (0.3, 1), (1.1, 2), (3, 5), (7, 10), (10, 10), (11, 20), (450, 500)]
)
def test_the_scale_ends_at_a_round_number(highest: float, top: float) -> None:
    assert chart({"new": [highest]}, least=1).top == pytest.approx(top)


def test_without_any_value_there_is_no_line() -> None:
    assert [line.path for line in chart({"legacy": [], "new": [None, None]}, least=1).lines] == ["", ""]


@given(
    st.dictionaries(
        st.sampled_from(["legacy", "new", "third"]), st.lists(st.none() | st.floats(0, 1e9), min_size=1, max_size=90)
    )
)
def test_no_line_leaves_the_picture(series: dict[str, list[float | None]]) -> None:
    for line in chart(series, least=0.01).lines:
        for x, y in re.findall(r"([\d.]+) ([\d.]+)", line.path):
            assert 0 <= float(x) <= WIDTH
            assert 0 <= float(y) <= HEIGHT
