"""Clients that leave, apps that take too long, and connections that die: in every state, nothing stays behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gateway.upstream.failure import UpstreamError
from gateway.upstream.limits import PoolLimits, Timeouts
from gateway.upstream.upstream import Upstream
from tests.upstream.scripted import (
    OK,
    Client,
    Fields,
    Peer,
    a_scope,
    always,
    answering,
    app,
    ask,
    ask_as,
    eventually,
    failure_of,
    to,
)
from tests.upstream.scripts import flood, half, silent

UNSENT: Fields = [(b"content-length", b"64000000")]
# Short, so that the clock, which looks four times as often, notices a client that leaves at once.
QUICK = Timeouts(connect=0.2, send=0.2, head=0.2, idle=0.2)
PATIENT = Timeouts(connect=9, send=9, head=9, idle=9)


async def stuck(peer: Peer) -> None:
    """Takes nothing of the request's body."""
    await peer.head()
    await asyncio.sleep(60)


async def outcome(upstream: Upstream, client: Client, method: str = "GET", fields: Fields | None = None) -> str:
    try:
        await ask_as(client, upstream, method, fields)
    except UpstreamError as error:
        return error.failure.name
    return "answered"


async def leaves(upstream: Upstream, client: Client, state: Callable[[], bool], *request: Any) -> str:
    """How a request ends whose client leaves once ``state`` is so."""
    task = asyncio.create_task(outcome(upstream, client, *request))
    await eventually(state)
    client.leave()
    async with asyncio.timeout(2):
        return await task


def connections(upstream: Upstream) -> int:
    return sum(origin.open for origin in upstream.origins)


async def occupied(upstream: Upstream) -> asyncio.Task[str]:
    """A request that holds the only connection."""
    task = asyncio.create_task(outcome(upstream, Client()))
    await eventually(lambda: connections(upstream) == 1)
    return task


