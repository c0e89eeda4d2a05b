"""Reading responses: what is valid, where each ends, and what must never be believed."""

from __future__ import annotations

import pytest

from gateway.upstream.failure import Failure, UpstreamError
from gateway.upstream.response import ResponseReader

LINE = b"HTTP/1.1 200 OK\r\n"


def read(*parts: bytes, bodiless: bool = False) -> ResponseReader:
    reader = ResponseReader()
    reader.begin(bodiless=bodiless)
    for part in parts:
        reader.feed(part)
    return reader


def by_byte(data: bytes, **options: bool) -> ResponseReader:
    return read(*(data[index : index + 1] for index in range(len(data))), **options)


def content(reader: ResponseReader) -> bytes:
    return b"".join(reader.content)


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (LINE + b"Content-Length: 5\r\n\r\nhello", b"hello"),
        (LINE + b"Content-Length: 0\r\n\r\n", b""),
        (LINE + b'Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;ext="1"\r\nlo\r\n0\r\n\r\n', b"hello"),
        (LINE + b"Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", b""),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", b""),
    ],
)
def test_a_whole_response_leaves_the_connection_reusable(raw: bytes, body: bytes) -> None:
    for reader in (read(raw), by_byte(raw)):
        assert (content(reader), reader.complete, reader.reusable) == (body, True, True)


@pytest.mark.parametrize(
    "fields", [b"Content-Length: 99\r\n", b"Transfer-Encoding: chunked\r\n", b"", b"Content-Length: 0\r\n"]
)
def test_the_answer_to_head_has_no_content_whatever_it_says(fields: bytes) -> None:
    for reader in (read(LINE + fields + b"\r\n", bodiless=True), by_byte(LINE + fields + b"\r\n", bodiless=True)):
        assert (content(reader), reader.complete, reader.reusable) == (b"", True, True)
        reader.begin(bodiless=False)
        reader.feed(LINE + b"Content-Length: 2\r\n\r\nhi")
        assert (content(reader), reader.complete) == (b"hi", True)


def test_content_after_the_answer_to_head_spoils_the_connection() -> None:
    reader = read(LINE + b"Content-Length: 2\r\n\r\nhi", bodiless=True)
    assert (content(reader), reader.complete, reader.reusable) == (b"", True, False)


def test_without_a_length_the_end_of_the_connection_ends_it() -> None:
    reader = read(LINE + b"\r\nab", b"cd")
    assert (content(reader), reader.complete) == (b"abcd", False)
    assert reader.end()
    assert (reader.complete, reader.reusable) == (True, False)


