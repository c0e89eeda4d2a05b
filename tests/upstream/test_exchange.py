"""Requests over real sockets to scripted apps: the bytes that go out, and what becomes of those that come back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.upstream.failure import Failure, UpstreamError
from gateway.upstream.limits import Timeouts
from tests.upstream.scripted import (
    OK,
    Client,
    Peer,
    a_scope,
    always,
    answering,
    app,
    ask,
    eventually,
    failure_of,
    to,
)

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_request_and_its_answer() -> None:
    raw = b"HTTP/1.1 201 Made\r\nServer: x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 5\r\n\r\nhello"
    async with app(answering(raw)) as served, to(served.url) as upstream:
        answer = await ask(upstream, "GET", b"//evil/%2e?q=%20&q=2", [(b"host", b"shop.example"), (b"accept", b"*/*")])
    assert (answer.status, answer.body, answer.complete) == (201, b"hello", True)
    assert answer.headers == [
        (b"server", b"x"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"content-length", b"5"),
    ]  # fmt: skip
    assert served.peers[0].heard == (
        b"GET //evil/%2e?q=%20&q=2 HTTP/1.1\r\nhost: shop.example\r\naccept: */*\r\nVia: 1.1 strangler-gateway\r\n\r\n"
    )


async def test_connections_are_used_again() -> None:
    async with app(always(OK)) as served, to(served.url) as upstream:
        for _ in range(5):
            assert (await ask(upstream)).body == b"hi"
        assert repr(upstream.pool) == f"<Pool [<Origin {served.url} busy=0 idle=1 connecting=0>] waiting=0>"
    assert len(served.peers) == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        OK + b"\0",
    ],
)
async def test_connections_of_which_more_would_be_wrong_are_not_used_again(raw: bytes) -> None:
    async with app(answering(raw)) as served, to(served.url) as upstream:
        for _ in range(2):
            assert (await ask(upstream)).body == b"hi"
        assert upstream.origins[0].open == 0
    assert len(served.peers) == 2


async def test_what_an_app_says_unasked_is_nobodys_answer() -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(OK)
        await asyncio.sleep(0.02)
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        await peer.rest()

    async with app(script) as served, to(served.url) as upstream:
        await ask(upstream)
        await eventually(lambda: not upstream.origins[0].idle)
        assert (await ask(upstream)).body == b"hi"


def body_reader(size: int, answer: bytes = OK) -> Any:
    async def script(peer: Peer) -> None:
        while True:
            await peer.head()
            await peer.read(size)
            await peer.say(answer)

    return script


@pytest.mark.parametrize(
    ("fields", "body", "sent"),
    [
        ([(b"content-length", b"6")], [b"abc", b"", b"def"], b"Content-Length: 6\r\n\r\nabcdef"),
        ([(b"content-length", b"6")], [b"abcdef"], b"Content-Length: 6\r\n\r\nabcdef"),
        ([(b"content-length", b"0")], [], b"Content-Length: 0\r\n\r\n"),
        (
            [(b"transfer-encoding", b"chunked")],
            [b"abc", b"", b"0123456789abcdef", b""],
            b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n",
        ),
        ([(b"transfer-encoding", b"chunked")], [b"all at once"], b"Content-Length: 11\r\n\r\nall at once"),
        (
            [(b"transfer-encoding", b"chunked"), (b"content-length", b"3")],
            [b"a", b"b"],
            b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
        ),
    ],
)
async def test_bodies_on_the_wire(fields: list[tuple[bytes, bytes]], body: list[bytes], sent: bytes) -> None:
    expected = b"PUT / HTTP/1.1\r\nVia: 1.1 strangler-gateway\r\n" + sent
    size = len(sent.partition(b"\r\n\r\n")[2])
    async with app(body_reader(size)) as served, to(served.url) as upstream:
        fields = [(b"host", b"a"), *fields]
        for _ in range(2):
            assert (await ask(upstream, "PUT", headers=fields, body=body)).complete
    assert len(served.peers) == 1
    assert served.peers[0].heard == expected.replace(b"\r\nVia", b"\r\nhost: a\r\nVia") * 2


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_request_without_a_body_is_framed_as_none(method: str) -> None:
    async with app(answering(OK)) as served, to(served.url) as upstream:
        await ask(upstream, method, headers=[])
    assert served.peers[0].heard == method.encode() + b" / HTTP/1.1\r\nVia: 1.1 strangler-gateway\r\n\r\n"


async def test_a_body_of_http_2_needs_no_field() -> None:
    async with app(body_reader(3)) as served, to(served.url) as upstream:
        await ask(upstream, "POST", headers=[(b"host", b"a")], body=[b"abc"], version="2")
    assert served.peers[0].heard == (
        b"POST / HTTP/1.1\r\nhost: a\r\nVia: 2 strangler-gateway\r\nContent-Length: 3\r\n\r\nabc"
    )
    async with app(answering(OK)) as served, to(served.url) as upstream:
        await ask(upstream, "GET", headers=[(b"host", b"a")], version="2")
    assert served.peers[0].heard == b"GET / HTTP/1.1\r\nhost: a\r\nVia: 2 strangler-gateway\r\n\r\n"


async def test_http_1_0_clients_get_the_host_that_http_1_1_needs() -> None:
    async with app(always(OK)) as served, to(served.url) as upstream:
        await ask(upstream, headers=[], version="1.0")
        await ask(upstream, headers=[(b"host", b"a")], version="1.0")
    host = served.url.removeprefix("http://").encode()
    assert b"GET / HTTP/1.1\r\nVia: 1.0 strangler-gateway\r\nHost: " + host in served.peers[0].heard
    assert served.peers[0].heard.lower().count(b"host: ") == 2


async def test_the_host_can_be_the_apps_own() -> None:
    async with app(answering(OK)) as served, to(served.url, keep_host=False) as upstream:
        await ask(upstream)
    assert f"\r\nHost: 127.0.0.1:{served.port}\r\n".encode() in served.peers[0].heard
    assert b"shop.example" not in served.peers[0].heard


async def test_the_place_where_the_gateway_is_mounted_is_taken_off_and_told() -> None:
    async with app(always(OK)) as served, to(served.url) as upstream:
        for target in (b"/shop/books?a=/shop", b"/shop", b"/shop%20x/y"):
            await ask(upstream, target=target, headers=[], root_path="/shop")
        await ask(upstream, target=b"/a%20b/c", headers=[], root_path="/a b")
    heard = served.peers[0].heard
    assert [line.split()[1] for line in heard.split(b"\r\n") if b"HTTP/1.1" in line] == [
        b"/books?a=/shop", b"/", b"/shop%20x/y", b"/c",
    ]  # fmt: skip
    assert heard.count(b"\r\nX-Forwarded-Prefix: /shop\r\n") == 3
    assert heard.count(b"\r\nX-Forwarded-Prefix: /a%20b\r\n") == 1


async def test_addresses_of_the_app_itself_become_public() -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        own = f"http://127.0.0.1:{served.port}".encode()
        await peer.say(
            b"HTTP/1.1 302 Found\r\nLocation: %b/a?b\r\nContent-Location: %b0/x\r\n"
            b"Set-Cookie: a=1; Domain=127.0.0.1; Path=/\r\nSet-Cookie: b=2; Domain=shop.example\r\n"
            b"Content-Length: 0\r\n\r\n" % (own, own)
        )
        await peer.rest()

    async with app(script) as served, to(served.url) as upstream, to(served.url, rewrite=False) as untouched:
        public = (await ask(upstream, target=b"/m/x", root_path="/m")).headers
        own = (await ask(untouched)).headers
    assert public == [
        (b"location", b"http://shop.example/m/a?b"),
        (b"content-location", f"http://127.0.0.1:{served.port}0/x".encode()),
        (b"set-cookie", b"a=1; Path=/"),
        (b"set-cookie", b"b=2; Domain=shop.example"),
        (b"content-length", b"0"),
    ]
    assert own[0] == (b"location", f"http://127.0.0.1:{served.port}/a?b".encode())
    assert own[2] == (b"set-cookie", b"a=1; Domain=127.0.0.1; Path=/")


async def test_a_request_that_may_go_no_further_is_answered_here() -> None:
    fields = [(b"host", b"a"), (b"max-forwards", b"0")]
    async with app(always(OK)) as served, to(served.url) as upstream:
        assert (await ask(upstream, "OPTIONS", headers=fields)).status == 200
        assert (await ask(upstream, "TRACE", headers=fields)).status == 405
        assert served.peers == []
        assert (await ask(upstream, "GET", headers=fields)).body == b"hi"


@pytest.mark.parametrize("fields", [[(b"x", b"a\r\nb: c")], [(b"content-length", b"1"), (b"content-length", b"2")]])
async def test_a_request_that_would_become_two_is_refused(fields: list[tuple[bytes, bytes]]) -> None:
    async with app(answering(OK)) as served, to(served.url) as upstream:
        assert await failure_of(upstream, headers=fields) == "BAD_REQUEST"
        assert await failure_of(upstream, target=b"/a b") == "BAD_REQUEST"
    assert served.peers == []


@pytest.mark.parametrize("body", [[b"ab", b"c"], [b"abcd"], [b"abc"], [b"abc", b"de"]])
async def test_a_body_of_another_length_than_announced_is_refused(body: list[bytes]) -> None:
    async with app(answering(OK)) as served, to(served.url) as upstream:
        wrong = [(b"content-length", b"4" if len(b"".join(body)) != 4 else b"5")]
        assert await failure_of(upstream, method="POST", headers=wrong, body=body) == "BAD_REQUEST"
        assert upstream.origins[0].open == 0


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
        task = asyncio.create_task(_run(upstream, client))
        await asyncio.wait_for(client.began.wait(), 1)
        assert client.body == b""
        gate.set()
        await eventually(lambda: client.body == b"data:")
        assert not client.complete
        gate.set()
        await task
    assert client.complete


async def _run(upstream: Any, client: Client, method: str = "GET", fields: Any = None) -> None:
    await upstream(a_scope(method, headers=fields), client.receive, client.send)


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
        await asyncio.wait_for(_run(upstream, client, "POST", [(b"transfer-encoding", b"chunked")]), 2)
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
        await asyncio.wait_for(_run(upstream, client, "POST", [(b"content-length", b"1000000000")]), 2)
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
            await _run(upstream, client)
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
            await _run(upstream, client, "POST", self.FIELDS)
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


@pytest.mark.parametrize(
    ("raw", "rest"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", b""),
        (CHUNKED + b"5\r\nhello\r\n", b""),
        (CHUNKED + b"5\r\nhello\r\n", b"nonsense\r\n"),
    ],
)
async def test_an_answer_that_breaks_off_ends_broken(raw: bytes, rest: bytes) -> None:
    client = Client()

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(raw)
        await client.began.wait()
        await peer.say(rest)

    async with app(script) as served, to(served.url) as upstream:
        with pytest.raises(UpstreamError) as caught:
            await _run(upstream, client)
        assert caught.value.failure in (Failure.TRUNCATED, Failure.BAD_BODY)
        assert (client.status, client.complete) == (200, False)
        assert client.body in (b"", b"hello")
        assert upstream.origins[0].open == 0


async def test_an_answer_that_is_broken_before_the_client_saw_any_of_it_is_none() -> None:
    """The client had got its head, and then the end, where it could have had a 502."""
    async with app(answering(CHUNKED + b"5\r\nhello\r\nnonsense\r\n")) as served, to(served.url) as upstream:
        client = Client()
        with pytest.raises(UpstreamError) as caught:
            await _run(upstream, client)
        assert caught.value.failure is Failure.BAD_BODY
        assert client.status == 0


async def test_an_answer_until_the_end_of_the_connection() -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.say(b"HTTP/1.1 200 OK\r\n\r\nhel")
        await asyncio.sleep(0.01)
        await peer.say(b"lo")

    async def cut(peer: Peer) -> None:
        await peer.head()
        await peer.say(b"HTTP/1.1 200 OK\r\n\r\nhel")
        await asyncio.sleep(0.01)
        peer.reset()

    async with app(script, cut) as served, to(served.url) as upstream:
        answer = await ask(upstream)
        assert (answer.body, answer.complete) == (b"hello", True)
        # RFC 9112 8: a reset is no end.
        assert await failure_of(upstream) == "TRUNCATED"


@pytest.mark.parametrize(
    "raw",
    [
        b"hello\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 9000 + b"\r\n",
    ],
)
async def test_an_answer_that_is_none_is_bad(raw: bytes) -> None:
    async with app(answering(raw)) as served, to(served.url) as upstream:
        assert await failure_of(upstream) == "BAD_HEAD"
        assert upstream.origins[0].open == 0


async def test_a_unix_socket(tmp_path: Any) -> None:
    path = str(tmp_path / "app.sock")
    async with app(always(OK), path=path) as served, to(f"unix:{path}", keep_host=False) as upstream:
        assert (await ask(upstream)).body == b"hi"
        assert (await ask(upstream)).body == b"hi"
    assert b"\r\nHost: localhost\r\n" in served.peers[0].heard
    assert len(served.peers) == 1


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
        task = asyncio.create_task(_run(upstream, client))
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
        task = asyncio.create_task(_run(upstream, client, "POST", [(b"content-length", b"64000000")]))
        await asyncio.sleep(0.2)
        before = client.asked
        await asyncio.sleep(0.1)
        assert before == client.asked < 250
        go_on.set()
        await asyncio.wait_for(task, 10)
    assert client.body == b"hi"
