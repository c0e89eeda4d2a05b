from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.server.crowd import Address, Crowd
from gateway.server.limits import Limits
from gateway.server.refusal import CROWDED, GREEDY


def here(address: str) -> Address:
    return (address, 4000)


def test_without_limits_everyone_may_come() -> None:
    crowd = Crowd(Limits())
    assert {crowd.enter(here("192.0.2.1")) for _ in range(1000)} == {None}
    assert crowd.total == 1000


def test_those_beyond_the_limit_are_told_as_long_as_that_is_no_burden() -> None:
    crowd = Crowd(Limits(connections=10))
    outcomes = [crowd.enter(here(f"192.0.2.{number}")) for number in range(100)]
    assert outcomes == [None] * 10 + [(CROWDED, True)] * 64 + [(CROWDED, False)] * 26


def test_each_client_has_a_limit_of_its_own() -> None:
    crowd = Crowd(Limits(connections_per_client=2))
    for address in ("192.0.2.1", "192.0.2.2"):
        assert [crowd.enter(here(address)) for _ in range(3)] == [None, None, (GREEDY, True)]
    for _ in range(7):
        crowd.enter(here("192.0.2.1"))
    assert crowd.enter(here("192.0.2.1")) == (GREEDY, False)


def test_one_that_leaves_makes_room() -> None:
    crowd = Crowd(Limits(connections=2, connections_per_client=1))
    assert crowd.enter(here("192.0.2.1")) is None
    assert crowd.enter(here("192.0.2.1")) == (GREEDY, True)
    crowd.leave(here("192.0.2.1"))
    crowd.leave(here("192.0.2.1"))
    assert crowd.enter(here("192.0.2.1")) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2"),
        ("fe80::1%eth0", "fe80::2%eth0"),
    ],
)
def test_an_ipv6_client_is_a_network(one: str, other: str) -> None:
    crowd = Crowd(Limits(connections_per_client=1))
    assert crowd.enter(here(one)) is None
    assert crowd.enter(here(other)) == (GREEDY, True)


@pytest.mark.parametrize(
    ("one", "other"), [("::ffff:192.0.2.1", "::ffff:192.0.2.2"), ("2001:db8:0:1::1", "2001:db8:0:2::1")]
)
def test_other_clients_are_others(one: str, other: str) -> None:
    crowd = Crowd(Limits(connections_per_client=1))
    assert crowd.enter(here(one)) is None
    assert crowd.enter(here(other)) is None


def test_proxies_and_unix_sockets_speak_for_many() -> None:
    crowd = Crowd(Limits(connections_per_client=1, proxies={"192.0.2.9"}))
    assert {crowd.enter(here("192.0.2.9")) for _ in range(10)} == {None}
    assert {crowd.enter(None) for _ in range(10)} == {None}


@given(st.lists(st.sampled_from([None, ("192.0.2.1", 1), ("192.0.2.2", 1), ("2001:db8::1", 1)])), st.data())
def test_whatever_comes_and_goes_nothing_is_left_over(comers: list[Address], data: st.DataObject) -> None:
    crowd = Crowd(Limits(connections=3, connections_per_client=2))
    for address in comers:
        crowd.enter(address)
    # A limit that comes in between changes who may stay, and not the counting.
    crowd.limits = Limits()
    for address in data.draw(st.permutations(comers)):
        crowd.leave(address)
    assert crowd.total == 0
    assert not crowd._by_client
