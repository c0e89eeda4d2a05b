from __future__ import annotations

from gateway.control.dashboard.burn_down_chart import drawing, thinned
from gateway.migrate.burn_down import Point


def test_a_version_holds_until_the_next_one() -> None:
    drawn = drawing([Point(100.0, 0, 0, 4), Point(150.0, 2, 1, 4), Point(175.0, 4, 0, 4)], 200.0)
    assert drawn is not None
    assert drawn.path == "M0 2H150V30H225V58H300"
    assert (drawn.begun, drawn.left, drawn.total) == (100.0, 0, 4)


def test_one_version_is_a_level_line() -> None:
    drawn = drawing([Point(100.0, 1, 0, 2)], 100.0)
    assert drawn is not None
    assert drawn.path == "M0 30H300"


def test_nothing_to_draw() -> None:
    assert drawing([], 1.0) is None
    drawn = drawing([Point(100.0, 0, 0, 0)], 50.0)
    assert drawn is not None
    assert drawn.path == "M0 58H300"


def test_many_are_thinned_and_the_ends_stay() -> None:
    assert thinned([1, 2, 3], 3) == [1, 2, 3]
    assert thinned(list(range(100)), 4) == [0, 33, 66, 99]
