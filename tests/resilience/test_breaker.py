from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.resilience.breaker import REFUSED, Breaker, Settings, State

SETTINGS = Settings(error_ratio=0.5, consecutive=5, window=10, minimum=20, open=10, probes=3, ramp=30)


def ask(breaker: Breaker, now: float, *, well: bool) -> bool:
    """One request that ends at once; whether it was let through."""
    ticket = breaker.enter(now)
    if ticket:
        (breaker.succeeded if well else breaker.failed)(now, ticket)
    return ticket != REFUSED


def state_of(breaker: Breaker) -> State:
    """For mypy, which takes it for granted that a state does not change."""
    return breaker.state


def opened(settings: Settings = SETTINGS, now: float = 0.0) -> Breaker:
    breaker = Breaker(settings)
    for _ in range(settings.consecutive):
        ask(breaker, now, well=False)
    assert breaker.state is State.OPEN
    return breaker


class TestOpening:
    def test_after_failures_in_a_row(self) -> None:
        breaker = Breaker(SETTINGS)
        for _ in range(4):
            ask(breaker, 1.0, well=False)
        ask(breaker, 1.0, well=True)
        for _ in range(4):
            ask(breaker, 1.0, well=False)
        assert state_of(breaker) is State.CLOSED
        ask(breaker, 1.0, well=False)
        assert breaker.state is State.OPEN

    def test_by_the_share_of_failures_once_there_are_enough_to_judge_by(self) -> None:
        breaker = Breaker(SETTINGS)
        for number in range(19):
            ask(breaker, 1.0, well=number % 2 == 1)
        assert state_of(breaker) is State.CLOSED
        ask(breaker, 1.0, well=True)
        assert state_of(breaker) is State.CLOSED  # ten of twenty: judged at the next failure
        ask(breaker, 1.0, well=False)
        assert breaker.state is State.OPEN

    def test_failures_of_long_ago_do_not_count(self) -> None:
        breaker = Breaker(SETTINGS)
        for number in range(19):
            ask(breaker, 1.0, well=number % 2 == 1)
        for _ in range(3):
            ask(breaker, 12.0, well=False)
        assert breaker.state is State.CLOSED

    def test_nobody_is_let_through_while_it_is_open(self) -> None:
        breaker = opened()
        assert not any(ask(breaker, at / 10, well=True) for at in range(100))
        assert breaker.retry_after(3.5) == 7

    def test_a_client_that_leaves_says_nothing(self) -> None:
        breaker = Breaker(SETTINGS)
        for _ in range(4):
            ask(breaker, 1.0, well=False)
        breaker.withdrawn(breaker.enter(1.0))
        ask(breaker, 1.0, well=False)
        assert breaker.state is State.OPEN


class TestComingBack:
    def test_few_are_tried_at_first(self) -> None:
        breaker = opened()
        tickets = [breaker.enter(10.0) for _ in range(10)]
        assert [bool(ticket) for ticket in tickets] == [True] * 3 + [False] * 7
        assert breaker.state is State.HALF_OPEN

    def test_one_that_fails_opens_it_again(self) -> None:
        breaker = opened()
        first, second = breaker.enter(10.0), breaker.enter(10.0)
        breaker.succeeded(10.1, first)
        breaker.failed(10.2, second)
        assert breaker.state is State.OPEN
        assert not breaker.enter(20.1)
        assert breaker.enter(20.3)

    def test_one_whose_client_leaves_makes_room_for_another(self) -> None:
        breaker = opened()
        tickets = [breaker.enter(10.0) for _ in range(3)]
        assert not breaker.enter(10.0)
        breaker.withdrawn(tickets[0])
        assert breaker.enter(10.0)

    def test_those_that_say_nothing_are_not_waited_for_for_ever(self) -> None:
        breaker = opened()
        lost = [breaker.enter(at) for at in (10.0, 11.0, 12.0)]
        assert not breaker.enter(21.9)
        assert [bool(breaker.enter(22.0)) for _ in range(4)] == [True] * 3 + [False]
        # They may still say it.
        for ticket in lost:
            breaker.succeeded(23.0, ticket)
        assert breaker.state is State.CLOSED

    def test_answers_that_begin_well_need_not_end(self) -> None:
        breaker = opened()
        assert [breaker.begun(10.0, breaker.enter(10.0)) for _ in range(3)] == [True] * 3
        assert breaker.state is State.CLOSED
        assert not breaker.begun(50.0, breaker.enter(50.0))

    def test_one_that_has_begun_may_yet_fail(self) -> None:
        breaker = opened()
        ticket = breaker.enter(10.0)
        breaker.begun(10.0, ticket)
        breaker.failed(11.0, ticket)
        assert breaker.state is State.OPEN

    def test_the_share_grows_until_it_is_all(self) -> None:
        breaker = opened()
        for _ in range(3):
            assert ask(breaker, 10.0, well=True)
        assert breaker.state is State.CLOSED
        shares = [sum(ask(breaker, 10.0 + at, well=True) for _ in range(100)) for at in (0, 6, 15, 24)]
        assert shares == pytest.approx([10, 20, 50, 80], abs=1)
        assert sum(ask(breaker, 40.0, well=True) for _ in range(100)) == 100

    def test_who_fails_on_the_way_back_is_left_alone_again(self) -> None:
        breaker = opened()
        for _ in range(3):
            ask(breaker, 10.0, well=True)
        for _ in range(200):
            ask(breaker, 11.0, well=False)
        assert breaker.state is State.OPEN

    def test_what_went_before_says_nothing_about_now(self) -> None:
        breaker = Breaker(SETTINGS)
        late = [breaker.enter(0.0) for _ in range(10)]
        for _ in range(5):
            ask(breaker, 0.0, well=False)
        breaker.enter(10.0)
        for ticket in late[:5]:
            breaker.succeeded(10.0, ticket)
        assert breaker.state is State.HALF_OPEN
        for ticket in late[5:]:
            breaker.failed(10.0, ticket)
        assert breaker.state is State.HALF_OPEN


