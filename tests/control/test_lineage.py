from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from gateway.control.lineage import Lineage


def test_the_first_worker_to_serve_a_text_makes_it_the_newest_version() -> None:
    lineage = Lineage("a")
    assert lineage.arrived("a", 0) == 1
    assert lineage.arrived("b", 1) == 2
    assert (lineage.version, lineage.digest) == (2, "b")


def test_the_others_catch_up_with_it() -> None:
    lineage = Lineage("a")
    lineage.arrived("b", 1)
    lineage.arrived("c", 2)
    assert lineage.arrived("b", 1) == 2
    assert lineage.arrived("c", 2) == 3
    assert lineage.version == 3


def test_going_back_is_a_new_version() -> None:
    lineage = Lineage("a")
    assert [lineage.arrived("b", 1), lineage.arrived("a", 2)] == [2, 3]
    assert [lineage.arrived("b", 1), lineage.arrived("a", 2)] == [2, 3]


def test_a_worker_may_leave_versions_out() -> None:
    lineage = Lineage("a")
    lineage.arrived("b", 1)
    lineage.arrived("c", 2)
    assert lineage.arrived("c", 1) == 3


def test_a_look_that_changed_nothing_leaves_a_worker_where_it_is() -> None:
    lineage = Lineage("a")
    lineage.arrived("b", 1)
    lineage.arrived("a", 2)
    assert lineage.arrived("a", 1) == 1
    assert lineage.version == 3


def test_a_new_worker_is_on_the_latest_version_with_its_text() -> None:
    lineage = Lineage("a")
    lineage.arrived("b", 1)
    lineage.arrived("a", 2)
    assert lineage.arrived("a", 0) == 3
    assert lineage.arrived("d", 0) == 4


def test_a_worker_that_slept_through_versions_is_on_the_newest_of_its_text_in_the_end() -> None:
    lineage = Lineage("a")
    for after, digest in enumerate("bab", 1):
        lineage.arrived(digest, after)
    assert lineage.arrived("b", 1) == 2
    assert [lineage.settled(version) for version in (0, 1, 2, 3, 4)] == [0, 1, 4, 3, 4]
    assert [lineage.is_newest(version) for version in (0, 1, 2, 3, 4)] == [False, False, True, False, True]


def test_numbers_go_on_from_where_the_last_run_ended() -> None:
    lineage = Lineage("a", 7)
    assert lineage.version == 7
    assert [lineage.arrived("a", 0), lineage.arrived("b", 7), lineage.arrived("a", 8)] == [7, 8, 9]
    assert [lineage.arrived("a", 0), lineage.arrived("b", 7), lineage.arrived("a", 7)] == [9, 8, 7]


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=12), st.integers(2, 4), st.randoms())
def test_workers_that_see_the_same_saves_end_on_the_newest_version(
    saves: list[str], workers: int, chance: random.Random
) -> None:
    """However they interleave, and as many versions as there were changes."""
    texts = ["a"] + [text for before, text in zip(["a", *saves], saves, strict=False) if text != before]
    lineage = Lineage("a")
    versions = [1] * workers
    steps = [0] * workers
    while any(step < len(texts) - 1 for step in steps):
        one = chance.choice([each for each in range(workers) if steps[each] < len(texts) - 1])
        steps[one] += 1
        versions[one] = lineage.arrived(texts[steps[one]], versions[one])
    assert versions == [len(texts)] * workers
    assert (lineage.version, lineage.digest) == (len(texts), texts[-1])
