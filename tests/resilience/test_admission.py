from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.resilience.admission import Admission


def test_so_many_are_let_in_and_so_many_more_may_wait() -> None:
    admission = Admission[str](2, 1)
    assert [admission.enter() for _ in range(3)] == [True, True, False]
    assert admission.wait("first")
    assert not admission.wait("second")
    assert repr(admission) == "<Admission 2 of 2 inside, 1 of 1 waiting>"


def test_who_waits_goes_in_when_somebody_leaves_in_order() -> None:
    admission = Admission[str](1, 3)
    admission.enter()
    for ticket in ("first", "second", "third"):
        admission.wait(ticket)
    assert admission.withdraw("second")
    assert admission.leave() == "first"
    assert admission.leave() == "third"
    assert admission.leave() is None
    assert admission.inside == 0


def test_who_has_left_the_queue_or_come_in_is_not_in_it() -> None:
    admission = Admission[str](1, 3)
    admission.enter()
    admission.wait("first")
    admission.leave()
    assert not admission.withdraw("first")
    assert not admission.withdraw("never came")


def test_no_one_overtakes_the_queue() -> None:
    admission = Admission[str](1, 3)
    admission.enter()
    admission.wait("first")
    admission.most = 2
    assert not admission.enter()


def test_with_more_room_those_who_wait_come_in() -> None:
    admission = Admission[str](1, 3)
    admission.enter()
    for ticket in ("first", "second", "third"):
        admission.wait(ticket)
    assert admission.resize(3, 3) == ["first", "second"]
    assert admission.inside == 3


def test_with_less_room_nobody_is_put_out() -> None:
    admission = Admission[str](3, 3)
    for _ in range(3):
        admission.enter()
    admission.wait("first")
    admission.wait("second")
    assert admission.resize(1, 0) == []
    assert (admission.inside, admission.waiting) == (3, 2)
    assert not admission.wait("third")
    assert [admission.leave() for _ in range(3)] == [None, None, "first"]


class Queue(RuleBasedStateMachine):
    """Against a plain list of who waits and a plain count of who is inside."""

    def __init__(self) -> None:
        super().__init__()
        self.admission = Admission[int](2, 3)
        self.inside = 0
        self.waiting: deque[int] = deque()
        self.tickets = 0

    @rule()
    def come(self) -> None:
        self.tickets += 1
        if self.admission.enter():
            assert not self.waiting
            self.inside += 1
            assert self.inside <= self.admission.most
        elif self.admission.wait(self.tickets):
            self.waiting.append(self.tickets)
            assert len(self.waiting) <= self.admission.queue
        else:
            assert len(self.waiting) >= self.admission.queue

    @precondition(lambda self: self.inside)
    @rule()
    def go(self) -> None:
        admitted = self.admission.leave()
        self.inside -= 1
        if admitted is not None:
            assert admitted == self.waiting.popleft()
            self.inside += 1

    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        ticket = data.draw(st.integers(0, self.tickets))
        assert self.admission.withdraw(ticket) == (ticket in self.waiting)
        if ticket in self.waiting:
            self.waiting.remove(ticket)

    @rule(most=st.integers(1, 4), queue=st.integers(0, 4))
    def change(self, most: int, queue: int) -> None:
        for ticket in self.admission.resize(most, queue):
            assert ticket == self.waiting.popleft()
            self.inside += 1

    @invariant()
    def agree(self) -> None:
        assert (self.admission.inside, self.admission.waiting) == (self.inside, len(self.waiting))

    @invariant()
    def nobody_waits_without_need(self) -> None:
        assert not self.waiting or self.inside >= self.admission.most


TestQueue = Queue.TestCase


@given(st.integers(1, 5), st.integers(0, 5), st.integers(0, 20))
def test_of_any_crowd_the_right_number_is_served(most: int, queue: int, comers: int) -> None:
    admission = Admission[int](most, queue)
    served = sum(admission.enter() or admission.wait(each) for each in range(comers))
    assert served == min(comers, most + queue)
