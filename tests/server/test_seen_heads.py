"""A head whose fields have come before is read as if they had not."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.http1.field_name import FieldName
from gateway.http1.seen import Seen
from gateway.server.head_reader import HeadReader
from gateway.server.limits import Limits
from gateway.server.refusal import Refusal

METHODS = st.sampled_from([b"GET", b"HEAD", b"POST", b"OPTIONS", b"CONNECT", b"TRACE", b"BREW", b"get", b""])
TARGETS = st.one_of(
    st.sampled_from([b"/", b"/a?b", b"*", b"http://b/c", b"/a#b", b"//a", b"a", b"/a b", b"/\xe9", b"/\x00", b""]),
    st.binary(max_size=4).map(lambda some: b"/" + some),
)
FIELDS = st.sampled_from(
    [
        *(b"Host: a", b"Host: b", b"Host: a b", b"Cookie: a=1", b"cookie: a=2", b"Connection: keep-alive", b"A: b"),
        *(b"Connection: close", b"Connection: upgrade", b"Upgrade: websocket", b"Content-Length: 0", b"Expect: 1"),
        *(b"Content-Length: 2", b"Transfer-Encoding: chunked", b"Expect: 100-continue", b"A:\tb ", b"A : b", b" A: b"),
    ]
)
VERSIONS = st.sampled_from([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0"])
BEHIND = st.builds(
    lambda version, fields: b"\r\n".join((version, b"Host: a", *fields)) + b"\r\n\r\n",
    VERSIONS,
    st.lists(FIELDS, max_size=3),
)


def outcome(reader: HeadReader, head: bytes) -> Any:
    try:
        request = reader.read(head)
    except Refusal as refusal:
        return refusal.status, refusal.detail
    lines = [(name.spelling, value) for name, value in request.fields if isinstance(name, FieldName)]
    assert len(lines) == len(request.fields)
    return (
        *(request.method, request.path, request.query, lines, request.length, request.keep_alive),
        *(request.http_1_0, request.expects_continue, request.websocket),
    )


@given(st.lists(st.tuples(METHODS, TARGETS), min_size=1, max_size=6), BEHIND)
@example(
    [(b"POST", b"/"), (b"POST", b"/"), (b"GET", b"/")],
    b"HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
)
def test_what_is_remembered_changes_nothing(lines: list[tuple[bytes, bytes]], behind: bytes) -> None:
    remembering = HeadReader(Limits())
    for method, target in [(b"GET", b"/"), (b"GET", b"/"), *lines]:
        head = b"%b %b %b" % (method, target, behind)
        assert outcome(remembering, head) == outcome(HeadReader(Limits()), head)


def test_fields_are_remembered_from_the_second_time_on() -> None:
    reader = HeadReader(Limits())
    head = b"GET /%d HTTP/1.1\r\nHost: a\r\nCookie: %d\r\n\r\n"
    kinds = [type(reader.read(head % (number, 1)).fields) for number in range(3)]
    assert kinds == [list, list, Seen]
    third, fourth = (reader.read(head % (0, 1)) for _ in range(2))
    assert third.fields is fourth.fields
    assert reader.read(head % (0, 2)).fields != third.fields


def test_a_line_that_is_too_long_is_refused_whatever_follows() -> None:
    limits = Limits()
    reader = HeadReader(limits)
    for _ in range(3):
        reader.read(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert outcome(reader, b"GET /" + b"a" * limits.request_line + b" HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 414


def test_clients_that_never_say_the_same_twice_do_not_fill_the_memory() -> None:
    reader = HeadReader(Limits())
    for number in range(5000):
        for _ in range(1 + number % 2):
            reader.read(b"GET / HTTP/1.1\r\nHost: a\r\nX: %d\r\n\r\n" % number)
    assert len(reader._seen) <= 1024
    assert len(reader._once) <= 4096
