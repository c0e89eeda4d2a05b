from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.json.tag import TaggedJSONSerializer
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from gateway.migrate import tagged_json
from tests.migrate.session_values import values

app = Flask("any")


class InAnApp(TaggedJSONSerializer):
    """Flask's serializer as it works in a request: outside of one it does not sort keys."""

    def dumps(self, value: Any) -> str:
        with app.app_context():
            return super().dumps(value)


flask_json = InAnApp()


@settings(deadline=None)
@given(values)
def test_writes_the_bytes_that_flask_writes(value: Any) -> None:
    assert tagged_json.dumps(value) == flask_json.dumps(value)


@settings(deadline=None)
@given(values)
def test_reads_back_what_it_wrote(value: Any) -> None:
    assert tagged_json.loads(tagged_json.dumps(value)) == value


@settings(deadline=None)
@given(values)
def test_reads_what_flask_wrote_as_flask_does(value: Any) -> None:
    text = flask_json.dumps(value)
    ours, theirs = tagged_json.loads(text), flask_json.loads(text)
    assert ours == theirs
    assert repr(ours) == repr(theirs)  # == alone takes a Markup for a str


odd_json = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=4), st.sampled_from(["QUI=", "not a date"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from([" t", " b", " m", " u", " d", " di", " x", "k"]), inner, max_size=2),
    ),
    max_leaves=6,
).map(json.dumps)


@settings(deadline=None)
@given(odd_json)
def test_odd_tags_are_read_or_refused_as_by_flask(text: str) -> None:
    def outcome(loads: Callable[[str], Any]) -> str:
        try:
            return repr(loads(text))
        except Exception:  # whatever it is, itsdangerous makes BadPayload of it
            return "refused"

    assert outcome(tagged_json.loads) == outcome(flask_json.loads)


def test_a_naive_time_is_taken_as_utc_and_loses_its_microseconds() -> None:
    value = datetime(2024, 5, 6, 7, 8, 9, 999)
    assert tagged_json.dumps(value) == flask_json.dumps(value) == '{" d":"Mon, 06 May 2024 07:08:09 GMT"}'
    assert tagged_json.loads(tagged_json.dumps(value)) == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


@dataclass
class Point:
    x: int
    y: tuple[int, ...]


class HasHtml:
    def __html__(self) -> str:
        return "<b>"


@pytest.mark.parametrize(
    "value",
    [
        date(2024, 5, 6),
        Decimal("1.10"),
        Point(1, (2, 3)),
        HasHtml(),
        {"b": 1, "a": {" t": HasHtml()}},
        {1: "integer keys become text", 2: "as JSON has it"},
        float("nan"),
        "é",
    ],
)
def test_types_without_a_tag_are_written_as_flask_writes_them(value: Any) -> None:
    assert tagged_json.dumps(value) == flask_json.dumps(value)


@pytest.mark.parametrize("value", [object(), {1, 2}, Point, {"a": 1, 2: "keys that do not sort"}])
def test_what_flask_refuses_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        flask_json.dumps(value)
    with pytest.raises(TypeError):
        tagged_json.dumps(value)


def test_types_come_back() -> None:
    value = {"t": (1, [b"\x00"]), "m": Markup("<b>"), "u": UUID(int=5)}
    read = tagged_json.loads(tagged_json.dumps(value))
    assert read == value
    assert {key: type(item) for key, item in read.items()} == {"t": tuple, "m": Markup, "u": UUID}


def test_needs_neither_flask_nor_markupsafe() -> None:
    program = textwrap.dedent("""
        import sys
        for name in ("flask", "werkzeug", "markupsafe", "jinja2"):
            sys.modules[name] = None  # an import of it raises ImportError
        from gateway.migrate import flask_session, tagged_json
        text = '{" m":"<b>"}'
        value = tagged_json.loads(text)
        assert value == "<b>" and value.__html__() == "<b>"
        assert tagged_json.dumps(value) == text
        session = flask_session.FlaskSession(secret_key="k")
        assert session.loads(session.dumps({"a": (1,)})) == {"a": (1,)}
    """)
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
