from __future__ import annotations

import random

import pytest

from gateway.routing.host import HostError
from gateway.routing.particulars import Particulars
from tests.routing.rules import rule


def test_order_within_one_path() -> None:
    """Host, then methods named, then the number of header matches, then query matches."""
    rules = [
        rule("/a", host="shop.example.com"),
        rule("/a", "GET", host="*.eu.example.com", headers={"x": "1"}),
        rule("/a", host="*.eu.example.com"),
        rule("/a", "GET", host="*.example.com", headers={"x": "1", "y": "1"}, query={"q": "1"}),
        rule("/a", "GET", headers={"x": "1", "y": "1"}),
        rule("/a", "GET", headers={"x": "1"}, query={"q": "1", "r": "1"}),
        rule("/a", "GET", headers={"x": "1"}, query={"q": "1"}),
        rule("/a", "GET", headers={"x": "1"}),
        rule("/a", "GET", query={"q": "1", "r": None}),
        rule("/a", "GET"),
        rule("/a", headers={"x": "1"}),
        rule("/a", query={"q": "1"}),
        rule("/a"),
    ]
    shuffled = random.Random(1).sample(rules, len(rules))
    assert sorted(shuffled, key=lambda r: r.order) == rules
    assert sorted(shuffled, key=lambda r: r.rank) == rules


def test_rules_that_do_not_compete_are_ordered_by_their_text() -> None:
    rules = [
        rule("/a", "DELETE"),
        rule("/a", "GET"),
        rule("/a", "POST", headers={"x": None}),
        rule("/a", "POST", headers={"x": "1"}),
    ]
    for given in (rules, rules[::-1]):
        assert sorted(given, key=lambda r: r.order) == [rules[2], rules[3], rules[0], rules[1]]


def test_a_host_is_normalised_or_refused() -> None:
    assert rule("/", host="Example.com.").host == "example.com"
    with pytest.raises(HostError):
        rule("/", host="https://example.com")


@pytest.mark.parametrize(
    ("kwargs", "reason"),
    [
        ({"host": "a.com"}, "host is 'shop.example.com', not a.com"),
        ({"host": "*.shop.example.com"}, "host is 'shop.example.com', not *.shop.example.com"),
        ({"methods": "PUT DELETE"}, "method is GET, not DELETE or PUT"),
        ({"headers": {"X-Tenant": None}}, "there is no header x-tenant"),
        ({"headers": {"X-Tier": "gold"}}, "header x-tier is 'free' and 'trial', not 'gold'"),
        ({"query": {"page": None}}, "there is no query parameter page"),
        ({"query": {"beta": "0"}}, "query parameter beta is '1', not '0'"),
        ({"host": "*.example.com", "methods": "GET", "headers": {"x-tier": "trial"}, "query": {"beta": "1"}}, None),
        ({"headers": {"x-tier": None}, "query": {"beta": None}}, None),
    ],
)
def test_a_refusal_says_why(kwargs: dict[str, object], reason: str | None) -> None:
    headers = [(b"host", b"shop.example.com:8000"), (b"x-tier", b"free"), (b"x-tier", b"trial")]
    particulars = Particulars(headers, b"beta=1&beta=0")
    assert rule("/", **kwargs).refusal("GET", particulars) == reason  # type: ignore[arg-type]
