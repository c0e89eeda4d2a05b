from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.backends.wsgi_inbound import Inbound
from gateway.backends.wsgi_input import READ_AHEAD, BodyPipe, ClientDisconnected, input_stream
from tests.backends.asgi import DISCONNECT, Client, request


def pieces(*bodies: bytes) -> Client:
    return Client([request(body, more=index < len(bodies) - 1) for index, body in enumerate(bodies)])


class Reading:
    """An input stream, read in a thread as an app does."""

    def __init__(self, client: Client, length: int | None = None) -> None:
        self.gone = False
        self.inbound = Inbound(client.receive, self._on_gone)
        self.stream = self.inbound.input(length)

    def _on_gone(self) -> None:
        self.gone = True

    async def __call__(self, method: str, *args: Any) -> Any:
        async with asyncio.timeout(5):
            return await asyncio.to_thread(getattr(self.stream, method), *args)


async def test_nothing_is_received_before_the_app_reads() -> None:
    client = pieces(b"abc")
    reading = Reading(client)
    await asyncio.sleep(0.01)
    assert client.received == 0
    assert await reading("read") == b"abc"
    await reading.inbound.stop()


async def test_reading_piece_by_piece() -> None:
    reading = Reading(pieces(b"one\ntw", b"o\n", b"", b"three\nfour"))
    assert await reading("read", 0) == b""
    assert await reading("readline", 2) == b"on"
    assert await reading("readline") == b"e\n"
    assert await reading("read", 1) == b"t"
    assert await reading("readlines", 1) == [b"wo\n"]
    assert await reading("__next__") == b"three\n"
    assert await reading("read", 100) == b"four"
    assert await reading("read", 100) == b""
    assert await reading("readline") == b""
    assert await reading("readlines") == []
    await reading.inbound.stop()


@pytest.mark.parametrize("limit", [1, 3, 100, -1, None])
async def test_the_first_thing_may_be_a_readline(limit: int | None) -> None:
    # In a2wsgi the first readline(n) returns nothing.
    reading = Reading(pieces(b"first\n", b"second\n"))
    args = () if limit is None else (limit,)
    assert await reading("readline", *args) == io.BytesIO(b"first\nsecond\n").readline(*args)
    await reading.inbound.stop()


async def test_an_empty_body() -> None:
    reading = Reading(pieces(b""))
    assert await reading("read") == b""
    assert list(reading.stream) == []
    await reading.inbound.stop()


OPERATIONS = st.one_of(
    st.tuples(st.just("read"), st.integers(-1, 12)),
    st.tuples(st.just("readline"), st.integers(-1, 12)),
    st.tuples(st.just("readlines"), st.integers(-1, 12)),
    st.tuples(st.just("readinto"), st.integers(0, 12)),
    st.just(("readline",)),
    st.just(("__next__",)),
    st.just(("read",)),
)


def apply(stream: Any, operation: tuple[Any, ...]) -> object:
    name, *args = operation
    if name == "readinto":
        buffer = bytearray(args[0])
        size = stream.readinto(buffer)
        return bytes(buffer[:size])
    try:
        return getattr(stream, name)(*args)
    except StopIteration:
        return None


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text("ab\n", max_size=6).map(str.encode), max_size=6), st.lists(OPERATIONS, max_size=8))
def test_it_reads_like_a_file(bodies: list[bytes], operations: list[tuple[Any, ...]]) -> None:
    async def read() -> list[object]:
        reading = Reading(pieces(*bodies, b""))
        results = await asyncio.to_thread(lambda: [apply(reading.stream, operation) for operation in operations])
        await reading.inbound.stop()
        return results

    reference = io.BufferedReader(io.BytesIO(b"".join(bodies)))
    assert asyncio.run(read()) == [apply(reference, operation) for operation in operations]


async def test_a_slow_app_holds_the_client_back() -> None:
    piece = b"x" * 65536
    client = pieces(*[piece] * 100)
    reading = Reading(client)
    assert await reading("read", 1) == b"x"
    await asyncio.sleep(0.01)
    assert client.received * len(piece) <= READ_AHEAD + 2 * len(piece)
    assert len(await reading("read")) == 100 * len(piece) - 1
    await reading.inbound.stop()


@pytest.mark.parametrize("read", [("read",), ("read", 100), ("readline",), ("readlines",), ("__next__",)])
async def test_a_client_gone_half_way_is_an_error_and_not_the_end(read: tuple[Any, ...]) -> None:
    reading = Reading(Client([request(b"some", more=True), DISCONNECT]), 100)
    for _ in range(2):
        with pytest.raises(ClientDisconnected):
            await reading(*read)
    assert isinstance(ClientDisconnected(), OSError)
    assert reading.gone
    await reading.inbound.stop()


async def test_a_body_shorter_than_declared_is_an_error() -> None:
    reading = Reading(pieces(b"some"), 5)
    with pytest.raises(ClientDisconnected, match="declared length"):
        await reading("read")
    await reading.inbound.stop()


async def test_a_body_longer_than_declared_is_cut() -> None:
    reading = Reading(pieces(b"some", b"thing", b"more"), 6)
    assert await reading("read") == b"someth"
    await reading.inbound.stop()


async def test_what_receive_raises_reaches_the_app_as_the_cause() -> None:
    class TooLarge(Exception):
        pass

    async def receive() -> Any:
        raise TooLarge

    inbound = Inbound(receive, lambda: None)
    stream = inbound.input(None)
    with pytest.raises(ClientDisconnected) as error:
        await asyncio.to_thread(stream.read)
    assert isinstance(error.value.__cause__, TooLarge)
    await inbound.stop()


async def test_a_read_that_waits_ends_with_the_request() -> None:
    reading = Reading(Client([request(b"some", more=True)]))
    waiting = asyncio.create_task(reading("read"))
    await asyncio.sleep(0.01)
    await reading.inbound.stop()
    with pytest.raises(ClientDisconnected):
        await waiting
    with pytest.raises(ClientDisconnected):
        await reading("read", 1)
    assert not reading.gone


async def test_a_complete_body_can_be_read_after_the_client_has_gone() -> None:
    client = pieces(b"all of it")
    reading = Reading(client)
    reading.inbound.watch()
    client.leave()
    await asyncio.sleep(0.01)
    assert reading.gone
    assert await reading("read") == b"all of it"
    await reading.inbound.stop()


async def test_the_pump_and_the_app_never_wait_for_each_other() -> None:
    # The buffer is full and empty again and again, and the two sides meet in every phase of it.
    loop = asyncio.get_running_loop()
    pipe = BodyPipe(loop, None, lambda: None)
    stream = input_stream(pipe)

    async def pump() -> None:
        for number in range(400):
            await pipe.room()
            pipe.feed(bytes(READ_AHEAD // 3 + number), more=True)
        pipe.feed(b"", more=False)

    def drain() -> int:
        size = 0
        while chunk := stream.read(READ_AHEAD // 7):
            size += len(chunk)
        return size

    async with asyncio.timeout(10):
        size, _ = await asyncio.gather(asyncio.to_thread(drain), pump())
    assert size == sum(READ_AHEAD // 3 + number for number in range(400))
