from __future__ import annotations

import json

import pytest

from gateway.history.entry import Announcement, Entry, short

ENTRY = Entry(7, "0123456789ab", 1.5, "command", "mia", "parity — checked", "GET /books: legacy → new", 5)


def test_an_entry_is_one_line_and_comes_back() -> None:
    line = ENTRY.line()
    assert line.count(b"\n") == 1
    assert Entry.parse(line) == ENTRY


def test_what_a_later_gateway_adds_is_left_out() -> None:
    line = json.dumps({**json.loads(ENTRY.line()), "approved_by": "ada"}).encode()
    assert Entry.parse(line) == ENTRY


def test_what_an_earlier_gateway_did_not_have_is_not_missed() -> None:
    data = json.loads(ENTRY.line())
    del data["undone_to"]
    assert Entry.parse(json.dumps(data).encode()).undone_to is None


@pytest.mark.parametrize(
    "change",
    [
        {"version": 0},
        {"version": True},
        {"version": "7"},
        {"digest": None},
        {"at": "now"},
        {"origin": "magic"},
        {"origin": ["file"]},
        {"undone_to": -1},
    ],
)
def test_a_line_that_is_no_entry_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"'{next(iter(change))}' cannot be"):
        Entry.parse(json.dumps({**json.loads(ENTRY.line()), **change}).encode())


@pytest.mark.parametrize("line", [b"", b"[]", b"7", ENTRY.line()[:40], b"\xff\xfe", b"{" * 2000])
def test_half_a_line_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's words, or ours
        Entry.parse(line)


def test_an_announcement_comes_back() -> None:
    announcement = Announcement("0123456789ab", 1.5, "api", "mia", "")
    assert Announcement.parse(announcement.line()) == announcement


def test_words_are_made_fit_for_one_line() -> None:
    assert short(" why\n\tnot\x1b[31m? ") == "why not [31m?"
    assert len(short("x" * 10_000)) == 500
