from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.resilience.outlier import Settings
from gateway.resilience.rotation import Change, Rotation

SETTINGS = Settings(consecutive=3, error_ratio=0.5, window=10, minimum=20, eject=10, slow_start=30)


def inside(rotation: Rotation) -> list[int]:
    return [member.index for member in rotation.inside]


def fail(rotation: Rotation, index: int, now: float = 0.0) -> None:
    for _ in range(SETTINGS.consecutive):
        rotation.failed(rotation.members[index], now)


def test_who_fails_is_left_out_and_comes_back() -> None:
    rotation = Rotation(3, SETTINGS)
    fail(rotation, 1)
    assert inside(rotation) == [0, 2]
    assert rotation.is_out(rotation.members[1])
    assert rotation.out == [1]
    assert not rotation.move(9.9)
    assert rotation.move(10.0)
    assert inside(rotation) == [0, 1, 2]
    assert list(rotation.changes) == [Change(1, "consecutive"), Change(1, None)]


@pytest.mark.parametrize(("count", "most"), [(2, 1), (3, 1), (4, 2), (5, 2)])
def test_never_more_than_half_are_left_out_those_that_came_first(count: int, most: int) -> None:
    rotation = Rotation(count, SETTINGS)
    for index in range(count - 1):
        fail(rotation, index, now=index)
    assert inside(rotation) == list(range(most, count))
    # When the first comes back, the next in line takes its place.
    rotation.move(10.0)
    assert 0 in inside(rotation)


def test_when_all_are_bad_none_is_left_out() -> None:
    rotation = Rotation(2, SETTINGS)
    fail(rotation, 0)
    assert inside(rotation) == [1]
    fail(rotation, 1)
    assert inside(rotation) == [0, 1]


def test_checks_and_requests_count_together() -> None:
    rotation = Rotation(4, SETTINGS)
    first, second, third, _ = rotation.members
    assert rotation.checked(first, 0.0, up=False)
    fail(rotation, 1)
    assert inside(rotation) == [2, 3]
    assert not rotation.checked(third, 0.0, up=False)
    assert inside(rotation) == [2, 3]
    rotation.checked(second, 0.0, up=True)
    assert inside(rotation) == [2, 3], "a check that passes does not unsay what requests have met"
    rotation.checked(first, 1.0, up=True)
    assert inside(rotation) == [0, 3]


def test_a_single_address_is_never_left_out() -> None:
    rotation = Rotation(1, SETTINGS)
    fail(rotation, 0)
    rotation.checked(rotation.members[0], 0.0, up=False)
    assert inside(rotation) == [0]


def test_the_share_of_one_that_is_back_grows_until_it_is_whole() -> None:
    rotation = Rotation(2, SETTINGS)
    [member, _] = rotation.members
    fail(rotation, 0)
    rotation.move(10.0)
    shares = []
    for now in (10.0, 13.0, 16.0, 25.0, 39.9, 40.0):
        rotation.move(now)
        shares.append(round(member.share, 2))
    assert shares == [0.1, 0.1, 0.2, 0.5, 1.0, 1.0]
    assert not rotation.move(41.0)


def test_without_a_slow_start_it_has_its_share_at_once() -> None:
    rotation = Rotation(2, None)
    [member, _] = rotation.members
    rotation.checked(member, 0.0, up=False)
    rotation.checked(member, 1.0, up=True)
    assert member.share == 1.0


def test_where_requests_are_not_asked_only_checks_count() -> None:
    rotation = Rotation(2, None)
    fail(rotation, 0)
    assert inside(rotation) == [0, 1]
    rotation.checked(rotation.members[0], 0.0, up=False)
    assert inside(rotation) == [1]


def test_what_still_ends_at_an_address_that_is_left_out_says_nothing_new() -> None:
    rotation = Rotation(2, SETTINGS)
    fail(rotation, 0)
    fail(rotation, 0, now=9.0)
    rotation.succeeded(rotation.members[0], 9.0)
    rotation.move(10.0)
    assert inside(rotation) == [0, 1]


class Lives(RuleBasedStateMachine):
    """Addresses fail, are checked and get better in any order, while time goes on."""

    @initialize(count=st.integers(1, 7), passive=st.booleans())
    def begin(self, count: int, passive: bool) -> None:
        self.rotation = Rotation(count, SETTINGS if passive else None)
        self.now = 0.0

    @rule(index=st.integers(0, 6), up=st.booleans())
    def check(self, index: int, up: bool) -> None:
        members = self.rotation.members
        self.rotation.checked(members[index % len(members)], self.now, up=up)

    @rule(index=st.integers(0, 6), times=st.integers(1, 5), well=st.booleans())
    def serve(self, index: int, times: int, well: bool) -> None:
        members = self.rotation.members
        for _ in range(times):
            if well:
                self.rotation.succeeded(members[index % len(members)], self.now)
            else:
                self.rotation.failed(members[index % len(members)], self.now)

    @rule(seconds=st.floats(0, 40))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.rotation.move(self.now)

    @rule()
    def recover(self) -> None:
        """Once all is well, all serve again, each with a whole share, in the longest time that there is."""
        for member in self.rotation.members:
            self.rotation.checked(member, self.now, up=True)
        # A second more: sums of floats need not come to the whole.
        for seconds in (10 * SETTINGS.eject, SETTINGS.slow_start + 1):
            self.now += seconds
            self.rotation.move(self.now)
        assert len(self.rotation.inside) == len(self.rotation.members)
        assert {member.share for member in self.rotation.members} == {1.0}

    @invariant()
    def at_most_half_are_out(self) -> None:
        count = len(self.rotation.members)
        out = [member for member in self.rotation.members if self.rotation.is_out(member)]
        assert len(out) <= count // 2
        assert len(out) + len(self.rotation.inside) == count
        assert all(member.bad for member in out)
        bad = sum(member.bad for member in self.rotation.members)
        assert len(out) == (0 if bad == count else min(bad, count // 2))
        assert all(0 < member.share <= 1 for member in self.rotation.members)


TestLives = Lives.TestCase


@given(st.integers(0, 500))
def test_changes_that_nobody_takes_are_not_kept_for_ever(times: int) -> None:
    rotation = Rotation(2, Settings(consecutive=1, eject=1))
    for number in range(times):
        rotation.failed(rotation.members[0], number * 100.0)
        rotation.move(number * 100.0 + 50)
    assert len(rotation.changes) <= 100
