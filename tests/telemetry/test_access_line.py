from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.telemetry.access_line import LONGEST_PATH, Entry, Format, Lines

# 2026-11-20T21:30:38.250Z is 1795210238.25; the clock of the entries began a thousand seconds before.
BEGUN = 1000.25
OFFSET = 1795209238.0


def entry(
    *,
    first_byte: float | None = BEGUN + 0.002,
    client: str = "203.0.113.9",
    method: str = "GET",
    path: bytes = b"/books/7",
    route: str = "GET /books/{id}",
    why: str = "sticky",
    status: int = 200,
    size: int | None = 12,
) -> Entry:
    ended = BEGUN + 0.0031
    return (BEGUN, first_byte, ended, "a1", client, method, path, "1.1", route, "new", why, status, size)


def line(form: Format, one: Entry) -> str:
    made = Lines(form)([one], OFFSET).decode("ascii")
    assert made.endswith("\n")
    return made[:-1]


def test_json() -> None:
    assert json.loads(line("json", entry())) == {
        "time": "2026-11-20T21:30:38.250Z",
        "request_id": "a1",
        "client": "203.0.113.9",
        "method": "GET",
        "path": "/books/7",
        "route": "GET /books/{id}",
        "backend": "new",
        "why": "sticky",
        "status": 200,
        "bytes": 12,
        "seconds": 0.0031,
        "first_byte_seconds": 0.002,
    }


def test_text_begins_as_the_common_log_format_does() -> None:
    assert line("text", entry()) == (
        '203.0.113.9 - - [20/Nov/2026:21:30:38 +0000] "GET /books/7 HTTP/1.1" 200 12 '
        'route="GET /books/{id}" backend=new why=sticky seconds=0.003100 first_byte=0.002000 id=a1'
    )


def test_what_is_not_known_is_null_or_a_dash() -> None:
    unknown = entry(first_byte=None, client="", size=None, status=499)
    assert {key: json.loads(line("json", unknown))[key] for key in ("first_byte_seconds", "client", "bytes")} == {
        "first_byte_seconds": None,
        "client": None,
        "bytes": None,
    }
    assert line("text", unknown).startswith("- - - [")
    assert '" 499 - route=' in line("text", unknown)
    assert "first_byte=- " in line("text", unknown)


def test_times_of_several_entries_are_their_own() -> None:
    lines = Lines("json")
    first = entry()
    second = (first[0] + 1.5, None, first[2] + 1.5, *first[3:])
    times = [json.loads(each)["time"] for each in lines([first, second, first], OFFSET).splitlines()]
    assert times == ["2026-11-20T21:30:38.250Z", "2026-11-20T21:30:39.750Z", "2026-11-20T21:30:38.250Z"]


def test_a_path_without_end_ends_in_the_log() -> None:
    path = json.loads(line("json", entry(path=b"/" + b"a" * 100_000)))["path"]
    assert len(path) == LONGEST_PATH + 3
    assert path.endswith("a...")


@given(client=st.text(), method=st.text(), path=st.binary(), route=st.text())
def test_json_holds_whatever_was_written(client: str, method: str, path: bytes, route: str) -> None:
    read = json.loads(line("json", entry(client=client, method=method, path=path, route=route)))
    assert (read["client"] or "", read["method"], read["route"]) == (client, method, route)
    assert read["path"] == path.decode("latin-1")


@pytest.mark.parametrize("form", ["json", "text"])
@given(client=st.text(), method=st.text(), path=st.binary(), route=st.text())
def test_nothing_that_is_written_makes_another_line(
    form: Format, client: str, method: str, path: bytes, route: str
) -> None:
    made = line(form, entry(client=client, method=method, path=path, route=route))
    assert re.fullmatch("[ -~]+", made)
