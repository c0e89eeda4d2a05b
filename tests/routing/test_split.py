from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.routing.split import SCALE, EvenDraw, Split, point

# --- point -----------------------------------------------------------------------------------------------------------


def test_points_are_spread_evenly() -> None:
    counts = Counter(point("group:catalogue", f"user-{n}") * 10 // SCALE for n in range(20_000))
    assert set(counts) == set(range(10))
    # Six standard deviations of a fair draw; the keys are fixed, so this cannot fail by chance.
    assert all(abs(count - 2000) < 6 * (20_000 * 0.1 * 0.9) ** 0.5 for count in counts.values())


def test_salts_choose_independently() -> None:
    """Or else the same users would be first in every canary."""
    keys = [f"user-{n}" for n in range(20_000)]
    first = {key for key in keys if point("route:/a", key) < 1000}
    both = sum(point("route:/b", key) < 1000 for key in first)
    assert abs(both - len(first) / 10) < 6 * (len(first) * 0.1 * 0.9) ** 0.5


def test_a_long_salt_counts_to_its_last_character() -> None:
    long = "GET /" + "x" * 200
    assert point(f"{long}a", "k") != point(f"{long}b", "k")


@given(st.text(), st.text())
def test_any_text_has_a_point(salt: str, key: str) -> None:
    assert 0 <= point(salt, key) < SCALE


def test_the_points_are_part_of_the_interface() -> None:
    """Users stay where they are through an upgrade of the gateway: these numbers never change."""
    assert [point("group:catalogue", key) for key in ("alice", "bob", "")] == [7510, 175, 8980]
    assert point("x" * 65, "é") == 4542


def test_two_processes_agree() -> None:
    program = (
        "from gateway.routing.split import Split, point\n"
        "split = Split([('new', 2500), ('legacy', 6500), ('extra', 1000)], 'legacy')\n"
        "print([split.backends[split.owner(point('group:g', str(n)))] for n in range(200)])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


# --- Split -----------------------------------------------------------------------------------------------------------


def test_intervals() -> None:
    split = Split([("new", 1000), ("legacy", 8500), ("beta", 500), ("off", 0)], "legacy")
    assert split.backends == ("beta", "new", "off", "legacy")
    assert split.weights == (500, 1000, 0, 8500)
    assert split.intervals == (("beta", 0, 500), ("new", 500, 1500), ("legacy", 1500, 10_000))
    owners = [split.backends[split.owner(p)] for p in (0, 499, 500, 1499, 1500, 9999)]
    assert owners == ["beta", "beta", "new", "new", "legacy", "legacy"]


def test_the_order_in_the_file_does_not_matter() -> None:
    weights = [("new", 1000), ("legacy", 8500), ("beta", 500)]
    assert Split(weights, "legacy").intervals == Split(weights[::-1], "legacy").intervals


@pytest.mark.parametrize(
    "weights",
    [[], [("a", 9999)], [("a", 10_001), ("b", -1)], [("a", 5000), ("a", 5000)], [("a", 10_000), ("b", 1)]],
)
def test_weights_that_are_no_whole_are_refused(weights: list[tuple[str, int]]) -> None:
    with pytest.raises(ValueError, match=r"weights|twice"):
        Split(weights, "a")


def _points(split: Split) -> dict[str, set[int]]:
    return {name: set(range(start, end)) for name, start, end in split.intervals}


@st.composite
def _weights(draw: st.DrawFn, backends: int) -> list[int]:
    cuts = sorted(draw(st.lists(st.integers(0, SCALE), min_size=backends - 1, max_size=backends - 1)))
    return [high - low for low, high in pairwise([0, *cuts, SCALE])]


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(["aaa", "new", "zzz"]), st.sampled_from(["new", "legacy", "none of them"]), st.data())
def test_with_two_backends_moving_is_monotone_in_both_directions(name: str, default: str, data: st.DataObject) -> None:
    """Through any history of weights: up moves points only to a backend, down only away from it."""
    history = data.draw(st.lists(st.integers(0, SCALE), min_size=2, max_size=8))
    splits = [Split([(name, weight), ("legacy", SCALE - weight)], default) for weight in history]
    for before, after in pairwise(splits):
        for backend in (name, "legacy"):
            had, has = _points(before).get(backend, set()), _points(after).get(backend, set())
            assert had <= has or has <= had
            assert len(has) == dict(zip(after.backends, after.weights, strict=True))[backend]


@settings(deadline=None, max_examples=50)
@given(st.integers(3, 5), st.data())
def test_with_more_backends_nobody_is_moved_back_to_the_default(count: int, data: st.DataObject) -> None:
    names = ["b0", "b1", "b2", "b3", "legacy"][-count:]
    history = data.draw(st.lists(_weights(count), min_size=2, max_size=6))
    splits = [Split(list(zip(names, weights, strict=True)), "legacy") for weights in history]
    for before, after in pairwise(splits):
        had, has = _points(before).get("legacy", set()), _points(after).get("legacy", set())
        assert (has <= had) if len(has) <= len(had) else (had < has)


@settings(deadline=None, max_examples=50)
@given(_weights(4), st.integers(0, 2), st.integers(1, SCALE))
def test_with_more_backends_one_that_is_raised_loses_nobody(weights: list[int], raised: int, by: int) -> None:
    names = ["b0", "b1", "b2", "legacy"]
    by = min(by, weights[3])
    more = [w + (at == raised) * by - (at == 3) * by for at, w in enumerate(weights)]
    before = _points(Split(list(zip(names, weights, strict=True)), "legacy"))
    after = _points(Split(list(zip(names, more, strict=True)), "legacy"))
    assert before.get(names[raised], set()) <= after.get(names[raised], set())
    for earlier in names[:raised]:
        assert before.get(earlier) == after.get(earlier)


@settings(deadline=None)
@given(_weights(4), st.integers(0, SCALE - 1))
def test_the_owner_is_the_one_whose_interval_it_is(weights: list[int], where: int) -> None:
    split = Split(list(zip(("a", "b", "c", "d"), weights, strict=True)), "b")
    [owner] = [name for name, start, end in split.intervals if start <= where < end]
    assert split.backends[split.owner(where)] == owner
    assert split.weights[split.owner(where)] > 0


# --- EvenDraw --------------------------------------------------------------------------------------------------------


def _strays(weights: list[int], seed: int, draws: int) -> float:
    """How far the count of any index has been from its share, at the worst of ``draws`` moments."""
    draw = EvenDraw(weights, seed)
    counts = [0] * len(weights)
    total = sum(weights)
    worst = 0.0
    for n in range(1, draws + 1):
        counts[draw.next()] += 1
        worst = max(worst, *(abs(c - n * w / total) for c, w in zip(counts, weights, strict=True)))
    return worst


@settings(deadline=None, max_examples=60)
@given(st.integers(0, SCALE), st.integers())
def test_two_weights_stray_by_less_than_one(weight: int, seed: int) -> None:
    assert _strays([SCALE - weight, weight], seed, 500) < 1


@settings(deadline=None, max_examples=60)
@given(_weights(3), st.integers())
def test_three_weights_stray_by_less_than_two(weights: list[int], seed: int) -> None:
    assert _strays(weights, seed, 500) < 2


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 100), min_size=1, max_size=20).filter(any), st.integers())
def test_any_number_of_weights_stray_by_less_than_3_4(weights: list[int], seed: int) -> None:
    assert _strays(weights, seed, 500) < 3.4