@pytest.mark.parametrize(
    "raw",
    [
        LINE + b"A: b\r\n",
        LINE + b"Content-Length: 5\r\n\r\nhell",
        LINE + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
)
def test_a_response_that_is_cut_off_is_not_whole(raw: bytes) -> None:
    assert not read(raw).end()


@pytest.mark.parametrize("field", [b"Connection: close", b"Connection: x, Close"])
def test_who_says_close_is_not_asked_again(field: bytes) -> None:
    assert not read(LINE + field + b"\r\nContent-Length: 0\r\n\r\n").reusable
    assert not read(LINE + field + b"\r\n\r\n", bodiless=True).reusable


def test_http_1_0_is_understood_and_not_asked_again() -> None:
    reader = read(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi")
    assert (content(reader), reader.complete, reader.reusable) == (b"hi", True, False)


def test_long_content_passes_in_the_pieces_it_came_in() -> None:
    part = bytes(100_000)
    reader = read(LINE + b"Content-Length: 200000\r\n\r\n", part, part)
    assert [id(piece) for piece in reader.content] == [id(part)] * 2
    assert (reader.complete, reader.reusable) == (True, True)
    reader.begin(bodiless=False)
    reader.feed(LINE + b"Content-Length: 2\r\n\r\nhi")
    assert (content(reader), reader.complete, reader.reusable) == (b"hi", True, True)


@pytest.mark.parametrize(
    "parts",
    [
        (LINE + b"Content-Length: 2\r\n\r\nhi!",),
        (LINE + b"Content-Length: 2\r\n\r\nh", b"i!"),
        (LINE + b"Content-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",),
        (LINE + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nH",),
        (LINE + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi!",),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi",),
    ],
)
def test_what_follows_the_end_belongs_to_nothing(parts: tuple[bytes, ...]) -> None:
    reader = read(*parts)
    assert (reader.complete, reader.reusable) == (True, False)
    assert content(reader) in (b"", b"hi")


def test_fields_keep_their_order_repetition_and_values_and_names_are_in_lower_case() -> None:
    reader = read(LINE + b"Set-Cookie: a=1; Path=/\r\nX-B:  Two  \r\nset-cookie: b=2, c\r\nContent-Length: 0\r\n\r\n")
    assert reader.fields == [
        (b"set-cookie", b"a=1; Path=/"), (b"x-b", b"Two"), (b"set-cookie", b"b=2, c"), (b"content-length", b"0"),
    ]  # fmt: skip


def test_hop_by_hop_fields_and_those_named_in_connection_end_here() -> None:
    raw = b"X-Hop: 1\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nX-End: 2\r\n"
    raw += b"Upgrade: h2c\r\nTrailer: X-T\r\nProxy-Authenticate: Basic\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert read(LINE + raw).fields == [(b"x-end", b"2")]


def test_connection_cannot_take_away_a_cookie_or_the_length() -> None:
    reader = read(LINE + b"Connection: Set-Cookie, Content-Length\r\nSet-Cookie: a\r\nContent-Length: 0\r\n\r\n")
    assert reader.fields == [(b"set-cookie", b"a"), (b"content-length", b"0")]


def test_interim_responses_are_no_answer() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x-hop\r\n\r\n"
    raw = interim + b"HTTP/1.1 100 Continue\r\n\r\n" + interim + LINE + b"A: b\r\nContent-Length: 1\r\n\r\nx"
    for reader in (read(raw), by_byte(raw)):
        assert (reader.status, reader.fields) == (200, [(b"a", b"b"), (b"content-length", b"1")])
        assert (content(reader), reader.go_ahead, reader.complete, reader.reusable) == (b"x", True, True, True)


@pytest.mark.parametrize("status", [b"000", b"078", b"099"])
def test_a_status_below_100_is_none(status: bytes) -> None:
    # llhttp reads content behind it: taken for an interim response, it would put that before the answer's own.
    with pytest.raises(UpstreamError) as caught:
        read(b"HTTP/1.1 %b x\r\nContent-Length: 4\r\n\r\nevil" % status + LINE + b"Content-Length: 0\r\n\r\n")
    assert caught.value.failure is Failure.BAD_HEAD


def test_trailers_are_read_and_dropped() -> None:
    reader = read(LINE + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nSet-Cookie: a=1\r\nX-T: 1\r\n\r\n")
    assert (reader.fields, reader.complete, reader.reusable) == ([], True, True)


@pytest.mark.parametrize(
    "raw",
    [
        b"hello\n",
        b"\r\n" + LINE + b"Content-Length: 0\r\n\r\n",
        b"HTTP/0.9 200 OK\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.2 200 OK\r\n\r\n",
        b"RTSP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 99 Low\r\n\r\n",
        b"HTTP/1.1 2000 High\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n" + LINE + b"Content-Length: 0\r\n\r\n",
        LINE + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        LINE + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        LINE + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        LINE + b"Content-Length: 5, 6\r\n\r\n",
        LINE + b"Content-Length: +5\r\n\r\n",
        LINE + b"Content-Length: 99999999999999999999999\r\n\r\n",
        LINE + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        LINE + b"Transfer-Encoding: gzip\r\n\r\n",
        LINE + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        LINE + b"A: b\0c\r\n\r\n",
        LINE + b"A: b\x01c\r\n\r\n",
        LINE + b"A: b\rc\r\n\r\n",
        LINE + b"A: b\r\n folded\r\n\r\n",
        LINE + b"A : b\r\n\r\n",
        LINE + b"no colon\r\n\r\n",
        LINE + b": no name\r\n\r\n",
        b"HTTP/1.1 200 OK\nA: b\n\n",
        LINE + b"A: " + b"b" * 70_000 + b"\r\n\r\n",
        LINE + b"A: " + b"b" * 70_000,
        LINE + b"A: b\r\n" * 129 + b"\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 4000,
    ],
)  # fmt: skip
def test_what_is_no_valid_head_is_refused(raw: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        read(*(raw[start : start + 8192] for start in range(0, len(raw), 8192)))
    assert caught.value.failure is Failure.BAD_HEAD


@pytest.mark.parametrize(
    "raw",
    [
        *(b"-5\r\nhello\r\n", b"5\nhello", b"3\r\nhello\r\n", b"g\r\n", b"5" * 30 + b"\r\n"),
        *(b"1\r\nx\r\n0\r\nA b\r\n\r\n", b"0\r\n" + b"A: b\r\n" * 200, b"0\r\nA: " + b"b" * 70_000),
        b"5;" + b"x" * 70_000,
    ],
)
def test_what_is_no_valid_content_is_refused(raw: bytes) -> None:
    head = LINE + b"Transfer-Encoding: chunked\r\n\r\n"
    with pytest.raises(UpstreamError) as caught:
        read(head, *(raw[start : start + 8192] for start in range(0, len(raw), 8192)))
    assert caught.value.failure is Failure.BAD_BODY


@pytest.mark.parametrize(
    "raw",
    [
        LINE + b"A: " + b"b" * 70_000 + b"\r\nContent-Length: 2\r\n\r\nhi",
        LINE + b"A: b\r\n" * 129 + b"\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_a_head_that_is_refused_is_never_shown(raw: bytes) -> None:
    """Nor where it has come in one piece. It was shown, and the client's answer had begun before it was refused."""
    for bodiless in (False, True):
        reader = ResponseReader()
        reader.begin(bodiless=bodiless)
        with pytest.raises(UpstreamError):
            reader.feed(raw)
        assert (reader.head_complete, reader.complete) == (False, False)


def test_a_head_of_64_kib_is_read() -> None:
    big = b"A: " + b"b" * 60_000 + b"\r\n"
    assert read(LINE + big + b"Content-Length: 100000\r\n\r\n" + bytes(100_000)).complete
