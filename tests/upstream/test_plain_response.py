"""What is read without the parser is what the parser would have read."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.http1.field import Field
from gateway.http1.field_name import FieldName
from gateway.upstream import plain_response, response
from gateway.upstream.failure import UpstreamError
from gateway.upstream.plain_response import read_plain
from gateway.upstream.response import ResponseReader

STATUS_LINES = st.sampled_from(
    [
        *(b"HTTP/1.1 200 OK", b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified", b"HTTP/1.1 404 "),
        *(b"HTTP/1.1 200", b"HTTP/1.1  200 OK", b"HTTP/1.0 200 OK", b"HTTP/1.1 100 Continue", b"HTTP/1.1 101 x"),
        *(b"http/1.1 200 OK", b"HTTP/1.1 600 x", b"HTTP/1.1 2000 x", b"HTTP/1.1 200\tOK", b"HTTP/1.1 500 \xe9"),
        *(b"HTTP/1.1 200 a\x00b", b"HTTP/1.1 205 Reset", b"ICE/1.1 200 OK", b"HTTP/1.1 20 x"),
    ]
)
NAMES = st.sampled_from(
    [
        *(b"Content-Length", b"content-length", b"Transfer-Encoding", b"Connection", b"Date", b"Server", b"Set-Cookie"),
        *(b"Location", b"X-A", b"X_A", b"Keep-Alive", b"Upgrade", b"TE", b"Trailer", b"Expect", b"Max-Forwards"),
        *(b"Proxy-Authenticate", b"", b"a b", b"\xe9", b"a\x00", b" folded", b"!#$%&'*+.^_`|~"),
    ]
)
VALUES = st.one_of(
    st.sampled_from(
        [
            *(b"0", b"2", b"5", b"05", b"+2", b"2, 2", b"-1", b"0x2", b"99999999999999999999", b"", b" ", b"\t2\t"),
            *(b"chunked", b"close", b"Close", b"keep-alive", b"Keep-Alive, close", b"X-A", b"upgrade", b"a\x00b"),
            *(b"a\x01b", b"a\x7fb", b"caf\xe9", b"a\rb", b"a\nb", b"text/html; charset=utf-8", b" a  b ", b"x" * 200),
        ]
    ),
    st.binary(max_size=6),
)
COLONS = st.sampled_from([b": ", b":", b":  ", b":\t", b" : ", b""])
LINES = st.builds(lambda name, colon, value: name + colon + value, NAMES, COLONS, VALUES)
USUAL = st.sampled_from([b"Content-Length: 2", b"Content-Type: text/plain", b"Connection: keep-alive", b"Server: a"])
HEADS = st.builds(
    lambda first, lines, end: b"\r\n".join((first, *lines)) + end,
    STATUS_LINES,
    st.lists(st.one_of(USUAL, USUAL, LINES), max_size=5),
    st.sampled_from([b"\r\n\r\n", b"\r\n\r\n", b"\r\n\r\n", b"\n\n", b"\r\n \r\n\r\n"]),
)
CONTENT = st.sampled_from([b"", b"hi", b"h", b"hi!", b"HTTP/1.1 200 OK\r\n\r\n", b"2\r\nhi\r\n0\r\n\r\n"])


def outcome(data: bytes, then: bytes, *, bodiless: bool) -> Any:
    reader = ResponseReader()
    reader.begin(bodiless=bodiless)
    try:
        reader.feed(data)
        if then and not reader.complete:
            reader.feed(then)
    except UpstreamError as error:
        # What the parser says of it is for the log, and depends on where it has noticed.
        return error.failure
    ended = reader.complete or (reader.head_complete and reader.end())
    fields = [(name.spelling, value) for name, value in reader.fields if isinstance(name, FieldName)]
    assert len(fields) == len(reader.fields)
    content = b"".join(reader.content)
    return reader.status, fields, reader.has_places, content, reader.content_size, ended, reader.reusable and ended


@given(HEADS, CONTENT, CONTENT, st.booleans())
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n", b"hi", b"", False)
@example(b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", b"hi", b"", False)
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", b"", b"", False)
@example(b"HTTP/1.1 200 OK\r\nUpgrade: x\r\nConnection: upgrade\r\nContent-Length: 0\r\n\r\n", b"", b"", False)
@example(b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n", b"", b"", True)
def test_the_shorter_way_and_the_parser_agree(head: bytes, content: bytes, then: bytes, bodiless: bool) -> None:
    found = outcome(head + content, then, bodiless=bodiless)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(response, "read_plain", lambda _: None)
        assert outcome(head + content, then, bodiless=bodiless) == found


def test_the_usual_head_needs_no_parser() -> None:
    head = b"HTTP/1.1 200 OK\r\nDate: now\r\nX-A:  b \r\nset-cookie: a=b\r\nContent-Length: 12\r\nConnection: close"
    for _ in range(2):
        found = read_plain(head)
    assert found is not None
    assert (found.status, found.length, found.close, found.places) == (200, 12, True, True)
    lines = [field.line for field in found.fields if isinstance(field, Field)]
    assert lines == [b"\r\nDate: now", b"\r\nX-A: b", b"\r\nset-cookie: a=b", b"\r\nContent-Length: 12"]


def test_invented_lines_do_not_fill_the_memory() -> None:
    for number in range(3000):
        assert read_plain(b"HTTP/1.1 200 %d\r\nX: %d\r\nY: " % (number, number) + b"y" * 5000) is not None
    assert len(plain_response._LINES) <= 1024
    assert len(plain_response._STATUS) <= 1024
    assert max(map(len, plain_response._LINES)) <= 128
    for number in range(1000):
        assert read_plain(b"HTTP/1.1 200 OK\r\nETag: %d" % number) is not None
    assert len(plain_response._HEADS) <= 256


def test_a_field_is_copied_as_a_plain_pair() -> None:
    field = Field(FieldName(b"X-A"), b"b")
    for copied in (copy.copy(field), copy.deepcopy(field), pickle.loads(pickle.dumps(field))):
        assert type(copied) is tuple
        assert copied == field == (b"x-a", b"b")
