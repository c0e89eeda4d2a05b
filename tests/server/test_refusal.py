"""What the front door answers itself: its bytes, and what no app gets to see, over sockets."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.types import Receive, Scope, Send

from gateway.server.refusal import Refusal
from tests.server.serving import CHUNKED, GET, POST, Gate, Served, answer, echo, wait_until


def test_is_a_whole_response_with_problem_details() -> None:
    answer = Refusal(405, "Not that.", ((b"allow", b"GET"),)).answer(b"\r\ndate: today")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 405 Method Not Allowed",
        b"Content-Type: application/problem+json",
        b"Content-Length: %d" % len(body),
        b"Cache-Control: no-store",
        b"allow: GET",
        b"Connection: close",
        b"date: today",
    ]
    # RFC 9457, as gateway/dataplane/problem_json.py has it.
    assert json.loads(body) == {
        "type": "about:blank",
        "title": "Method Not Allowed",
        "status": 405,
        "detail": "Not that.",
    }


def test_of_a_head_request_it_has_no_content() -> None:
    refusal = Refusal(400, "No.")
    whole = refusal.answer(b"")
    assert refusal.answer(b"", bodiless=True) == whole[: whole.index(b"\r\n\r\n") + 4]


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
