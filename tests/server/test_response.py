"""What becomes of an app's answer on its way out: its framing, and how one that is wrong ends. Over sockets."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.http1.server_side import server_side
from tests.server.scripted_app import LENGTH_5, content, sends, start
from tests.server.serving import GET, HTTP_1_0, Gate, Served, Truncated, answer, wait_until


def test_date_is_sent_once(served: Served) -> None:
    assert served.exchange(GET).get("date")
    sends(served, start(LENGTH_5, (b"date", b"then")), content(b"hello"))
    assert served.exchange(GET).all("date") == ["then"]


def test_content_in_one_message_has_its_length(served: Served) -> None:
    sends(served, start(), content(b"hello"))
    response = served.exchange(GET)
    assert (response.body, response.get("content-length")) == (b"hello", "5")


def test_content_in_several_messages_is_chunked(served: Served) -> None:
    sends(served, start(), content(b"he", True), content(b"", True), content(b"llo", True), content(b"!"))
    response = served.exchange(GET)
    assert (response.body, response.get("transfer-encoding")) == (b"hello!", "chunked")


def test_the_app_does_not_choose_the_framing(served: Served) -> None:
    sends(served, start((b"transfer-encoding", b"chunked")), content(b"hello"))
    response = served.exchange(GET)
    assert (response.body, response.all("transfer-encoding")) == (b"hello", [])
    sends(served, start((b"transfer-encoding", b"chunked"), LENGTH_5), content(b"hello"))
    assert served.exchange(GET).body == b"hello"


def test_large_content(served: Served) -> None:
    large = bytes(range(256)) * 4000
    sends(
        served, start((b"content-length", b"%d" % len(large))), content(large[:500_000], True), content(large[500_000:])
    )
    assert served.exchange(GET).body == large
    sends(served, start(), content(large, True), content(large))
    assert served.exchange(GET).body == large * 2


def test_an_event_stream_begins_before_its_first_event(served: Served) -> None:
    gate = Gate()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start((b"content-type", b"text/event-stream")))
        await gate.passed()
        await send(content(b"data: 1\n\n", True))
        await send(content())

    served.app = app
    with served.connect() as client:
        client.send(GET)
        assert b"text/event-stream" in client.until(b"\r\n\r\n")
        gate.open()
        assert client.until(b"0\r\n\r\n") == b"9\r\ndata: 1\n\n\r\n0\r\n\r\n"


@pytest.mark.parametrize("headers", [[LENGTH_5], []])
def test_head_has_no_content(served: Served, headers: list[tuple[bytes, bytes]]) -> None:
    sends(served, start(*headers), content(b"hel", True), content(b"x" * 100_000, True), content(b"lo"))
    with served.connect() as client:
        client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
        for _ in range(2):
            response = client.response(head=True)
            assert response.get("content-length") == ("5" if headers else None)
            assert response.get("transfer-encoding") is None
        assert not client.buffer


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_content(served: Served, status: int) -> None:
    sends(served, start(LENGTH_5, status=status), content(b"hello"))
    with served.connect() as client:
        client.send(GET * 2)
        for _ in range(2):
            response = client.response()
            assert response.status == status
            # RFC 9110 8.6: with 304 it is the length that 200 would have had.
            assert response.get("content-length") == (None if status == 204 else "5")
            assert response.get("transfer-encoding") is None
        assert not client.buffer


def test_the_app_can_close_the_connection(served: Served) -> None:
    sends(served, start(LENGTH_5, (b"connection", b"close")), content(b"hello"))
    with served.connect() as client:
        client.send(GET)
        response = client.response()
        assert (response.body, response.all("connection")) == (b"hello", ["close"])
        assert client.is_closed()


def test_http_1_0_gets_no_chunks(served: Served) -> None:
    # RFC 9112 7.1.
    sends(served, start(), content(b"he", True), content(b"llo"))
    response = served.exchange(HTTP_1_0)
    assert (response.body, response.get("transfer-encoding"), response.get("connection")) == (b"hello", None, "close")


@pytest.mark.parametrize(
    "messages",
    [
        [start(LENGTH_5), content(b"hel")],
        [start(LENGTH_5), content(b"hello!")],
        [start(LENGTH_5), content(b"hello!", True)],
        [start((b"x", b"a\r\nset-cookie: b"))],
        [start((b"x\r\n", b"a"))],
        [start((b"content-length", b"five")), content()],
        [start(status=101), content()],
        [start(status=42)],
        [start(), start()],
        [content(b"hello")],
        [start(), {"type": "http.response.unknown"}],
        [start(LENGTH_5)],
        [],
    ],
)
def test_a_wrong_answer_of_which_nothing_is_out_becomes_a_500(
    served: Served, messages: list[Message], caplog: pytest.LogCaptureFixture
) -> None:
    sends(served, *messages)
    with served.connect() as client:
        client.send(GET)
        response = client.response()
        assert response.status == 500
        assert response.get("content-type") == "application/problem+json"
        assert response.get("set-cookie") is None
        # Nothing of the inside.
        assert "Traceback" not in json.loads(response.body)["detail"]
        assert client.is_closed()


@pytest.mark.parametrize(
    "messages",
    [
        [start(LENGTH_5), content(b"he", True)],
        [start(LENGTH_5), content(b"he", True), content(b"l")],
        [start(LENGTH_5), content(b"he", True), content(b"llo!!!")],
        [start(), content(b"he", True)],
    ],
)
def test_an_answer_that_is_cut_short_is_seen_to_be(served: Served, messages: list[Message]) -> None:
    sends(served, *messages)
    with pytest.raises(Truncated):
        served.exchange(GET)


def test_an_answer_that_is_cut_short_is_seen_to_be_by_http_1_0(served: Served) -> None:
    # Only the connection's end delimits the content, so it must not end as it would if that were all.
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await send(content(b"he", True))
        await gate.passed()

    served.app = app
    gate = Gate()
    with served.connect() as client:
        client.send(HTTP_1_0)
        client.until(b"he")
        gate.open()
        with pytest.raises(ConnectionResetError):
            client.rest()


def test_what_the_app_had_written_arrives_before_the_break(served: Served) -> None:
    large = b"x" * 300_000
    sends(served, start(), content(large, True))
    with served.connect() as client:
        client.send(GET)
        client.until(b"\r\n\r\n")
        client.until(b"\r\n")
        assert client.exactly(300_000) == large
        assert client.rest() == b"\r\n"


def test_the_stream_waits_for_the_client(served: Served) -> None:
    sent = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send(start())
        for _ in range(200):
            await send(content(b"x" * 100_000, True))
            sent += 100_000
        await send(content())

    served.app = app
    with served.connect() as client:
        client.send(GET)
        wait_until(lambda: sent > 0)
        while True:
            seen = sent
            time.sleep(0.1)
            if seen == sent:
                break
        # The kernel's buffers, and 64 KiB of ours.
        assert sent < 15_000_000
        assert len(client.response().body) == 20_000_000


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