class TestTheClientLeaves:
    async def test_while_it_waits_for_a_connection(self) -> None:
        async with (
            app(silent) as served,
            to(served.url, timeouts=PATIENT, limits=PoolLimits(connections=1)) as upstream,
        ):
            holding = await occupied(upstream)
            assert await leaves(upstream, Client(), lambda: upstream.pool.waiting == 1) == "CLIENT_LEFT"
            assert (upstream.pool.waiting, connections(upstream)) == (0, 1)
            holding.cancel()

    async def test_while_the_connection_is_being_opened(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def never(*_: Any, **__: Any) -> Any:
            await asyncio.sleep(60)

        async with to("http://127.0.0.1:9", timeouts=PATIENT) as upstream:
            monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
            client = Client()
            assert await leaves(upstream, client, lambda: upstream.origins[0].connecting == 1) == "CLIENT_LEFT"
            assert connections(upstream) == 0

    async def test_before_it_has_sent_anything_of_its_body(self) -> None:
        async with app(silent) as served, to(served.url, timeouts=PATIENT) as upstream:
            client = Client([])
            client.asked = 1
            assert await leaves(upstream, client, lambda: client.asked == 2, "POST", UNSENT) == "CLIENT_LEFT"
            assert served.peers == []

    async def test_in_the_middle_of_its_body(self) -> None:
        async with app(silent) as served, to(served.url, timeouts=PATIENT) as upstream:

            class Leaving(Client):
                @property
                def more(self) -> bool:
                    return True

            client = Leaving([b"part"])
            assert await leaves(upstream, client, lambda: client.asked == 2, "POST", UNSENT) == "CLIENT_LEFT"
            assert connections(upstream) == 0
            # The app is told by the end of its connection: it has not got the whole request.
            await eventually(lambda: served.peers[0].heard.endswith(b"part"))

    async def test_while_the_app_takes_nothing_of_the_body(self) -> None:
        # Another server than ours does not tell of a client that is gone behind bytes that are not read (ours:
        # tests/dataplane/test_client_leaves.py). There the time limit ends it.
        async with app(stuck) as served, to(served.url, timeouts=QUICK) as upstream:
            client = Client([bytes(640_000)] * 100)
            assert await leaves(upstream, client, lambda: client.asked > 2, "POST", UNSENT) == "SEND_TIMEOUT"
            assert connections(upstream) == 0

    async def test_while_the_app_thinks(self) -> None:
        async with app(silent) as served, to(served.url, timeouts=PATIENT) as upstream:
            client = Client()
            assert await leaves(upstream, client, lambda: len(served.peers) == 1) == "CLIENT_LEFT"
            assert (connections(upstream), client.status) == (0, 0)

    async def test_while_the_app_thinks_about_its_body(self) -> None:
        async with app(silent) as served, to(served.url, timeouts=PATIENT) as upstream:
            client = Client([b"ab", b"cd"])
            fields = [(b"content-length", b"4")]
            assert await leaves(upstream, client, lambda: client.asked == 3, "POST", fields) == "CLIENT_LEFT"
            assert connections(upstream) == 0

    async def test_while_the_app_has_not_asked_for_the_body_yet(self) -> None:
        async with app(silent) as served, to(served.url, timeouts=Timeouts(go_ahead=0.05)) as upstream:
            client = Client()
            client.asked = 1
            fields = [(b"expect", b"100-continue"), (b"content-length", b"4")]
            assert await leaves(upstream, client, lambda: client.asked == 2, "POST", fields) == "CLIENT_LEFT"
            assert connections(upstream) == 0

    @pytest.mark.parametrize("parts", [[], [b"ab"]])
    async def test_and_the_server_says_so_by_raising(self, parts: list[bytes]) -> None:
        class Raising(Client):
            async def receive(self) -> Any:
                if self.asked == len(self.parts):
                    raise OSError("gone")
                return await super().receive()

            @property
            def more(self) -> bool:
                return True

        async with app(silent) as served, to(served.url, timeouts=PATIENT) as upstream:
            async with asyncio.timeout(2):
                if parts:
                    assert await outcome(upstream, Raising(parts), "POST", UNSENT) == "CLIENT_LEFT"
                else:
                    assert await outcome(upstream, Raising()) == "CLIENT_LEFT"
            assert connections(upstream) == 0

    async def test_in_the_middle_of_the_answer(self) -> None:
        async with app(half) as served, to(served.url, timeouts=PATIENT) as upstream:
            client = Client()
            assert await leaves(upstream, client, lambda: client.body == b"begin") == "CLIENT_LEFT"
            assert (connections(upstream), client.complete) == (0, False)

    async def test_while_it_takes_nothing_of_the_answer(self) -> None:
        async with app(flood) as served, to(served.url, timeouts=PATIENT) as upstream:
            client = Client()
            client.reading.clear()
            assert await leaves(upstream, client, lambda: connections(upstream) == 1) == "CLIENT_LEFT"
            assert connections(upstream) == 0

    async def test_the_servers_own_cancelling_is_not_swallowed(self) -> None:
        async with app(silent) as served, to(served.url, timeouts=PATIENT) as upstream:
            task = asyncio.create_task(outcome(upstream, Client()))
            await eventually(lambda: len(served.peers) == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert connections(upstream) == 0

    async def test_a_server_whose_send_raises_ends_it_too(self) -> None:
        async with app(always(OK)) as served, to(served.url) as upstream:
            client = Client()

            async def send(message: Any) -> None:
                raise OSError("gone")

            with pytest.raises(OSError, match="gone"):
                await upstream(a_scope(), client.receive, send)
            assert upstream.origins[0].busy == 0


class TestTheAppTakesTooLong:
    async def test_to_take_the_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def never(*_: Any, **__: Any) -> Any:
            await asyncio.sleep(60)

        async with to("http://127.0.0.1:9", timeouts=QUICK) as upstream:
            monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
            assert await failure_of(upstream) == "CONNECT_TIMEOUT"
            assert connections(upstream) == 0

    async def test_to_have_a_connection_free(self) -> None:
        timeouts = Timeouts(connect=0.1)
        async with (
            app(silent) as served,
            to(served.url, timeouts=timeouts, limits=PoolLimits(connections=1)) as upstream,
        ):
            holding = await occupied(upstream)
            with pytest.raises(UpstreamError) as caught:
                await ask(upstream)
            assert (caught.value.failure.name, caught.value.failure.status) == ("QUEUE_TIMEOUT", 503)
            assert caught.value.retry_after == 1
            assert (upstream.pool.waiting, connections(upstream)) == (0, 1)
            holding.cancel()

    async def test_to_take_the_request(self) -> None:
        async with app(stuck) as served, to(served.url, timeouts=QUICK) as upstream:
            body = [bytes(640_000)] * 100
            assert await failure_of(upstream, method="POST", headers=UNSENT, body=body) == "SEND_TIMEOUT"

    async def test_to_begin_its_answer(self) -> None:
        async with app(silent) as served, to(served.url, timeouts=QUICK) as upstream:
            assert await failure_of(upstream) == "HEAD_TIMEOUT"
            assert connections(upstream) == 0

    async def test_between_two_parts_of_its_answer(self) -> None:
        async with app(half) as served, to(served.url, timeouts=QUICK) as upstream:
            client = Client()
            assert await outcome(upstream, client) == "IDLE_TIMEOUT"
            assert (client.status, client.body, client.complete) == (200, b"begin", False)

    async def test_altogether(self) -> None:
        async def drip(peer: Peer) -> None:
            await peer.head()
            await peer.say(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                await peer.say(b"x")
                await asyncio.sleep(0.02)

        async with app(drip) as served, to(served.url, timeouts=Timeouts(total=0.2)) as upstream:
            client = Client()
            assert await outcome(upstream, client) == "TOTAL_TIMEOUT"
            assert not client.complete

    async def test_a_stream_that_goes_on_is_governed_by_idle_alone(self) -> None:
        async def drip(peer: Peer) -> None:
            await peer.head()
            await peer.say(b"HTTP/1.1 200 OK\r\n\r\n")
            for _ in range(12):
                await peer.say(b"x")
                await asyncio.sleep(0.05)

        async with app(drip) as served, to(served.url, timeouts=QUICK) as upstream:
            assert (await ask(upstream)).body == b"x" * 12

    async def test_a_client_that_reads_slowly_is_not_the_apps_fault(self) -> None:
        async with app(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbeg", OK)) as served:

            async def script(peer: Peer) -> None:
                await peer.head()
                await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbeg")
                await asyncio.sleep(0.1)
                await peer.say(b"in end")
                await peer.rest()

            async with app(script) as served, to(served.url, timeouts=QUICK) as upstream:
                client = Client()
                client.reading.clear()
                task = asyncio.create_task(outcome(upstream, client))
                await asyncio.sleep(0.5)
                client.reading.set()
                assert await task == "answered"
                assert client.body == b"begin end"


class TestTheConnectionDies:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
    async def test_a_reused_one_costs_nothing_if_the_request_may_be_sent_again(self, method: str) -> None:
        async def once(peer: Peer) -> None:
            await peer.head()
            await peer.say(b"HTTP/1.1 204 No Content\r\n\r\n")
            await peer.head()

        async with app(once, always(b"HTTP/1.1 204 No Content\r\n\r\n")) as served, to(served.url) as upstream:
            assert (await ask(upstream, method)).status == 204
            assert (await ask(upstream, method)).status == 204
            assert served.peers[0].heard == served.peers[1].heard * 2

    async def test_with_a_small_body_that_has_come_whole_too(self) -> None:
        async def once(peer: Peer) -> None:
            for answer in (OK, b""):
                await peer.head()
                await peer.read(2)
                await peer.say(answer)

        async def good(peer: Peer) -> None:
            await peer.head()
            await peer.read(2)
            await peer.say(OK)

        async with app(once, good) as served, to(served.url) as upstream:
            for _ in range(2):
                answer = await ask(upstream, "PUT", headers=[(b"content-length", b"2")], body=[b"ab"])
                assert answer.body == b"hi"
            assert len(served.peers) == 2

    @pytest.mark.parametrize(
        ("method", "fields", "body"),
        [
            ("POST", [], []),
            ("PATCH", [], []),
            ("POST", [(b"content-length", b"2")], [b"ab"]),
            ("PUT", [(b"content-length", b"2")], [b"a", b"b"]),
        ],
    )
    async def test_what_may_not_be_sent_twice_is_not(self, method: str, fields: Fields, body: list[bytes]) -> None:
        async def once(peer: Peer) -> None:
            await peer.head()
            await peer.say(OK)
            await peer.head()
            if body:
                await peer.read(2)

        async with app(once, always(OK)) as served, to(served.url) as upstream:
            assert (await ask(upstream)).body == b"hi"
            assert await failure_of(upstream, method, headers=fields, body=body) == "NO_ANSWER"
            assert len(served.peers) == 1

    async def test_a_new_one_is_no_reason_to_send_again(self) -> None:
        async def rude(peer: Peer) -> None:
            await peer.head()

        async with app(rude) as served, to(served.url) as upstream:
            assert await failure_of(upstream) == "NO_ANSWER"
            assert len(served.peers) == 1

    async def test_nothing_is_sent_more_than_twice(self) -> None:
        async def once(peer: Peer) -> None:
            await peer.head()
            await peer.say(OK)
            await peer.head()

        async def rude(peer: Peer) -> None:
            await peer.head()

        async with app(once, rude) as served, to(served.url) as upstream:
            assert (await ask(upstream)).body == b"hi"
            assert await failure_of(upstream) == "NO_ANSWER"
            assert len(served.peers) == 2

    async def test_after_the_first_byte_of_an_answer_nothing_is_sent_again(self) -> None:
        async def once(peer: Peer) -> None:
            await peer.head()
            await peer.say(OK)
            await peer.head()
            await peer.say(b"HTTP/1.1 ")

        async with app(once, always(OK)) as served, to(served.url) as upstream:
            assert (await ask(upstream)).body == b"hi"
            assert await failure_of(upstream) == "NO_ANSWER"
            assert len(served.peers) == 1

    async def test_idle_ones_that_the_app_closes_are_forgotten(self) -> None:
        async with app(answering(OK)) as served, to(served.url) as upstream:
            await ask(upstream)
            served.peers[0].finish()
            await eventually(lambda: connections(upstream) == 0)
            assert (await ask(upstream, "POST")).body == b"hi"

    async def test_an_app_that_is_down(self) -> None:
        async with app(silent) as served:
            url = served.url
        async with to(url) as upstream:
            for method in ("GET", "POST"):
                with pytest.raises(UpstreamError) as caught:
                    await ask(upstream, method)
                assert caught.value.failure.name == "CONNECT"
                assert caught.value.failure.status == 502
            assert connections(upstream) == 0


@pytest.mark.parametrize("parts", [[], [b"a", b"b"]])
async def test_no_task_stays_behind(parts: list[bytes]) -> None:
    ends: list[Callable[[Upstream], Awaitable[Any]]] = [
        lambda upstream: failure_of(upstream, "POST", headers=[(b"content-length", b"2")], body=parts or [b"ab"]),
        lambda upstream: failure_of(upstream),
    ]
    async with to("http://127.0.0.1:9", timeouts=QUICK) as upstream:
        for end in ends:
            await end(upstream)
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1
