from __future__ import annotations

from gateway.change.diff import unified
from gateway.control.dashboard.diff_lines import DiffLine, diff_lines


def test_lines_have_their_kind_and_the_names_are_left_out() -> None:
    assert diff_lines(unified("a\nto: legacy\nc\n", "a\nto: new\nc\n", "version 1", "version 2")) == [
        DiffLine("place", "@@ -1,3 +1,3 @@"),
        DiffLine("", " a"),
        DiffLine("removed", "-to: legacy"),
        DiffLine("added", "+to: new"),
        DiffLine("", " c"),
    ]


def test_a_removed_line_of_dashes_is_no_file_name() -> None:
    kinds = [(line.kind, line.text) for line in diff_lines(unified("-- a\n--- b\n", "", "1", "2"))]
    assert kinds[1:] == [("removed", "--- a"), ("removed", "---- b")]


def test_equal_texts_have_no_lines() -> None:
    assert diff_lines("") == []
