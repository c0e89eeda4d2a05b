"""One WebSocket over a real connection: messages and ends."""

from __future__ import annotations

import asyncio

import pytest
from websockets.protocol import CLIENT, SERVER

from gateway.websocket.end import Cause, Closed, End
from gateway.websocket.limits import MESSAGE_SIZE, Limits
from tests.websocket.loops import eventually, on_each_loop
from tests.websocket.wire import BINARY, CLOSE, CONTINUATION, HURRIED, PING, PONG, TEXT, connected, end_of, frame


@on_each_loop
async def test_text_and_binary_are_kept_apart_and_empty_ones_are_messages() -> None:
    async with connected() as (stream, peer):
        for opcode, data in ((TEXT, "grün".encode()), (BINARY, b"\xff\0"), (TEXT, b""), (BINARY, b"")):
            await peer.send_frame(opcode, data)
        assert [await stream.receive() for _ in range(4)] == ["grün", b"\xff\0", "", b""]
        for message in ("grün", b"\xff\0", "", b""):
            await stream.send(message)
        sent = [await peer.read_frame() for _ in range(4)]
        assert sent == [
            (TEXT, "grün".encode(), True),
            (BINARY, b"\xff\0", True),
            (TEXT, b"", True),
            (BINARY, b"", True),
        ]


@on_each_loop
async def test_a_message_in_fragments_is_one_message_with_a_ping_in_between() -> None:
    async with connected() as (stream, peer):
        await peer.send_frame(TEXT, "ü".encode()[:1], fin=False)
        await peer.send_frame(PING, b"there?")
        await peer.send_frame(CONTINUATION, b"", fin=False)
        await peer.send_frame(CONTINUATION, "ü".encode()[1:])
        assert await stream.receive() == "ü"
        assert await peer.read_frame() == (PONG, b"there?", True)


@on_each_loop
async def test_the_client_masks_and_the_server_does_not() -> None:
    # The peers of these tests assert it of every frame that they read.
    for side in (CLIENT, SERVER):
        async with connected(side) as (stream, peer):
            await stream.send("hello")
            assert await peer.read_frame() == (TEXT, b"hello", True)
            await peer.send_frame(TEXT, b"hello")
            assert await stream.receive() == "hello"


@on_each_loop
async def test_the_longest_message_passes_in_both_directions() -> None:
    message = bytes(range(256)) * (MESSAGE_SIZE // 256)
    async with connected() as (stream, peer):
        sending = asyncio.create_task(peer.send_frame(BINARY, message))
        assert await stream.receive() == message
        await sending
        await stream.send(message)
        assert await peer.read_frame() == (BINARY, message, True)


@on_each_loop
async def test_a_longer_message_ends_with_1009_before_it_has_come() -> None:
    async with connected(limits=Limits(message=1000)) as (stream, peer):
        await peer.send(frame(BINARY, b"x" * 1001)[:10])
        assert (await peer.read_close())[0] == 1009
        assert await end_of(stream) == End(1009, stream.end.reason if stream.end else "", Cause.FAULT)


@on_each_loop
async def test_fragments_that_add_up_to_more_end_with_1009() -> None:
    async with connected(limits=Limits(message=1000)) as (stream, peer):
        await peer.send_frame(BINARY, b"x" * 600, fin=False)
        await peer.send_frame(CONTINUATION, b"x" * 400)
        assert len(await stream.receive()) == 1000
        await peer.send_frame(BINARY, b"x" * 600, fin=False)
        await peer.send_frame(CONTINUATION, b"x" * 401)
        assert (await peer.read_close())[0] == 1009


@on_each_loop
async def test_text_that_is_not_utf_8_ends_with_1007_after_what_came_before() -> None:
    async with connected() as (stream, peer):
        await peer.send(frame(TEXT, b"good") + frame(TEXT, b"\xff") + frame(TEXT, b"late"))
        assert await stream.receive() == "good"
        assert (await end_of(stream)).code == 1007
        assert (await peer.read_close())[0] == 1007
        assert await peer.is_ended()


@on_each_loop
async def test_what_is_no_frame_ends_with_1002() -> None:
    async with connected() as (stream, peer):
        await peer.send(frame(TEXT, b"unmasked", mask=False))
        assert (await peer.read_close())[0] == 1002
        assert (await end_of(stream)).cause is Cause.FAULT


@on_each_loop
async def test_a_close_frame_is_answered_and_told_after_the_messages_before_it() -> None:
    async with connected() as (stream, peer):
        await peer.send_frame(TEXT, b"last")
        await peer.send_close(4001, "done")
        assert await peer.read_close() == (4001, "done")
        assert await peer.is_ended()
        assert await stream.receive() == "last"
        assert await end_of(stream) == End(4001, "done", Cause.PEER)
        assert await end_of(stream) == End(4001, "done", Cause.PEER), "however often one asks"
        with pytest.raises(Closed):
            await stream.send("too late")


@on_each_loop
async def test_an_empty_close_frame_is_1005_and_answered_by_an_empty_one() -> None:
    async with connected() as (stream, peer):
        await peer.send(frame(CLOSE, b""))
        assert await peer.read_close() == (1005, "")
        assert await end_of(stream) == End(1005, "", Cause.PEER)


@on_each_loop
async def test_the_end_of_the_connection_without_a_close_frame_is_1006() -> None:
    for how in ("end", "reset"):
        async with connected() as (stream, peer):
            getattr(peer, how)()
            assert await end_of(stream) == End(1006, "", Cause.LOST)
            await stream.wait_until_lost()


@on_each_loop
async def test_closing_sends_the_frame_and_drops_what_still_comes() -> None:
    async with connected() as (stream, peer):
        await peer.send_frame(TEXT, b"unread")
        stream.close(1001, "going")
        assert await end_of(stream) == End(1001, "going", Cause.OURS)
        assert await peer.read_close() == (1001, "going")
        await peer.send_frame(TEXT, b"crossed it")
        await peer.send_close(1001)
        assert await peer.is_ended()
        peer.end()
        await stream.wait_until_lost()
        assert await end_of(stream) == End(1001, "going", Cause.OURS)


@on_each_loop
async def test_closing_with_1005_sends_an_empty_frame() -> None:
    async with connected() as (stream, peer):
        stream.close(1005)
        assert await peer.read_close() == (1005, "")


@on_each_loop
async def test_closing_twice_is_closing_once() -> None:
    async with connected(CLIENT) as (stream, peer):
        stream.close(1000)
        stream.close(1011)
        assert await peer.read_close() == (1000, "")
        assert stream.end == End(1000, "", Cause.OURS)


@on_each_loop
async def test_who_does_not_answer_a_close_frame_is_cut_off_in_time() -> None:
    for side in (SERVER, CLIENT):
        async with connected(side, HURRIED) as (stream, peer):
            stream.close(1000)
            await peer.send_frame(TEXT, b"never mind")
            await stream.wait_until_lost()


@on_each_loop
async def test_who_goes_on_after_its_close_frame_is_cut_off_in_time() -> None:
    async with connected(SERVER, HURRIED) as (stream, peer):
        await peer.send_close(1000)

        async def flood() -> None:
            while True:
                await peer.send_frame(BINARY, b"x" * 1000)
                await asyncio.sleep(0.01)

        flooding = asyncio.create_task(flood())
        await stream.wait_until_lost()
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)


