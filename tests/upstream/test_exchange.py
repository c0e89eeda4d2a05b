"""Requests over real sockets to scripted apps: the bytes that go out, and what becomes of those that come back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.upstream.failure import Failure, UpstreamError
from tests.upstream.scripted import (
    CHUNKED,
    OK,
    Client,
    Peer,
    always,
    answering,
    app,
    ask,
    ask_as,
    eventually,
    failure_of,
    to,
)


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
            await ask_as(client, upstream)
        assert caught.value.failure in (Failure.TRUNCATED, Failure.BAD_BODY)
        assert (client.status, client.complete) == (200, False)
        assert client.body in (b"", b"hello")
        assert upstream.origins[0].open == 0


async def test_an_answer_that_is_broken_before_the_client_saw_any_of_it_is_none() -> None:
    """The client had got its head, and then the end, where it could have had a 502."""
    async with app(answering(CHUNKED + b"5\r\nhello\r\nnonsense\r\n")) as served, to(served.url) as upstream:
        client = Client()
        with pytest.raises(UpstreamError) as caught:
            await ask_as(client, upstream)
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
