from __future__ import annotations

from pathlib import Path

from gateway.history.announcements import Announcements
from gateway.history.entry import Announcement


def note(digest: str, at: float) -> Announcement:
    return Announcement(digest * 12, at, "command", "mia", "")


def test_a_note_is_found_by_the_digest_of_its_text(tmp_path: Path) -> None:
    notes = Announcements(tmp_path / "announced")
    assert notes.get("a" * 12) is None
    notes.put(note("a", 1.0))
    assert notes.get("a" * 12) == note("a", 1.0)
    notes.withdraw("a" * 12)
    notes.withdraw("a" * 12)
    assert notes.get("a" * 12) is None


def test_of_two_notes_on_one_text_the_later_counts(tmp_path: Path) -> None:
    notes = Announcements(tmp_path)
    notes.put(note("a", 1.0))
    notes.put(note("a", 2.0))
    assert notes.get("a" * 12) == note("a", 2.0)


def test_a_text_that_is_live_is_done_with_and_so_are_those_before_it(tmp_path: Path) -> None:
    """Two commands in a row: the gateway may see the second text only, or the first while the second is written."""
    notes = Announcements(tmp_path)
    for each in (note("a", 1.0), note("b", 2.0), note("c", 3.0)):
        notes.put(each)
    notes.settle("b" * 12, 100.0)
    assert [notes.get(digest * 12) for digest in "abc"] == [None, None, note("c", 3.0)]


def test_an_edit_by_hand_ends_what_is_stale_and_not_what_is_on_its_way(tmp_path: Path) -> None:
    notes = Announcements(tmp_path)
    notes.put(note("a", 1.0))
    notes.put(note("b", 99.0))
    notes.settle("c" * 12, 100.0)
    assert [notes.get(digest * 12) for digest in "ab"] == [None, note("b", 99.0)]


def test_a_broken_note_is_none(tmp_path: Path) -> None:
    notes = Announcements(tmp_path)
    (tmp_path / f"{'a' * 12}.json").write_text("{")
    (tmp_path / f"{'b' * 12}.json").write_bytes(note("c", 1.0).line())
    assert notes.get("a" * 12) is None
    assert notes.get("b" * 12) is None
    assert notes.get("../journal") is None
    notes.settle("c" * 12, 100.0)
    assert list(tmp_path.iterdir()) == []
