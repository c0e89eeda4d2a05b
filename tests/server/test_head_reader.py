from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.server.head_reader import HeadReader
from gateway.server.limits import Limits
from gateway.server.refusal import Refusal

HOST = b"Host: a\r\n"


def head(line: bytes = b"GET / HTTP/1.1", fields: bytes = HOST) -> bytes:
    return line + b"\r\n" + fields + b"\r\n"


def refused(data: bytes, limits: Limits | None = None) -> int:
    with pytest.raises(Refusal) as caught:
        HeadReader(limits or Limits()).read(data)
    return caught.value.status


def test_reads_a_head() -> None:
    request = HeadReader(Limits()).read(
        head(b"GET /a/b%20c?q=1?2 HTTP/1.1", b"HOST: a:80\r\nX-Y:\t v w \t\r\nx-y: z\r\n")
    )
    assert (request.method, request.path, request.query) == ("GET", b"/a/b%20c", b"q=1?2")
    # Names in lower case, order and repetition kept, white space around values gone (RFC 9112 5.1).
    assert request.fields == [(b"host", b"a:80"), (b"x-y", b"v w"), (b"x-y", b"z")]
    assert (request.length, request.keep_alive, request.http_1_0) == (0, True, False)


@pytest.mark.parametrize(
    "line",
    [
        b"GET  / HTTP/1.1",
        b"GET /  HTTP/1.1",
        b"GET / HTTP/1.1 ",
        b"GET /a b HTTP/1.1",
        b"GET\t/ HTTP/1.1",
        b"GET /",
        b"GET",
        b"GET / http/1.1",
        b"GET / HTTP/1.10",
        b"GET / HTTP/11",
        b"GET / RTSP/1.0",
        b"SOURCE / ICE/1.0",
        b"get / HTTP/1.1",
        b"G@T / HTTP/1.1",
        b"GET /\x01 HTTP/1.1",
        b"GET /\x7f HTTP/1.1",
        b"GET /\x00 HTTP/1.1",
        b"GET /a\tb HTTP/1.1",
        b"GET / HTTP/1.1\r",
        b"GET / HTTP/1.1\n",
        # llhttp sees a request of HTTP/0.9 here, and a field.
        b"GET /\nX-A:b HTTP/1.1",
        b"GET /?a\nX-A:b HTTP/1.1",
        b"GET /?a\rX-A:b HTTP/1.1",
    ],
)
def test_a_request_line_is_three_things_with_one_space_each(line: bytes) -> None:
    # RFC 9112 3. A lower-case method is a token, so it is one that is not known rather than one that is malformed.
    assert refused(head(line)) == (501 if line.startswith(b"get") else 400)


@pytest.mark.parametrize("version", [b"HTTP/2.0", b"HTTP/1.2", b"HTTP/0.9", b"HTTP/3.0"])
def test_other_versions_are_505(version: bytes) -> None:
    assert refused(head(b"GET / " + version)) == 505


def test_a_method_nobody_knows_is_501() -> None:
    # RFC 9110 9.1.
    assert refused(head(b"FROBNICATE / HTTP/1.1")) == 501


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"PROPFIND"])
def test_methods_that_pass(method: bytes) -> None:
    assert HeadReader(Limits()).read(head(method + b" / HTTP/1.1")).method == method.decode()


@pytest.mark.parametrize(
    "field",
    [
        b"X : a\r\n",
        b" X: a\r\n",
        b": a\r\n",
        b"X\r\n",
        b"X: a\r\n b\r\n",  # obs-fold, RFC 9112 5.2
        b"X: a\n",
        b"X: a\rb\r\n",
        b"X: a\0b\r\n",
        b"X: a\x01b\r\n",
        b"X: a\x7fb\r\n",
        b"X\xff: a\r\n",
        b"X(: a\r\n",
        b"X\ty: a\r\n",
    ],
)
def test_malformed_fields_are_refused(field: bytes) -> None:
    assert refused(head(fields=HOST + field)) == 400
    assert refused(head(fields=field + HOST)) == 400


def test_bytes_beyond_ascii_pass() -> None:
    request = HeadReader(Limits()).read(head(b"GET /caf\xc3\xa9?\xff HTTP/1.1", HOST + b"X: \xe9\r\n"))
    assert (request.path, request.query) == (b"/caf\xc3\xa9", b"\xff")
    assert request.fields[-1] == (b"x", b"\xe9")


def test_bytes_beyond_ascii_hide_nothing() -> None:
    assert refused(head(b"GET /\xff\x01 HTTP/1.1")) == 400
    assert refused(head(b"GET /\xff HTTP/1.1", HOST + b"X : a\r\n")) == 400