@on_each_loop
async def test_the_client_waits_for_the_server_to_end_the_connection_first() -> None:
    async with connected(CLIENT) as (stream, peer):
        await peer.send_close(1000)
        assert await peer.read_close() == (1000, "")
        await asyncio.sleep(0.02)
        assert not stream.lost
        peer.end()
        assert await peer.is_ended()
        await stream.wait_until_lost()


@on_each_loop
async def test_our_last_words_survive_bytes_that_we_never_read() -> None:
    async with connected(limits=Limits(message=1000)) as (stream, peer):
        sending = asyncio.create_task(peer.send_frame(BINARY, b"x" * 20_000_000))
        assert (await end_of(stream)).code == 1009
        # What is still on its way is read and dropped: a reset would overtake the close frame.
        assert (await peer.read_close())[0] == 1009
        await sending
        assert await peer.is_ended()


@on_each_loop
async def test_what_came_before_a_reset_is_still_read() -> None:
    async with connected(CLIENT) as (stream, peer):
        await peer.send(frame(TEXT, mask=False) * 20_000)
        await peer.send_close(1000)
        await eventually(lambda: bool(stream._incoming.unparsed))
        peer.reset()
        stream._transport.abort()
        await stream.wait_until_lost()
        for _ in range(20_000):
            assert await stream.receive() == ""
        assert (await end_of(stream)).code == 1006


@on_each_loop
async def test_who_waits_is_woken_by_the_end() -> None:
    async with connected() as (stream, peer):
        waiting = asyncio.create_task(end_of(stream))
        await asyncio.sleep(0)
        peer.reset()
        assert (await waiting).code == 1006


@on_each_loop
async def test_a_cancelled_reader_loses_no_message() -> None:
    async with connected() as (stream, peer):
        waiting = asyncio.create_task(stream.receive())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await peer.send_frame(TEXT, b"kept")
        assert await stream.receive() == "kept"


@on_each_loop
async def test_repr_tells_the_state() -> None:
    async with connected() as (stream, _):
        assert repr(stream) == "<Stream server open>"
        stream.close(1000)
        assert repr(stream) == "<Stream server ended 1000>"
        stream.abort()
        await stream.wait_until_lost()
        assert repr(stream) == "<Stream server lost>"
