"""One WebSocket over a real connection whose peer is silent, dead, slow, or too fast."""

from __future__ import annotations

import asyncio

import pytest
from websockets.protocol import CLIENT

from gateway.websocket.end import Cause, Closed, End
from gateway.websocket.limits import MESSAGE_SIZE, Limits
from tests.websocket.loops import eventually, on_each_loop, on_one_loop
from tests.websocket.wire import BINARY, HURRIED, PING, PONG, TEXT, connected, end_of, frame


@on_one_loop
async def test_a_silent_peer_is_pinged_and_lives_if_it_answers() -> None:
    async with connected(limits=HURRIED) as (stream, peer):
        for _ in range(2):
            opcode, data, _ = await peer.read_frame()
            assert opcode is PING
            await peer.send_frame(PONG, data)
        assert stream.end is None


@on_one_loop
async def test_a_peer_that_gives_no_sign_of_life_is_cut_off() -> None:
    async with connected(limits=HURRIED) as (stream, peer):
        assert await end_of(stream) == End(1006, "", Cause.LOST)
        await stream.wait_until_lost()
        while (found := await peer.read_frame())[0] is PING:
            pass
        assert found[1][:2] == (1011).to_bytes(2, "big")


@on_one_loop
async def test_a_peer_that_sends_messages_is_not_pinged() -> None:
    async with connected(limits=HURRIED) as (stream, peer):
        for _ in range(12):
            await peer.send_frame(TEXT, b"here")
            assert await stream.receive() == "here"
            await asyncio.sleep(0.025)
        await stream.send("first")
        assert await peer.read_frame() == (TEXT, b"first", True)


@on_one_loop
async def test_a_peer_that_we_do_not_listen_to_is_not_taken_for_dead() -> None:
    async with connected(limits=HURRIED) as (stream, peer):
        await peer.send_while_taken(frame(BINARY, b"x" * 100_000) * 10)
        await asyncio.sleep(0.35)
        assert stream.end is None
        assert len(await stream.receive()) == 100_000


@on_one_loop
async def test_a_peer_that_takes_nothing_is_cut_off() -> None:
    async with connected(limits=HURRIED) as (stream, _):
        await stream.send(b"x" * MESSAGE_SIZE)
        with pytest.raises(Closed):
            await stream.send(b"never taken")
        await stream.wait_until_lost()


@on_one_loop
async def test_a_peer_that_reads_slowly_is_not_cut_off() -> None:
    # Longer than the kernel holds back news of what was read: it tells of a third of its buffer, not of each byte.
    patient = Limits(ping_interval=0.4, ping_timeout=0.4, close_timeout=0.4, linger=0.4)
    async with connected(limits=patient) as (stream, peer):
        message = b"x" * 12_000_000
        await stream.send(message)
        stream.close(1000)
        got = bytearray()
        for _ in range(18):
            await asyncio.sleep(0.05)
            got += await peer.read(600_000)
        assert stream.end == End(1000, "", Cause.OURS)
        got += await peer.read(len(message) + 10 - len(got))
        assert got.endswith(b"x" * 1000)
        assert await peer.read_close() == (1000, "")


@on_each_loop
async def test_nothing_is_read_that_nobody_asks_for() -> None:
    async with connected() as (stream, peer):
        one = frame(BINARY, b"x" * 10_000)
        taken = await peer.send_while_taken(one * 2000)
        assert taken < 12_000_000, "the kernel's buffers and ours"
        sending = asyncio.create_task(peer.send((one * 2000)[taken:]))
        for _ in range(2000):
            assert len(await stream.receive()) == 10_000
        await sending


@on_each_loop
async def test_tiny_frames_are_parsed_only_as_they_are_asked_for() -> None:
    async with connected(CLIENT) as (stream, peer):
        count = 60_000
        sending = asyncio.create_task(peer.send(frame(TEXT, mask=False) * count))
        await eventually(lambda: bool(stream._incoming.unparsed))
        for _ in range(count):
            assert len(stream._incoming.messages) < 4000
            assert await stream.receive() == ""
        await sending


@on_each_loop
async def test_an_end_behind_what_nobody_has_asked_for_is_told_in_its_turn() -> None:
    async with connected(CLIENT) as (stream, peer):
        await peer.send(frame(TEXT, mask=False) * 20_000)
        await peer.send_close(4000, "all said")
        peer.end()
        await asyncio.sleep(0.02)
        for _ in range(20_000):
            assert await stream.receive() == ""
        assert await end_of(stream) == End(4000, "all said", Cause.PEER)


@on_each_loop
async def test_sending_waits_for_a_peer_that_does_not_read() -> None:
    async with connected() as (stream, peer):
        sent = 0

        async def send() -> None:
            nonlocal sent
            for _ in range(400):
                await stream.send(b"x" * 100_000)
                sent += 1

        sending = asyncio.create_task(send())
        await asyncio.sleep(0.1)
        assert 0 < sent < 120
        for _ in range(400):
            assert len((await peer.read_frame())[1]) == 100_000
        await sending


@on_each_loop
async def test_pings_of_a_peer_that_does_not_read_are_answered_once_it_does() -> None:
    async with connected() as (stream, peer):
        await stream.send(b"x" * 8_000_000)
        before = stream._transport.get_write_buffer_size()
        assert before > 0
        for count in range(2000):
            await peer.send_frame(PING, count.to_bytes(100, "big"))
        await peer.send_frame(TEXT, b"all sent")
        assert await stream.receive() == "all sent"
        assert stream._transport.get_write_buffer_size() <= before
        assert len((await peer.read_frame())[1]) == 8_000_000
        pongs = [(await peer.read_frame())[1]]
        assert pongs[-1] == (1999).to_bytes(100, "big")


@on_each_loop
async def test_progress_is_what_the_peer_does_of_its_own_accord() -> None:
    async with connected(limits=HURRIED) as (stream, peer):
        before = stream.progress()
        await peer.read_frame()
        await peer.send_frame(PONG)
        await asyncio.sleep(0.02)
        assert stream.progress() == before, "a pong only answers us"
        await peer.send_frame(PING)
        assert (await peer.read_frame())[0] is PONG
        pinged = stream.progress()
        assert pinged != before
        await peer.send(frame(BINARY, b"x" * 1000)[:500])
        await eventually(lambda: stream.progress() != pinged)
