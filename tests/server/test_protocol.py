"""Which bytes belong to which request, and whose turn it is. Over sockets."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gateway.http1.server_side import server_side
from tests.server.serving import GET, Gate, Served, answer, echo, wait_until, whole_body

POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


async def show(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the scope."""
    seen = {key: value for key, value in scope.items() if key not in ("headers", "state", "asgi", "extensions")}
    seen["headers"] = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    body = await whole_body(receive)
    await answer(send, json.dumps({**seen, "body": body.decode()}, default=lambda raw: raw.decode("latin-1")).encode())


def seen(served: Served, request: bytes) -> dict[str, Any]:
    served.app = show
    response = served.exchange(request)
    assert response.status == 200
    found: dict[str, Any] = json.loads(response.body)
    return found


def test_the_scope(served: Served) -> None:
    scope = seen(served, b"GET /a%2Fb/%C3%A9?x=%20 HTTP/1.1\r\nHost: a:1\r\nX-A: 1\r\nx-a: 2\r\n\r\n")
    client = scope.pop("client")
    assert client[0] == "127.0.0.1"
    assert scope == {
        "type": "http",
        "http_version": "1.1",
        "server": ["127.0.0.1", served.port],
        "scheme": "http",
        "method": "GET",
        "root_path": "",
        "path": "/a/b/é",
        "raw_path": "/a%2Fb/%C3%A9",
        "query_string": "x=%20",
        "headers": [["host", "a:1"], ["x-a", "1"], ["x-a", "2"]],
        "body": "",
    }


def test_bytes_beyond_ascii_in_the_path(served: Served) -> None:
    scope = seen(served, b"GET /\xc3\xa9/\xff HTTP/1.1\r\nHost: a\r\n\r\n")
    assert scope["raw_path"] == "/Ã©/ÿ"
    assert scope["path"] == "/é/�"


def test_http_1_0(served: Served) -> None:
    with served.connect() as client:
        client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        response = client.response()
        assert response.get("connection") == "close"
        assert client.is_closed()


def test_the_target_of_the_absolute_form_replaces_host(served: Served) -> None:
    scope = seen(served, b"GET http://b:2/p?q HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n")
    assert (scope["path"], scope["query_string"]) == ("/p", "q")
    assert scope["headers"] == [["host", "b:2"], ["x", "1"]]


def test_trailers_are_dropped(served: Served) -> None:
    # RFC 9110 6.5.1.
    scope = seen(served, CHUNKED + b"5\r\nhello\r\n0\r\nX-Forwarded-For: 1.2.3.4\r\nHost: evil\r\n\r\n")
    assert scope["body"] == "hello"
    assert [name for name, _ in scope["headers"]] == ["host", "transfer-encoding"]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        (b"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /#f HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"TRACE / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n", 405),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
        (POST + b"Content-Length: +5\r\n\r\nhello", 400),
        (POST + b"Expect: something\r\nContent-Length: 0\r\n\r\n", 417),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (CHUNKED + b"x\r\n", 400),
        (CHUNKED + b"5\r\nhelloX\r\n", 400),
        (CHUNKED + b"5;" + b"a" * 300, 400),
        (CHUNKED + b"0\r\n" + b"X: y\r\n" * 3000, 431),
        (b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET /" + b"a" * 9000, 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 65536 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 66000, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 100 + b"\r\n", 431),
    ],
    ids=lambda value: (
        value[:60].decode("latin-1").encode("unicode_escape").decode() if isinstance(value, bytes) else ""
    ),
)
def test_what_is_refused(served: Served, request_bytes: bytes, status: int) -> None:
    asked = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope)
        await echo(scope, receive, send)

    served.app = app
    with served.connect() as client:
        client.send(request_bytes)
        response = client.response()
        assert response.status == status
        assert response.get("content-type") == "application/problem+json"
        assert response.get("connection") == "close"
        assert response.get("date")
        problem = json.loads(response.body)
        assert (problem["status"], problem["type"]) == (status, "about:blank")
        assert client.is_closed()
    assert not asked


