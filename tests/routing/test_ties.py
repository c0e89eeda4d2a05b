from __future__ import annotations

import time
from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.routing.particulars import Particulars
from gateway.routing.table import Rule
from gateway.routing.ties import MOST_PAIRS, TieError, tied
from tests.routing.rules import rule


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (rule("/a"), rule("/a")),
        (rule("/a/{x}"), rule("/a/{y}")),
        (rule("/café"), rule("/caf%c3%a9")),
        (rule("/a", "GET POST"), rule("/a", "PUT POST")),
        (rule("/a", host="a.com"), rule("/a", host="A.com.")),
        (rule("/a", host="*.a.com"), rule("/a", host="*.A.com")),
        (rule("/a", headers={"x": "1"}), rule("/a", headers={"x": "1"})),
        (rule("/a", headers={"x": "1"}), rule("/a", headers={"y": "1"})),
        (rule("/a", headers={"x": "1"}), rule("/a", headers={"x": None})),
        (rule("/a", query={"x": "1"}), rule("/a", query={"y": "1"})),
        (rule("/a", headers={"x": "1"}, query={"q": "1"}), rule("/a", headers={"y": "2"}, query={"q": "1"})),
    ],
)
def test_rules_that_tie(one: Rule, other: Rule) -> None:
    assert tied([rule("/else"), one, other]) == {(1, 2)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (rule("/a"), rule("/a/")),
        (rule("/a/{x:int}"), rule("/a/{x:uuid}")),
        (rule("/a/{x}"), rule("/a/{x:path}")),
        (rule("/a", "GET"), rule("/a", "POST")),
        (rule("/a", "GET"), rule("/a")),
        (rule("/a", host="a.com"), rule("/a", host="b.com")),
        (rule("/a", host="*.b.a.com"), rule("/a", host="*.a.com")),
        (rule("/a", host="a.com"), rule("/a")),
        (rule("/a", headers={"x": "1"}), rule("/a", headers={"x": "2"})),
        (rule("/a", headers={"x": "1"}), rule("/a", query={"x": "1"})),
        (rule("/a", headers={"x": "1", "y": "1"}), rule("/a", headers={"x": "1"})),
        (rule("/a", query={"x": "1"}), rule("/a", query={"x": "2"})),
        (rule("/a", headers={"x": "1"}, query={"q": "1"}), rule("/a", headers={"y": "1"}, query={"q": "2"})),
    ],
)
def test_rules_that_do_not(one: Rule, other: Rule) -> None:
    assert tied([one, other]) == set()


def test_all_pairs_are_told_in_order() -> None:
    rules = [rule("/a"), rule("/b", "GET PUT"), rule("/a"), rule("/b", "PUT GET"), rule("/a")]
    error = TieError(tied(rules))
    assert error.pairs == ((0, 2), (0, 4), (1, 3), (2, 4))
    assert "4 pairs of routes" in str(error)


def _overlap(one: Rule, other: Rule) -> bool:
    """By definition, pair by pair."""

    def contradict(a: Rule, b: Rule) -> bool:
        headers, query = dict(b.headers), dict(b.query)
        return any(None not in (v, headers.get(k)) and v != headers[k] for k, v in a.headers) or any(
            None not in (v, query.get(k)) and v != query[k] for k, v in a.query
        )

    return (
        one.template.shape == other.template.shape
        and one.host == other.host
        and (bool(one.methods & other.methods) or not (one.methods or other.methods))
        and (len(one.headers), len(one.query)) == (len(other.headers), len(other.query))
        and not contradict(one, other)
    )


_matches = st.dictionaries(st.sampled_from(["x", "y", "z"]), st.sampled_from(["1", "2", None]), max_size=3)
_rules = st.builds(
    rule,
    st.sampled_from(["/a", "/{x}", "/{y}"]),
    st.sampled_from(["", "GET", "POST", "GET POST"]),
    st.sampled_from([None, "a.com", "*.a.com"]),
    _matches,
    _matches,
)


@settings(deadline=None, max_examples=300)
@given(st.lists(_rules, max_size=24))
def test_finds_what_comparing_all_with_all_finds_and_each_tie_is_real(rules: list[Rule]) -> None:
    expected = {(i, j) for (i, one), (j, other) in combinations(enumerate(rules), 2) if _overlap(one, other)}
    assert tied(rules) == expected
    for i, j in expected:
        # A request that pleases both.
        one, other = rules[i], rules[j]
        wanted = {name: value for r in (one, other) for name, value in sorted(r.headers, key=lambda h: h[1] or b"")}
        asked = {key: value for r in (one, other) for key, value in sorted(r.query, key=lambda q: q[1] or "")}
        for r in (one, other):
            wanted.update({name: value for name, value in r.headers if value is not None})
            asked.update({key: value for key, value in r.query if value is not None})
        headers = [(b"host", (one.host or "").replace("*", "w").encode())]
        headers += [(name, value or b"anything") for name, value in wanted.items()]
        query = "&".join(f"{key}={value or 'anything'}" for key, value in asked.items()).encode()
        method = min(one.methods & other.methods, default="PATCH")
        assert one.refusal(method, Particulars(headers, query)) is None
        assert other.refusal(method, Particulars(headers, query)) is None


@pytest.mark.parametrize(
    "each",
    [
        pytest.param(lambda n: rule(f"/a/{n}/{{x}}"), id="paths"),
        pytest.param(lambda n: rule("/a", "GET POST", host=f"h{n}.example.com"), id="hosts"),
        pytest.param(lambda n: rule("/a", headers={"x-tenant": str(n), "y": "1"}), id="headers"),
        pytest.param(lambda n: rule("/a", query={"a": str(n % 100), "b": str(n // 100)}), id="queries"),
        pytest.param(lambda n: rule("/a", headers={"x": str(n), f"y{n}": "1"}), id="one name in common"),
    ],
)
def test_ten_thousand_unrelated_rules_are_not_compared_with_each_other(each: Callable[[int], Rule]) -> None:
    rules = [each(n) for n in range(10_000)]
    started = time.process_time()
    assert tied(rules) == set()
    # All with all are 50 million comparisons: half a minute at the least.
    assert time.process_time() - started < 2


def test_ten_thousand_copies_are_not_listed_in_full() -> None:
    assert len(tied([rule("/a")] * 10_000)) == MOST_PAIRS
