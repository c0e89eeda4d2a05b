"""A request and an answer that are on their way at the same time, and ends of which one is slow."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.upstream.scripted import CHUNKED, OK, Client, Peer, app, ask, ask_as, eventually, to


async def test_the_first_byte_goes_on_at_once() -> None:
    gate = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(CHUNKED)
        await gate.wait()
        gate.clear()
        await peer.say(b"5\r\ndata:\r\n")
        await gate.wait()
        await peer.say(b"0\r\n\r\n")

    async with app(script) as served, to(served.url) as upstream:
        client = Client()
        task = asyncio.create_task(ask_as(client, upstream))
        await asyncio.wait_for(client.began.wait(), 1)
        assert client.body == b""
        gate.set()
        await eventually(lambda: client.body == b"data:")
        assert not client.complete
        gate.set()
        await task
    assert client.complete


async def test_the_answer_passes_while_the_request_is_still_being_sent() -> None:
    more = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.read(len(b"3\r\none\r\n"))
        await peer.say(CHUNKED + b"3\r\nONE\r\n")
        more.set()
        await peer.read(len(b"3\r\ntwo\r\n0\r\n\r\n"))
        await peer.say(b"3\r\nTWO\r\n0\r\n\r\n")
        await peer.rest()

    class Talking(Client):
        async def receive(self) -> Any:
            if self.asked == 1:
                await more.wait()
                await eventually(lambda: self.body == b"ONE")
            return await super().receive()

    async with app(script) as served, to(served.url) as upstream:
        client = Talking([b"one", b"two"])
        await asyncio.wait_for(ask_as(client, upstream, "POST", [(b"transfer-encoding", b"chunked")]), 2)
        assert (client.body, client.complete) == (b"ONETWO", True)
        assert len(upstream.origins[0].idle) == 1


async def test_an_early_refusal_is_passed_on_and_the_sending_stops() -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\n")
        await asyncio.sleep(0.05)
        await peer.say(b"big")
        await peer.rest()

    class Endless(Client):
        async def receive(self) -> Any:
            await asyncio.sleep(0.001)
            self.asked += 1
            return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    async with app(script) as served, to(served.url) as upstream:
        client = Endless()
        await asyncio.wait_for(ask_as(client, upstream, "POST", [(b"content-length", b"1000000000")]), 2)
        assert (client.status, client.body, client.complete) == (413, b"big", True)
        assert client.asked < 30
        assert upstream.origins[0].open == 0


async def test_an_answer_to_a_request_not_read_to_its_end_is_passed_on_with_a_reset_behind_it() -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        # Closing with bytes unread resets the connection (RFC 9112 9.6).
        peer.finish()

    for _ in range(5):
        async with app(script) as served, to(served.url) as upstream:
            client = await ask(upstream, "POST", headers=[(b"content-length", b"8000000")], body=[bytes(100_000)] * 80)
            assert (client.status, client.body) == (413, b"big")


async def test_the_app_goes_no_faster_than_the_client_reads() -> None:
    said = 0

    async def script(peer: Peer) -> None:
        nonlocal said
        await peer.head()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 64000000\r\n\r\n")
        for _ in range(1000):
            await peer.say(bytes(64_000))
            said += 64_000

    async with app(script) as served, to(served.url) as upstream:
        client = Client()
        client.reading.clear()
        task = asyncio.create_task(ask_as(client, upstream))
        await asyncio.sleep(0.2)
        before = said
        await asyncio.sleep(0.1)
        # What the sockets of both sides hold, and no more.
        assert before == said < 16_000_000
        client.reading.set()
        await asyncio.wait_for(task, 10)
    assert len(client.body) == 64_000_000


async def test_the_client_sends_no_faster_than_the_app_reads() -> None:
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.head()
        await go_on.wait()
        await peer.read(64_000_000)
        await peer.say(OK)

    async with app(script) as served, to(served.url) as upstream:
        client = Client([bytes(64_000)] * 1000)
        task = asyncio.create_task(ask_as(client, upstream, "POST", [(b"content-length", b"64000000")]))
        await asyncio.sleep(0.2)
        before = client.asked
        await asyncio.sleep(0.1)
        assert before == client.asked < 250
        go_on.set()
        await asyncio.wait_for(task, 10)
    assert client.body == b"hi"
