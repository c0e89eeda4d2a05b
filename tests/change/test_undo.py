from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.change.change import ChangeError
from gateway.change.undo import undone
from gateway.history.entry import Announcement, Entry


class Told:
    """A history in which things happen, as the gateway keeps it; and the text in the file."""

    def __init__(self, *texts: str) -> None:
        self.entries: list[Entry] = []
        self.note: Announcement | None = None
        self.file = ""
        for text in texts:
            self.live(text)

    def live(self, text: str, undone_to: int | None = None) -> None:
        self.file = text
        self.entries.append(Entry(len(self.entries) + 1, text, 0.0, "file", "", "", "", undone_to))

    def undo(self) -> str:
        """Undo, on a gateway that runs."""
        target = undone(self.entries, self.file, None)
        if target.digest != self.entries[-1].digest:
            self.live(target.digest, target.version)
        self.file = target.digest
        return target.digest

    def undo_while_down(self) -> str:
        target = undone(self.entries, self.file, self.note)
        self.file = target.digest
        undone_to = target.version if target.digest != self.entries[-1].digest else None
        self.note = Announcement(self.file, 0.0, "command", "", "", undone_to)
        return target.digest


def test_again_and_again_it_goes_further_back() -> None:
    told = Told("a", "b", "c", "d")
    assert [told.undo(), told.undo(), told.undo()] == ["c", "b", "a"]
    assert len(told.entries) == 7, "and every step is a version"
    with pytest.raises(ChangeError, match="version 1 is the oldest that is kept") as refused:
        told.undo()
    assert refused.value.kind == "nothing-to-undo"


def test_a_change_after_it_starts_anew() -> None:
    """As in an editor: what was undone is no step on the way back any more."""
    told = Told("a", "b", "c")
    assert told.undo() == "b"
    told.live("d")
    assert [told.undo(), told.undo()] == ["b", "a"]


def test_bringing_back_a_version_by_its_number_is_a_change_and_can_be_undone() -> None:
    told = Told("a", "b", "c")
    told.live("a")
    assert [told.undo(), told.undo(), told.undo()] == ["c", "b", "a"]


@pytest.mark.parametrize("file", ["", "a bad edit", "a good edit that no gateway has read"])
def test_a_file_that_is_not_live_goes_back_to_what_is(file: str) -> None:
    told = Told("a", "b")
    told.file = file
    assert told.undo() == "b"
    assert len(told.entries) == 2, "which is no new version"
    assert told.undo() == "a"


def test_while_no_gateway_runs_it_goes_further_back_too() -> None:
    told = Told("a", "b", "c")
    assert [told.undo_while_down(), told.undo_while_down()] == ["b", "a"]
    with pytest.raises(ChangeError):
        told.undo_while_down()


def test_while_no_gateway_runs_an_edit_goes_back_to_what_was_live_last() -> None:
    told = Told("a", "b", "c")
    told.file = "x"
    assert [told.undo_while_down(), told.undo_while_down(), told.undo_while_down()] == ["c", "b", "a"]


def test_without_a_history_there_is_nothing() -> None:
    with pytest.raises(ChangeError, match="no version was ever live here"):
        undone([], "x", None)


def test_a_history_that_somebody_edited_does_not_go_round_in_circles() -> None:
    entries = [Entry(1, "a", 0.0, "file", "", "", "", 2), Entry(2, "b", 0.0, "file", "", "", "", 2)]
    assert undone(entries, "b", None).version == 1


@given(st.lists(st.one_of(st.just("undo"), st.integers(0, 30)), max_size=40))
def test_it_is_the_undo_of_an_editor(steps: list[str | int]) -> None:
    """Against the plain model: a stack of texts."""
    told, stack = Told("start"), ["start"]
    for step in steps:
        if step != "undo":
            text = f"text {step}"
            if text != stack[-1]:
                told.live(text)
                stack.append(text)
        elif len(stack) > 1:
            stack.pop()
            assert told.undo() == stack[-1]
        else:
            with pytest.raises(ChangeError):
                told.undo()