def test_a_refusal_of_head_has_no_content(served: Served) -> None:
    with served.connect() as client:
        client.send(b"HEAD / HTTP/1.1\r\n\r\n")
        assert client.response(head=True).status == 400
        assert client.is_closed()


def test_options_of_the_server(served: Served) -> None:
    # No app is asked: there is no path to route by.
    served.app = show
    with served.connect() as client:
        client.send(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
        response = client.response()
        assert response.status == 204
        assert response.get("content-length") is None
        assert client.response().status == 200


def test_empty_lines_before_a_request_are_ignored(served: Served) -> None:
    # RFC 9112 2.2.
    with served.connect() as client:
        for data in (b"\r\n" + GET, b"\r\n\r\n", GET, b"\r", b"\n" + GET):
            client.send(data)
            if data.endswith(GET):
                assert client.response().status == 200


def test_a_head_in_pieces(served: Served) -> None:
    served.app = echo
    request = POST + b"Content-Length: 5\r\n\r\nhello"
    with served.connect() as client:
        for position in range(len(request)):
            client.send(request[position : position + 1])
            time.sleep(0.0005)
        assert client.response().body == b"hello"


@pytest.mark.parametrize(
    "encoded",
    [
        b"Content-Length: 5\r\n\r\nhello",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nA: b\r\n\r\n",
    ],
)
def test_pipelined_requests_are_answered_in_order(served: Served, encoded: bytes) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = await whole_body(receive)
        # Later ones would be quicker.
        await asyncio.sleep(0.05 if scope["path"] == "/1" else 0)
        await answer(send, scope["path"].encode() + body)

    served.app = app
    request = b"POST /%d HTTP/1.1\r\nHost: a\r\n" + encoded
    with served.connect() as client:
        client.send(b"".join(request % number for number in range(1, 6)))
        assert [client.response().body for _ in range(5)] == [b"/%dhello" % number for number in range(1, 6)]


def test_a_bad_request_behind_a_good_one_is_refused_in_its_turn(served: Served) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.05)
        await answer(send, b"good")

    served.app = app
    with served.connect() as client:
        client.send(GET + b"GET / HTTP/1.1\r\n\r\n")
        assert client.response().body == b"good"
        assert client.response().status == 400
        assert client.is_closed()


def test_pipelining_is_bounded(served: Served) -> None:
    gate = Gate()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await gate.passed()
        await answer(send, b"x")

    served.app = app
    with served.connect() as client:
        client.send(GET)
        wait_until(lambda: served.tasks == 1)
        # No more than the kernel's buffers and one read of ours.
        assert client.send_while_read(GET * 2_000_000) < len(GET) * 1_000_000
        assert served.tasks == 1
        gate.open()
        assert client.response().body == b"x"


def test_what_follows_connection_close_is_ignored(served: Served) -> None:
    with served.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + GET)
        response = client.response()
        assert response.get("connection") == "close"
        client.end()
        assert client.is_closed()


def test_a_body_that_nobody_reads_is_drained(served: Served) -> None:
    with served.connect() as client:
        client.send(POST + b"Content-Length: 100000\r\n\r\n" + b"x" * 50_000)
        assert client.response().body == b"hello"
        client.send(b"x" * 50_000 + GET)
        assert client.response().body == b"hello"


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 100000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n5f5e100\r\n"]
)
def test_a_long_body_that_nobody_reads_ends_the_connection(served: Served, framing: bytes) -> None:
    with served.connect() as client:
        client.send(POST + framing)
        wait_until(lambda: served.tasks == 0)
        # Told by the answer, which can be read although more was sent (no reset before it).
        client.send(b"x" * 400_000)
        response = client.response()
        assert response.body == b"hello"
        client.end()
        client.rest()
    wait_until(lambda: served.connections == 0)


def test_a_malformed_rest_of_a_body_that_nobody_reads(served: Served) -> None:
    with served.connect() as client:
        client.send(CHUNKED + b"5\r\n")
        assert client.response().body == b"hello"
        client.send(b"helloXXX")
        assert client.is_closed()


