"""However the bytes of a connection are cut into reads, the same requests get the same answers."""

from __future__ import annotations

import asyncio
import gc
import itertools
import weakref

from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from gateway.server.exchange import Exchange
from tests.server.serving import answer, whole_body
from tests.server.wire import connected


async def mirror(scope: Scope, receive: Receive, send: Send) -> None:
    body = await whole_body(receive)
    await asyncio.sleep(0)
    await answer(send, scope["method"].encode() + scope["raw_path"] + b":" + body)


async def talk(pieces: list[bytes]) -> bytes:
    door, wire = connected(mirror)
    for piece in pieces:
        # A paused transport gives nothing until the answer has made room.
        while not wire.reading:
            await asyncio.sleep(0)
        door.data_received(piece)
    for _ in range(400):
        await asyncio.sleep(0)
    door.connection_lost(None)
    return wire.written


def request(kind: str, path: bytes, body: bytes) -> bytes:
    if kind == "GET":
        return b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % path
    head = b"POST /%b HTTP/1.1\r\nHost: a\r\n" % path
    if kind == "sized":
        return head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    chunks = b"".join(b"1;x\r\n%c\r\n" % byte for byte in body)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nHost: b\r\n\r\n"


def bodies(written: bytes) -> list[bytes]:
    found = []
    while written:
        head, _, written = written.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        found.append(written[:length])
        written = written[length:]
    return found


REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(["GET", "sized", "chunked"]),
        st.sampled_from([b"", b"a", b"b/c"]),
        st.binary(max_size=12) | st.sampled_from([b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"]),
    ),
    min_size=1,
    max_size=6,
)


@given(REQUESTS, st.lists(st.integers(0, 100_000), max_size=25))
@settings(deadline=None, max_examples=60)
def test_requests_are_found_and_answered_in_order_however_they_are_cut(
    requests: list[tuple[str, bytes, bytes]], places: list[int]
) -> None:
    data = b"".join(request(*each) for each in requests)
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(edges) if a < b]
    expected = [b"GET/%b:" % path if kind == "GET" else b"POST/%b:%b" % (path, body) for kind, path, body in requests]
    assert bodies(asyncio.run(talk(pieces))) == expected


async def test_an_exchange_is_freed_without_the_garbage_collector() -> None:
    exchanges: list[weakref.ref[Exchange]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        exchanges.append(weakref.ref(receive.__self__))  # type: ignore[attr-defined]
        await mirror(scope, receive, send)

    gc.collect()
    gc.disable()
    try:
        door, wire = connected(app)
        for kind in ("GET", "sized", "chunked"):
            door.data_received(request(kind, b"a", b"hello"))
            while wire.written.count(b"HTTP/1.1 200") < len(exchanges) or door.exchange is not None:
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [exchange() for exchange in exchanges] == [None] * 3
    finally:
        gc.enable()
    door.connection_lost(None)
