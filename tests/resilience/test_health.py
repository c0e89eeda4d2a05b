from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.resilience.health import Health


def hear(health: Health, words: str) -> list[bool]:
    """Whether each of the checks, ``+`` or ``-``, has changed what is believed."""
    return [health.passed() if word == "+" else health.failed() for word in words]


def test_the_first_check_that_passes_is_believed() -> None:
    health = Health(healthy_after=3, unhealthy_after=2)
    assert health.up is None
    assert hear(health, "+") == [True]
    assert health.up is True


def test_it_is_down_only_after_enough_failures_in_a_row() -> None:
    health = Health(healthy_after=2, unhealthy_after=3)
    assert hear(health, "+--+--") == [True, *[False] * 5]
    assert hear(health, "-") == [True]
    assert health.up is False


def test_an_address_that_was_never_up_is_given_as_many_chances() -> None:
    health = Health(healthy_after=2, unhealthy_after=3)
    assert hear(health, "--") == [False, False]
    assert health.up is None
    assert hear(health, "-") == [True]


def test_it_is_back_only_after_enough_that_passed_in_a_row() -> None:
    health = Health(healthy_after=2, unhealthy_after=1)
    assert hear(health, "-+-+") == [True, False, False, False]
    assert health.up is False
    assert hear(health, "+") == [True]
    assert health.up is True


@given(st.text("+-", max_size=200), st.integers(1, 20), st.integers(1, 20))
def test_whatever_was_before_enough_of_one_kind_decide(words: str, healthy_after: int, unhealthy_after: int) -> None:
    health = Health(healthy_after, unhealthy_after)
    hear(health, words)
    assert sum(hear(health, "+" * healthy_after)) <= 1
    assert health.up is True
    assert sum(hear(health, "-" * unhealthy_after)) == 1
    assert health.up is False
    assert repr(health) == "<Health up=False against=0>"
