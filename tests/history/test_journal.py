from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.history.entry import Entry
from gateway.history.journal import Journal


def entry(version: int, changes: str = "") -> Entry:
    return Entry(version, f"{version:012x}", float(version), "file", "", "", changes)


ONE, TWO, THREE = entry(1), entry(2), entry(3)


def test_no_file_is_no_entries(tmp_path: Path) -> None:
    assert Journal(tmp_path / "journal").read() == []


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.append([ONE])
    journal.append([TWO, THREE])
    assert journal.read() == [ONE, TWO, THREE]
    assert stat.S_IMODE((tmp_path / "journal").stat().st_mode) == 0o600


@given(st.data())
def test_wherever_a_write_is_torn_the_others_stay_and_the_next_is_whole(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("torn") / "journal"
    journal = Journal(path)
    journal.append([ONE, TWO])
    whole = path.read_bytes()
    last = len(ONE.line())
    path.write_bytes(whole[: data.draw(st.integers(last, len(whole) - 2))])
    assert journal.read() == [ONE]
    journal.append([THREE])
    assert journal.read() == [ONE, THREE]


def test_lines_that_somebody_broke_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(b"\x00\x00\n" + ONE.line() + b"what is this?\n\n" + TWO.line())
    assert Journal(path).read() == [ONE, TWO]


def test_a_line_that_was_saved_twice_counts_once(tmp_path: Path) -> None:
    """As after a full disk: the first try wrote some of the lines, and the second wrote all."""
    path = tmp_path / "journal"
    path.write_bytes(ONE.line() + entry(2, "old").line() + TWO.line())
    assert Journal(path).read() == [ONE, TWO]


def test_a_rewritten_journal_has_what_it_was_given(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.append([ONE, TWO])
    journal.rewrite([TWO])
    journal.append([THREE])
    assert journal.read() == [TWO, THREE]


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        Journal(tmp_path / "journal").append([ONE])
