from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.http import dump_cookie, parse_cookie
from werkzeug.sansio.response import Response

from gateway.migrate.session_cookie import MAX_SIZE, SessionCookie, read

names = st.sampled_from(["session", "s", "Session"])
texts = st.text(alphabet='session=;"\\ \t,.-_aé0137', max_size=24)
attributes = st.fixed_dictionaries(
    {
        "path": st.sampled_from(["/", "/a b", "/é;x", "/%20", ""]),
        "domain": st.sampled_from([None, "example.com", ".example.com", "example.com:8000", "bücher.example"]),
        "secure": st.booleans(),
        "httponly": st.booleans(),
        "samesite": st.sampled_from([None, "lax", "Strict", "NONE"]),
        "partitioned": st.booleans(),
    }
)


@settings(deadline=None)
@given(texts)
@example('session="a\\054\\"b"; session=second')
@example("session; session=2")
@example('session="half')
@example("a=1; session=x")
def test_reads_the_cookie_that_werkzeug_reads(field: str) -> None:
    headers = [(b"accept", b"session=no"), (b"cookie", field.encode())]
    expected = parse_cookie(field.encode().decode("latin1")).get("session")
    assert read(headers, "session") == expected


def test_cookies_over_several_fields_are_one_list_and_the_first_wins() -> None:
    headers = [(b"cookie", b"a=1; session=first"), (b"cookie", b"session=second")]
    assert read(headers, "session") == "first"
    assert read(headers, "other") is None


def test_bytes_that_are_not_utf8_hide_no_cookie() -> None:
    assert read([(b"cookie", b"a=\xff; session=x")], "session") == "x"


@settings(deadline=None)
@given(names, attributes, st.none() | st.datetimes(min_value=datetime(1000, 1, 3)))
def test_writes_the_field_that_werkzeug_writes(name: str, given: dict[str, Any], expires: datetime | None) -> None:
    assert SessionCookie(name, **given).set("a.b-c_d", expires) == dump_cookie(
        name, "a.b-c_d", expires=expires, **given
    )


@settings(deadline=None)
@given(names, attributes)
def test_deletes_as_werkzeug_deletes(name: str, given: dict[str, Any]) -> None:
    response = Response()
    response.delete_cookie(name, **given)
    assert SessionCookie(name, **given).delete() == response.headers["Set-Cookie"]


def test_the_expiry_is_written_in_gmt() -> None:
    field = SessionCookie().set("v", datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert field == "session=v; Expires=Wed, 02 Jan 2030 03:04:05 GMT; HttpOnly; Path=/"


def test_warns_of_a_cookie_that_browsers_would_drop() -> None:
    overhead = len(SessionCookie().set("", None))
    SessionCookie().set("x" * (MAX_SIZE - overhead), None)
    with pytest.warns(UserWarning, match=re.escape("the 'session' cookie is too large: 4094 bytes")):
        SessionCookie().set("x" * (MAX_SIZE - overhead + 1), None)


def test_refuses_a_samesite_that_no_browser_knows() -> None:
    with pytest.raises(ValueError, match="'Strict', 'Lax' or 'None', not 'loose'"):
        SessionCookie(samesite="loose")
