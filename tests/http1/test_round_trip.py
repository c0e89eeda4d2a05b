"""What is read on one side is written on the other as it came: order, repetition, spelling and values."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.http1.field_name import PLAIN, FieldName
from gateway.server.head_reader import HeadReader
from gateway.server.limits import Limits
from gateway.server.response_head import DefaultFields, write_head
from gateway.upstream.headers import write_request
from gateway.upstream.response import ResponseReader

# Names that go on whatever their values are: those that do not have tests of their own, rule by rule.
NAMES = (
    st.text("aAbBxX-09!'~", min_size=1, max_size=12)
    | st.sampled_from(["X-CusTom", "x-custom", "sec-ch-ua", "Cookie", "SET-COOKIE", "ETag", "WWW-Authenticate", "DNT"])
).map(str.encode)
PLAIN_NAMES = NAMES.filter(lambda name: FieldName(name).kind == PLAIN)
VALUES = st.text('a0 ,;="\t\xe9', max_size=12).map(lambda text: text.encode("latin-1").strip(b" \t"))
FIELDS = st.lists(st.tuples(PLAIN_NAMES, VALUES), max_size=12)


def lines(fields: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%b: %b\r\n" % field for field in fields)


@given(FIELDS)
def test_a_request(fields: list[tuple[bytes, bytes]]) -> None:
    head = b"GET / HTTP/1.1\r\nHOST: a\r\n" + lines(fields)
    request = HeadReader(Limits()).read(head + b"\r\n")
    assert request.fields == [(b"host", b"a"), *((name.lower(), value) for name, value in fields)]
    written = write_request("GET", b"/", "1.1", request.fields).text
    assert written == head + b"Via: 1.1 strangler-gateway"


@given(FIELDS)
def test_a_response(fields: list[tuple[bytes, bytes]]) -> None:
    reader = ResponseReader()
    reader.begin(bodiless=True)
    head = b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 5\r\nDATE: now\r\n" + lines(fields)
    reader.feed(head + b"\r\n")
    parts, length, _ = write_head(reader.status, reader.fields, DefaultFields([(b"date", b"then")]))
    assert b"".join(parts) + b"\r\n" == head
    assert length == 5


@given(FIELDS)
def test_names_of_another_server_go_on_in_lower_case(fields: list[tuple[bytes, bytes]]) -> None:
    plain = [(name.lower(), value) for name, value in fields]
    written = write_request("GET", b"/", "1.1", plain).text
    assert written == b"GET / HTTP/1.1\r\n" + lines(plain) + b"Via: 1.1 strangler-gateway"
    assert b"".join(write_head(200, plain, DefaultFields([]))[0]) + b"\r\n" == b"HTTP/1.1 200 OK\r\n" + lines(plain)
