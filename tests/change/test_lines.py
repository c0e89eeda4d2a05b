from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.change.lines import Run, common_runs

texts = st.lists(st.sampled_from("abcdefgh"), max_size=40)


@given(texts, texts)
def test_what_is_in_common_is_in_both_and_in_order(old: list[str], new: list[str]) -> None:
    at_old = at_new = 0
    for run in common_runs(old, new):
        assert run.length > 0
        assert run.old >= at_old
        assert run.new >= at_new
        assert (run.old > at_old or run.new > at_new) or at_old == at_new == 0, "neighbours are joined"
        assert old[run.old : run.old + run.length] == new[run.new : run.new + run.length]
        at_old, at_new = run.old + run.length, run.new + run.length


@given(texts)
def test_a_text_has_all_in_common_with_itself(text: list[str]) -> None:
    assert common_runs(text, text) == ([Run(0, 0, len(text))] if text else [])


def test_lines_that_are_there_once_hold_what_is_around_them() -> None:
    old = ["path a", "to: old", "", "path b", "to: old", ""]
    new = ["path a", "to: new", "", "path b", "to: new", ""]
    assert common_runs(old, new) == [Run(0, 0, 1), Run(2, 2, 2), Run(5, 5, 1)]


def test_what_has_changed_its_place_is_not_crossed() -> None:
    assert common_runs(["a", "b", "c", "d"], ["d", "a", "b", "c"]) == [Run(0, 1, 3)]


def test_long_texts_without_lines_of_their_own_are_one_change() -> None:
    old, new = ["x", "y"] * 20_000, ["x", "z"] * 20_000
    assert common_runs(old, new) == []
