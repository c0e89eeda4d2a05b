from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.resilience.window import Window


def test_what_is_old_is_forgotten_a_tenth_at_a_time() -> None:
    window = Window(10.0)
    for second in range(10):
        window.add(float(second), marked=second % 2 == 0)
    assert (window.count, window.marked) == (10, 5)
    window.move(10.0)
    assert (window.count, window.marked) == (9, 4)
    window.move(18.5)
    assert (window.count, window.marked) == (1, 0)


def test_after_a_long_silence_nothing_is_left() -> None:
    window = Window(10.0)
    window.add(1.0, marked=True)
    window.move(1e6)
    assert (window.count, window.marked) == (0, 0)


def test_it_may_begin_at_any_time_of_the_clock() -> None:
    window = Window(10.0)
    window.add(1e9, marked=True)
    assert (window.count, window.marked) == (1, 1)


@given(st.lists(st.tuples(st.integers(0, 3000), st.booleans()), max_size=60))
def test_the_counts_are_those_of_the_last_parts(events: list[tuple[int, bool]]) -> None:
    window = Window(10.0)
    # In milliseconds since the one before; in the middle of a part, so that no sum of floats falls beside it.
    at, seen = 0, []
    for gap, marked in events:
        at += gap
        part = at // 1000
        seen.append((part, marked))
        window.add(part + 0.5, marked=marked)
        recent = [mark for when, mark in seen if when > part - 10]
        assert (window.count, window.marked) == (len(recent), sum(recent))
