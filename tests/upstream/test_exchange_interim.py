"""What goes before an answer: early hints, and the word to go on."""

from __future__ import annotations

import asyncio

import pytest

from gateway.upstream.limits import Timeouts
from tests.upstream.scripted import OK, Client, Peer, a_scope, answering, app, ask, ask_as, eventually, failure_of, to


class TestEarlyHints:
    HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX-A: 1\r\nlink: </b>\r\n\r\n"

    async def test_they_are_passed_on_as_they_come(self) -> None:
        client = Client()

        async def script(peer: Peer) -> None:
            await peer.head()
            await peer.say(self.HINTS)
            await eventually(lambda: len(client.hints) == 1)
            await peer.say(self.HINTS)
            await eventually(lambda: len(client.hints) == 2)
            await peer.say(OK)
            await peer.rest()

        async with app(script) as served, to(served.url) as upstream:
            await ask_as(client, upstream)
            assert (client.hints, client.body) == ([[b"</a>", b"</b>"]] * 2, b"hi")
            assert client.headers == [(b"content-length", b"2")]
            assert len(upstream.origins[0].idle) == 1

    @pytest.mark.parametrize("body", [[], [b"ab", b"cd"]])
    async def test_they_come_first_also_if_the_answer_comes_with_them(self, body: list[bytes]) -> None:
        async def script(peer: Peer) -> None:
            await peer.head()
            await peer.read(len(b"".join(body)))
            await peer.say(self.HINTS + b"HTTP/1.1 102 Processing\r\n\r\n" + OK)
            await peer.rest()

        async with app(script) as served, to(served.url) as upstream:
            fields = [(b"content-length", b"4")] if body else None
            client = await ask(upstream, "POST", headers=fields, body=body)
            assert (client.hints, client.body) == ([[b"</a>", b"</b>"]], b"hi")

    async def test_a_server_that_cannot_pass_them_on_is_not_asked_to(self) -> None:
        async with app(answering(self.HINTS + OK)) as served, to(served.url) as upstream:
            client = Client()
            scope = {**a_scope(), "extensions": None}
            await upstream(scope, client.receive, client.send)
            assert (client.hints, client.body) == ([], b"hi")

    async def test_an_answer_that_never_comes_is_late_all_the_same(self) -> None:
        async def script(peer: Peer) -> None:
            await peer.head()
            while True:
                await peer.say(self.HINTS)
                await asyncio.sleep(0.05)

        async with app(script) as served, to(served.url, timeouts=Timeouts(head=0.2)) as upstream:
            assert await failure_of(upstream) == "HEAD_TIMEOUT"


class TestExpect:
    FIELDS = [(b"host", b"a"), (b"expect", b"100-continue"), (b"content-length", b"4")]  # noqa: RUF012

    async def test_the_clients_body_is_asked_for_when_the_app_asks_for_it(self) -> None:
        client = Client([b"body"])
        asked: list[int] = []

        async def script(peer: Peer) -> None:
            head = await peer.head()
            assert b"\r\nExpect: 100-continue\r\n" in head
            await asyncio.sleep(0.05)
            asked.append(client.asked)
            await peer.say(b"HTTP/1.1 100 Continue\r\n\r\n")
            assert await peer.read(4) == b"body"
            await peer.say(OK)
            await peer.rest()

        async with app(script) as served, to(served.url) as upstream:
            await ask_as(client, upstream, "POST", self.FIELDS)
            assert (client.body, asked) == (b"hi", [0])
            assert len(upstream.origins[0].idle) == 1

    async def test_an_answer_instead_leaves_the_body_with_the_client(self) -> None:
        raw = b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"
        async with app(answering(raw)) as served, to(served.url) as upstream:
            answer = await ask(upstream, "POST", headers=self.FIELDS, body=[b"body"])
            assert (answer.status, answer.asked) == (417, 0)
            # The app may still wait for a body on this connection.
            assert upstream.origins[0].open == 0

    async def test_an_app_that_knows_nothing_of_it_gets_the_body_after_a_while(self) -> None:
        async def script(peer: Peer) -> None:
            await peer.head()
            await peer.read(4)
            await peer.say(OK)

        async with app(script) as served, to(served.url, timeouts=Timeouts(go_ahead=0.05)) as upstream:
            assert (await ask(upstream, "POST", headers=self.FIELDS, body=[b"bo", b"dy"])).body == b"hi"
