from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.server.limits import Limits
from gateway.server.refusal import Refusal
from gateway.server.request_body import Body, ChunkedBody, SizedBody, body_of
from gateway.server.request_head import CHUNKED


def feed(body: Body, pieces: list[bytes]) -> tuple[bytes, bytes | None]:
    """All content, and what follows the body: None if it has not ended."""
    content = b""
    for index, piece in enumerate(pieces):
        part, rest = body.feed(piece)
        content += part
        if rest is not None:
            return content, rest + b"".join(pieces[index + 1 :])
    return content, None


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges) if a < b]


def chunked(data: bytes, limits: Limits | None = None) -> tuple[bytes, bytes | None]:
    return feed(ChunkedBody(limits or Limits()), [data])


def test_a_chunked_body_that_becomes_too_long_is_refused_before_its_chunk_is_read() -> None:
    body = ChunkedBody(Limits())
    assert body.limit(8)
    assert body.feed(b"5\r\nhello\r\n3\r\nabc\r\n") == (b"helloabc", None)
    with pytest.raises(Refusal, match="longer than 8 bytes") as refused:
        body.feed(b"1\r\n")
    assert (refused.value.status, refused.value.reason) == (413, "body_too_large")


def test_a_chunked_body_may_be_too_long_when_its_limit_comes() -> None:
    body = ChunkedBody(Limits())
    # What is announced counts, of which one byte has come.
    body.feed(b"9\r\nh")
    assert body.limit(9)
    assert not body.limit(8)


PLACES = st.lists(st.integers(0, 10_000), max_size=30)


@given(st.binary(min_size=1, max_size=100), st.binary(max_size=20), PLACES)
def test_a_sized_body_ends_after_its_bytes(content: bytes, behind: bytes, places: list[int]) -> None:
    assert feed(SizedBody(len(content)), cut(content + behind, places)) == (content, behind)


@given(
    st.lists(st.tuples(st.binary(min_size=1, max_size=50), st.sampled_from([b"", b";a", b';a="b c"', b"; a = 1"]))),
    st.lists(st.sampled_from([b"X: y\r\n", b"Host: evil\r\n", b"A:\r\n"]), max_size=3),
    st.binary(max_size=20),
    PLACES,
)
def test_a_chunked_body_is_read_however_it_is_cut(
    chunks: list[tuple[bytes, bytes]], trailers: list[bytes], behind: bytes, places: list[int]
) -> None:
    encoded = b"".join(b"%x%b\r\n%b\r\n" % (len(chunk), extension, chunk) for chunk, extension in chunks)
    encoded += b"0\r\n" + b"".join(trailers) + b"\r\n"
    expected = b"".join(chunk for chunk, _ in chunks)
    # Where a piece ends just behind the body, nothing of what follows has come.
    assert feed(ChunkedBody(Limits()), cut(encoded + behind, places)) == (expected, behind)


@pytest.mark.parametrize(
    "data", [b"5\r\nhello\r\n0\r\n\r\n", b"005\r\nhello\r\n000\r\n\r\n", b"A\r\nhellohello\r\n0\r\n\r\n"]
)
def test_sizes_in_hexadecimal(data: bytes) -> None:
    assert chunked(data) == (b"hello" * (data.count(b"hello")), b"")


@pytest.mark.parametrize(
    "data",
    [
        b"+5\r\nhello",
        b"-5\r\nhello",
        b"0x5\r\nhello",
        b" 5\r\nhello",
        b"5 \r\nhello",
        b"5_0\r\nhello",
        b"g\r\n",
        b"\r\n",
        b";a\r\n",
        b"5\nhello",
        b"5\rhello",
        b"5;\n\r\nhello",
        b"5;\x00\r\nhello",
        b"5;a\rb\r\nhello",
        b"5\r\nhelloX\r\n",
        b"5\r\nhello\n",
        b"5\r\nhello\rX",
        b"5\r\nhelloXX",
        b"f" * 17 + b"\r\n",
        b"5;" + b"a" * 300 + b"\r\nhello",
        b"5;" + b"a" * 300,
        b"0\r\nX\r\n\r\n",
        b"0\r\n X: y\r\n\r\n",
        b"0\r\nX: y\nZ: a\r\n\r\n",
        b"0\r\nX : y\r\n\r\n",
        b"0\r\n\n",
        b"0\r\nX: \0\r\n\r\n",
    ],
)
@pytest.mark.parametrize("piecemeal", [False, True])
def test_garbage_is_refused(data: bytes, piecemeal: bool) -> None:
    with pytest.raises(Refusal) as caught:
        feed(ChunkedBody(Limits()), [bytes([byte]) for byte in data] if piecemeal else [data])
    assert caught.value.status == 400


@pytest.mark.parametrize("trailers", [b"X: y\r\n" * 20, b"X: " + b"y" * 100 + b"\r\n", b"X: " + b"y" * 200])
def test_trailers_are_bounded(trailers: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        chunked(b"0\r\n" + trailers, Limits(trailers=100))
    assert caught.value.status == 431


def test_what_has_not_ended() -> None:
    assert chunked(b"5\r\nhel") == (b"hel", None)
    assert chunked(b"5\r\nhello\r") == (b"hello", None)
    assert chunked(b"5\r\nhello\r\n0\r\n") == (b"hello", None)
    assert feed(SizedBody(3), [b"ab"]) == (b"ab", None)


def test_what_is_left() -> None:
    sized = SizedBody(10)
    sized.feed(b"abc")
    assert sized.left == 7
    chunks = ChunkedBody(Limits())
    assert chunks.left == 0
    chunks.feed(b"a\r\nabc")
    assert chunks.left == 7


def test_body_of() -> None:
    assert isinstance(body_of(CHUNKED, Limits()), ChunkedBody)
    assert isinstance(body_of(1, Limits()), SizedBody)
