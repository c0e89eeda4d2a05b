from __future__ import annotations

from itertools import pairwise

from gateway.control.backoff import LONGEST, STAYED_UP, Backoff


def test_a_single_death_costs_no_wait() -> None:
    assert Backoff().died(served=0) == 0


def test_deaths_soon_after_the_start_are_waited_out_longer_and_longer() -> None:
    backoff = Backoff()
    assert [backoff.died(served=0.1) for _ in range(6)] == [0, 0.5, 1, 2, 4, 8]


def test_the_wait_never_exceeds_its_bound() -> None:
    backoff = Backoff()
    waits = [backoff.died(served=0) for _ in range(2000)]
    assert all(a <= b for a, b in pairwise(waits))
    assert waits[-1] == LONGEST


def test_a_process_that_stayed_up_starts_afresh() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.died(served=0)
    assert backoff.died(served=STAYED_UP) == 0
    assert [backoff.died(served=0) for _ in range(3)] == [0, 0.5, 1]