@pytest.mark.parametrize(
    "value",
    [b"+5", b"-5", b"5 5", b"5,5", b"0x5", b"", b"1_0", b"\x0b5", b"99999999999999999999", b"5\r\nContent-Length: 5"],
)
def test_a_content_length_is_digits_and_single(value: bytes) -> None:
    # RFC 9112 6.3. Also two that agree: the next server in line may see them joined by a comma.
    assert refused(head(b"POST / HTTP/1.1", HOST + b"Content-Length: " + value + b"\r\n")) == 400


@pytest.mark.parametrize(
    ("value", "length"), [(b"5", 5), (b"005", 5), (b"5 ", 5), (b"18446744073709551615", 2**64 - 1)]
)
def test_content_length(value: bytes, length: int) -> None:
    request = HeadReader(Limits()).read(head(b"POST / HTTP/1.1", HOST + b"Content-Length: " + value + b"\r\n"))
    assert request.length == length


@pytest.mark.parametrize(
    "value", [b"chunked, gzip", b"chunked, chunked", b"", b"\x0bchunked", b"chunked\r\nTransfer-Encoding: chunked"]
)
def test_transfer_encodings_without_a_meaning_are_400(value: bytes) -> None:
    assert refused(head(b"POST / HTTP/1.1", HOST + b"Transfer-Encoding: " + value + b"\r\n")) == 400


@pytest.mark.parametrize("value", [b"gzip, chunked", b"gzip,chunked", b"identity", b"xchunked", b"chunked;q=1"])
def test_transfer_encodings_that_are_not_understood(value: bytes) -> None:
    # RFC 9112 6.1. llhttp refuses by itself those that do not end in chunked: their length cannot be told.
    assert refused(head(b"POST / HTTP/1.1", HOST + b"Transfer-Encoding: " + value + b"\r\n")) in (400, 501)


@pytest.mark.parametrize("lengths", [b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"])
def test_both_lengths_are_refused_in_any_order(lengths: bytes) -> None:
    one, other = lengths.splitlines(keepends=True)
    assert refused(head(b"POST / HTTP/1.1", HOST + one + other)) == 400
    assert refused(head(b"POST / HTTP/1.1", HOST + other + one)) == 400


def test_limits() -> None:
    limits = Limits(request_line=100, head=1000, fields=5)
    line = b"GET /" + b"a" * 85 + b" HTTP/1.1"
    assert len(line) == 99
    assert HeadReader(limits).read(head(line)).path == b"/" + b"a" * 85
    assert refused(head(line.replace(b"/a", b"/aaa")), limits) == 414
    assert refused(head(fields=HOST + b"X: " + b"a" * 1000 + b"\r\n"), limits) == 431
    assert HeadReader(limits).read(head(fields=HOST + b"X: a\r\n" * 4)).fields[4] == (b"x", b"a")
    assert refused(head(fields=HOST + b"X: a\r\n" * 5), limits) == 431


GOOD = [
    (head(), 0),
    (head(b"POST / HTTP/1.1", HOST + b"Content-Length: 7\r\n"), 7),
    (head(b"POST / HTTP/1.1", HOST + b"Transfer-Encoding: Chunked\r\n"), -1),
    (head(fields=HOST + b"Connection: close\r\n"), 0),
    (head(b"GET / HTTP/1.0", b""), 0),
    (head(fields=HOST + b"Connection: upgrade\r\nUpgrade: h2c\r\n"), 0),
    (head(b"GET /\xff HTTP/1.1"), 0),
]
BAD = [
    head(fields=b""),
    head(b"GET / HTTP/2.0"),
    head(b"POST / HTTP/1.1", HOST + b"Content-Length: 7\r\nExpect: x\r\n"),
    head(b"CONNECT a:1 HTTP/1.1"),
    head(b"FOO / HTTP/1.1"),
    head(fields=HOST + b"X: a\n"),
    head(b"POST / HTTP/1.1", b"Content-Length: 7\r\n"),
    head(b"GET / RTSP/1.0"),
]


@given(st.lists(st.sampled_from([*range(len(GOOD)), *BAD]), max_size=12))
def test_no_head_leaves_anything_behind_for_the_next(heads: list[int | bytes]) -> None:
    # The connections of a server share one reader.
    reader = HeadReader(Limits())
    for item in heads:
        if isinstance(item, int):
            data, length = GOOD[item]
            request = reader.read(data)
            assert request.length == length
            assert len(request.fields) == data.count(b": ")
        else:
            with pytest.raises(Refusal):
                reader.read(item)


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    data = data.replace(b"\r\n\r\n", b"") + b"\r\n\r\n"
    if data[0] < ord("A"):
        data = b"G" + data
    with contextlib.suppress(Refusal):
        request = HeadReader(Limits()).read(data)
        assert data.startswith(request.method.encode() + b" ")