def test_fibonacci_weights_are_the_worst_and_bounded_too() -> None:
    weights = [1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89]
    assert max(_strays(weights, seed, 2 * sum(weights)) for seed in range(20)) < 3.4


def test_small_weights_beside_big_ones_are_even_too() -> None:
    """With the forks in another order, the same draws stray by 3.5."""
    weights = [3, 2, 3, 100, 1, 3, 1, 2]
    assert max(_strays(weights, seed, 3 * sum(weights)) for seed in range(10)) < 2


@pytest.mark.parametrize("nth", [1, 2, 7])
def test_every_single_draw_has_the_chances_of_the_weights(nth: int) -> None:
    """Also the first: after each reload a one-percent canary would otherwise begin with ninety-nine of the others."""
    seeds = 4000
    counts: Counter[int] = Counter()
    for seed in range(seeds):
        draw = EvenDraw([7000, 2500, 500], seed)
        counts[[draw.next() for _ in range(nth)][-1]] += 1
    for index, chance in enumerate((0.7, 0.25, 0.05)):
        assert abs(counts[index] - seeds * chance) < 5 * (seeds * chance * (1 - chance)) ** 0.5


def test_there_is_no_rhythm_for_a_client_to_fall_in_with() -> None:
    """At 50 %, who asks in pairs (a page and its data) gets both orders equally often."""
    draw = EvenDraw([5000, 5000], 1)
    pairs = Counter((draw.next(), draw.next()) for _ in range(2000))
    assert set(pairs) == {(0, 1), (1, 0)}
    assert abs(pairs[0, 1] - 1000) < 5 * (2000 * 0.25) ** 0.5
    # And in threes, at a third: every place in the row is met.
    draw = EvenDraw([6667, 3333], 1)
    assert {tuple(draw.next() for _ in range(3)) for _ in range(300)} >= {(1, 0, 0), (0, 1, 0), (0, 0, 1)}


def test_a_zero_weight_is_never_drawn() -> None:
    draw = EvenDraw([0, SCALE, 0], 1)
    assert {draw.next() for _ in range(1000)} == {1}
    draw = EvenDraw([0, 1, SCALE - 1], 1)
    assert 0 not in {draw.next() for _ in range(1000)}


def test_seeds_make_it_repeatable_and_their_absence_does_not() -> None:
    def first(draw: EvenDraw) -> list[int]:
        return [draw.next() for _ in range(200)]

    assert first(EvenDraw([5000, 5000], 7)) == first(EvenDraw([5000, 5000], 7))
    assert first(EvenDraw([5000, 5000])) != first(EvenDraw([5000, 5000]))


@pytest.mark.parametrize("weights", [[], [0, 0], [SCALE, -1]])
def test_nothing_to_draw_is_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weight"):
        EvenDraw(weights)
