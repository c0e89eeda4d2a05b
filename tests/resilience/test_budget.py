from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.resilience.budget import RetryBudget


def test_a_few_may_always_be_tried_again() -> None:
    budget = RetryBudget(0.2, floor=3)
    assert [budget.spend(1.0) for _ in range(5)] == [True, True, True, False, False]


def test_beyond_that_a_share_of_what_was_asked() -> None:
    budget = RetryBudget(0.2, floor=3)
    for _ in range(100):
        budget.asked(1.0)
    assert sum(budget.spend(1.0) for _ in range(50)) == 20


def test_what_was_spent_comes_back_with_time() -> None:
    budget = RetryBudget(0.2, floor=1, seconds=10)
    assert budget.spend(1.0)
    assert not budget.spend(5.0)
    assert budget.spend(11.5)


@given(st.lists(st.tuples(st.floats(0, 2), st.booleans()), max_size=200), st.integers(0, 12))
def test_never_more_than_the_share_or_the_floor(steps: list[tuple[float, bool]], floor: int) -> None:
    budget = RetryBudget(0.2, floor=floor, seconds=10)
    now = 0.0
    asked: list[float] = []
    spent: list[float] = []
    for gap, again in steps:
        now += gap
        if again:
            if budget.spend(now):
                spent.append(now)
        else:
            budget.asked(now)
            asked.append(now)
        # The window reaches back by at least nine of its ten seconds, and at most by ten.
        recently = sum(at > now - 9 for at in spent)
        assert recently <= max(floor, 0.2 * sum(at >= now - 20 for at in asked) + 1)