def test_reading_stops_while_the_app_does_not_want_the_body(served: Served) -> None:
    gate = Gate()
    sizes = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await gate.passed()
        while True:
            message = await receive()
            sizes.append(len(message["body"]))
            if not message["more_body"]:
                break
        await answer(send, b"%d" % sum(sizes))

    served.app = app
    size = 30_000_000
    with served.connect() as client:
        client.send(POST + b"Content-Length: %d\r\n\r\n" % size)
        wait_until(lambda: served.tasks == 1)
        sent = client.send_while_read(b"x" * size)
        assert sent < size / 2
        gate.open()
        client.send(b"x" * (size - sent))
        assert client.response().body == b"%d" % size
    # 64 KiB, and the read that went past it: 256 KiB at most.
    assert max(sizes) <= (64 + 256) * 1024


@pytest.mark.parametrize(
    ("framing", "leave"),
    [
        (b"Content-Length: 50000000\r\n\r\n", "end"),
        (CHUNKED[len(POST) :] + b"2faf080\r\n", "end"),
        (b"Content-Length: 50000000\r\n\r\n", "reset"),
    ],
)
def test_an_app_that_takes_no_more_of_the_body_can_ask_whether_the_client_has_gone(
    served: Served, caplog: pytest.LogCaptureFixture, framing: bytes, leave: str
) -> None:
    stuck, gone = Gate(), Gate()
    asked: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        side = server_side(scope)
        assert side is not None
        await stuck.passed()
        asked.append(side.client_gone())
        await gone.passed()
        while not side.client_gone():
            await asyncio.sleep(0.005)
        asked.append((await receive())["type"] == "http.disconnect")

    served.app = app
    with served.connect() as client:
        client.send(POST + framing + bytes(200_000))
        # All of it has come, and the server has stopped reading.
        time.sleep(0.1)
        stuck.open()
        wait_until(lambda: asked == [False])
        client.end() if leave == "end" else client.reset()
        gone.open()
        wait_until(lambda: asked == [False, True])
    wait_until(lambda: served.tasks == 0)
    assert caplog.messages == []


def test_a_client_that_has_ended_its_side_behind_a_whole_request_has_not_gone(served: Served) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        side = server_side(scope)
        assert side is not None
        await asyncio.sleep(0.1)
        told = side.client_gone()
        await answer(send, f"{told} {len(await whole_body(receive))}".encode())

    served.app = app
    with served.connect() as client:
        client.send(POST + b"Content-Length: 300000\r\n\r\n" + bytes(300_000))
        client.end()
        assert client.response().body == b"False 300000"


def test_too_many_requests_at_once() -> None:
    served = Served("uvloop", limit_concurrency=1)
    try:
        gate = Gate()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await gate.passed()
            await answer(send, b"first")

        served.app = app
        with served.connect() as first, served.connect() as second:
            first.send(GET)
            wait_until(lambda: served.tasks == 1)
            second.send(GET)
            response = second.response()
            assert (response.status, response.get("retry-after")) == (503, "1")
            gate.open()
            assert first.response().body == b"first"
    finally:
        served.stop()
        served.join()


def test_requests_are_counted(served: Served) -> None:
    before = served.server.server_state.total_requests
    with served.connect() as client:
        client.send(GET * 3)
        for _ in range(3):
            client.response()
    wait_until(lambda: served.server.server_state.total_requests >= before + 3)


def test_an_answer_can_be_taken_back_while_nothing_of_it_is_out(served: Served) -> None:
    told: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        side = server_side(scope)
        assert side is not None
        told.append(side.take_back())
        fields = [(b"content-length", b"500"), (b"x-first", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        if scope["path"] == "/late":
            await asyncio.sleep(0.02)
        told.append(side.take_back())
        if told[-1]:
            await answer(send, b"instead")

    served.app = app
    with served.connect() as client:
        for _ in range(2):
            client.send(GET)
            response = client.response()
            assert (response.status, response.body, response.get("x-first")) == (200, b"instead", None)
        assert told == [False, True, False, True]
        client.send(GET.replace(b"/", b"/late", 1))
        head, _, content = client.rest().partition(b"\r\n\r\n")
        assert b"x-first: 1" in head.lower()
        assert content == b""
    assert told[-2:] == [False, False]