class TestTheOperatorSWord:
    def test_open_stays_open(self) -> None:
        breaker = Breaker(Settings(forced="open"))
        assert not any(breaker.enter(float(at)) for at in range(1000))
        assert breaker.state is State.OPEN

    def test_closed_stays_closed(self) -> None:
        breaker = Breaker(Settings(forced="closed"))
        assert all(ask(breaker, 1.0, well=False) for _ in range(100))
        assert breaker.state is State.CLOSED


class Life(RuleBasedStateMachine):
    """Whatever happens in whatever order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.breaker = Breaker(SETTINGS)
        self.running: list[tuple[int, State]] = []
        self.opened_at: float | None = None

    @rule(seconds=st.floats(0, 15))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def one_asks(self) -> None:
        was, ticket = self.breaker.state, self.breaker.enter(self.now)
        if was is State.OPEN:
            assert self.opened_at is not None
            assert bool(ticket) is (self.now >= self.opened_at + SETTINGS.open)
        if ticket:
            self.running.append((ticket, self.breaker.state))

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def one_begins_well(self, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(self.running) - 1))
        was = self.breaker.state
        if self.breaker.begun(self.now, self.running[at][0]):
            assert was is State.HALF_OPEN
            del self.running[at]
        else:
            assert self.breaker.state is was

    @precondition(lambda self: self.running)
    @rule(data=st.data(), how=st.sampled_from(["succeeded", "failed", "withdrawn"]))
    def one_ends(self, data: st.DataObject, how: str) -> None:
        ticket, _ = self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))
        was = self.breaker.state
        match how:
            case "succeeded":
                self.breaker.succeeded(self.now, ticket)
                assert self.breaker.state is not State.OPEN or was is State.OPEN
            case "failed":
                self.breaker.failed(self.now, ticket)
                assert self.breaker.state is not State.CLOSED or was is State.CLOSED
            case "withdrawn":
                self.breaker.withdrawn(ticket)
                assert self.breaker.state is was
        if self.breaker.state is State.OPEN and was is not State.OPEN:
            self.opened_at = self.now

    @invariant()
    def no_more_are_probing_than_may(self) -> None:
        assert 0 <= self.breaker._probing <= SETTINGS.probes

    def teardown(self) -> None:
        """It always recovers: what works is asked again in the end, also if what runs now never ends."""
        now = self.now + SETTINGS.open + 1
        for _ in range(SETTINGS.probes):
            ask(self.breaker, now, well=True)
        assert ask(self.breaker, now + SETTINGS.ramp + 1, well=True)
        assert self.breaker.state is State.CLOSED


TestLife = Life.TestCase


@pytest.mark.parametrize("probes", [1, 2, 7])
def test_as_many_must_succeed_in_a_row_as_are_let_through(probes: int) -> None:
    breaker = opened(Settings(probes=probes))
    for number in range(probes):
        assert breaker.state is (State.OPEN if number == 0 else State.HALF_OPEN)
        ask(breaker, 10.0, well=True)
    assert breaker.state is State.CLOSED
