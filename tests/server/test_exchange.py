"""One request and its answer. Over sockets."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from tests.server.serving import GET, Gate, Served, Truncated, answer, echo, wait_until, whole_body

POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
HTTP_1_0 = b"GET / HTTP/1.0\r\n\r\n"


def start(*headers: tuple[bytes, bytes], status: int = 200) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def content(body: bytes = b"", more: bool = False) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def sends(served: Served, *messages: Message) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    served.app = app


LENGTH_5 = (b"content-length", b"5")


# The response.


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


# What the app does.


@pytest.mark.parametrize("error", [ValueError("secret"), SystemExit(3), asyncio.CancelledError()])
def test_an_app_that_raises(served: Served, error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    served.app = app
    response = served.exchange(GET)
    assert response.status == (503 if isinstance(error, asyncio.CancelledError) else 500)
    assert b"secret" not in response.body
    served.app = echo
    assert served.exchange(GET).status == 200
    logged = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(logged) == (0 if isinstance(error, asyncio.CancelledError) else 1)


def test_an_app_that_raises_after_its_answer(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, b"hello")
        raise ValueError

    served.app = app
    with served.connect() as client:
        for _ in range(2):
            client.send(GET)
            assert client.response().body == b"hello"
    wait_until(lambda: served.tasks == 0)
    assert caplog.text.count("after its answer was complete") == 2


def test_an_answer_broken_off_by_an_app_that_has_said_why_is_not_logged_again(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    sends(served, start(LENGTH_5), content(b"he", True))
    with pytest.raises(Truncated):
        served.exchange(GET)
    wait_until(lambda: served.tasks == 0)
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


def test_work_after_the_answer_does_not_hold_up_the_next_request(served: Served) -> None:
    gate = Gate()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, b"hello")
        if scope["path"] == "/slow":
            await gate.passed()

    served.app = app
    with served.connect() as client:
        client.send(GET.replace(b" / ", b" /slow "))
        assert client.response().body == b"hello"
        client.send(GET)
        assert client.response().body == b"hello"
        wait_until(lambda: served.tasks == 1)
        gate.open()
        wait_until(lambda: served.tasks == 0)


def test_context_variables_do_not_leak_into_the_next_request(served: Served) -> None:
    from contextvars import ContextVar

    user: ContextVar[str] = ContextVar("user", default="nobody")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        before = user.get()
        user.set("somebody")
        await answer(send, before.encode())

    served.app = app
    with served.connect() as client:
        for _ in range(3):
            client.send(GET)
            assert client.response().body == b"nobody"


HINT: Message = {"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload", b"</b.js>"]}


def test_early_hints_go_out_at_once(served: Served) -> None:
    gate = Gate()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert "http.response.early_hint" in scope["extensions"]
        await send(HINT)
        await gate.passed()
        await send({**HINT, "links": []})
        await answer(send, b"hello")

    served.app = app
    with served.connect() as client:
        for _ in range(2):
            client.send(GET)
            hinted = client.response()
            assert (hinted.status, hinted.headers) == (103, [("Link", "</a.css>; rel=preload"), ("Link", "</b.js>")])
            gate.open()
            assert client.response().headers == []
            assert client.response().body == b"hello"


def test_early_hints_come_before_the_head_or_not_at_all(served: Served) -> None:
    sends(served, start(LENGTH_5), HINT, content(b"he", True), HINT, content(b"llo"))
    with served.connect() as client:
        client.send(GET)
        assert client.response().status == 103
        answered = client.response()
        assert (answered.status, answered.body) == (200, b"hello")


def test_http_1_0_gets_no_early_hints(served: Served) -> None:
    sends(served, HINT, start(LENGTH_5), content(b"hello"))
    assert served.exchange(HTTP_1_0).status == 200


@pytest.mark.parametrize("link", [b"</a>\r\nX: 1", b"\0"])
def test_early_hints_that_end_their_line_are_refused(served: Served, link: bytes) -> None:
    sends(served, {**HINT, "links": [b"</b>", link]}, start(LENGTH_5), content(b"hello"))
    assert served.exchange(GET).status == 500


# The request.


def test_the_body_as_it_arrives(served: Served) -> None:
    messages: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            messages.append(await receive())
            if not messages[-1]["more_body"]:
                break
        await answer(send, b"ok")

    served.app = app
    with served.connect() as client:
        client.send(POST + b"Content-Length: 6\r\n\r\nab")
        wait_until(lambda: len(messages) == 1)
        client.send(b"cd")
        wait_until(lambda: len(messages) == 2)
        client.send(b"ef")
        assert client.response().body == b"ok"
    assert [message["body"] for message in messages] == [b"ab", b"cd", b"ef"]
    assert [message["more_body"] for message in messages] == [True, True, False]


def test_a_request_without_a_body(served: Served) -> None:
    messages: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        messages.append(await receive())
        await answer(send, b"ok")
        messages.append(await receive())

    served.app = app
    assert served.exchange(GET).body == b"ok"
    wait_until(lambda: len(messages) == 2)
    assert messages == [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]


def test_asking_again_and_again_whether_the_client_is_there(served: Served) -> None:
    # Starlette's request.is_disconnected() gives up each receive() at once.
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        exchange: Any = receive.__self__  # type: ignore[attr-defined]
        for _ in range(100):
            try:
                await asyncio.wait_for(receive(), 0.0001)
            except TimeoutError:
                continue
        await answer(send, b"%d" % len(exchange._receivers._futures))

    served.app = app
    assert served.exchange(GET).body == b"0"


def test_the_answer_before_the_body_has_come(served: Served) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(LENGTH_5))
        await send(content(b"he", True))
        body = await whole_body(receive)
        await send(content(body))

    served.app = app
    with served.connect() as client:
        client.send(POST + b"Content-Length: 3\r\n\r\n")
        client.until(b"he")
        client.send(b"llo")
        client.until(b"llo")
        client.send(GET)
        client.until(b"\r\n\r\n")


# 100-continue, RFC 9110 10.1.1.

EXPECTING = POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"


def test_continue_is_sent_once_and_when_the_body_is_asked_for(served: Served) -> None:
    gate = Gate()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await gate.passed()
        await echo(scope, receive, send)

    served.app = app
    with served.connect() as client:
        client.send(EXPECTING)
        wait_until(lambda: served.tasks == 1)
        client.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.more()
        client.socket.settimeout(5)
        gate.open()
        assert client.response().status == 100
        client.send(b"he")
        client.send(b"llo")
        assert client.response().body == b"hello"
        client.send(GET)
        assert client.response().status == 200


def test_no_continue_for_a_body_that_comes_unasked(served: Served) -> None:
    served.app = echo
    with served.connect() as client:
        client.send(EXPECTING + b"hello")
        response = client.response()
        assert (response.status, response.body) == (200, b"hello")


def test_no_continue_when_the_body_is_not_wanted(served: Served) -> None:
    with served.connect() as client:
        client.send(EXPECTING)
        response = client.response()
        # Whether the body comes now is not known, so nothing can be read after it.
        assert (response.status, response.get("connection")) == (200, "close")
        client.end()
        assert client.is_closed()


def test_no_continue_for_http_1_0(served: Served) -> None:
    served.app = echo
    with served.connect() as client:
        client.send(EXPECTING.replace(b"1.1", b"1.0"))
        client.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.more()
        client.send(b"hello")
        assert client.response().body == b"hello"


# The client leaves.


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    await send(start())
    while True:
        await send(content(b"x" * 1000, True))
        await asyncio.sleep(0.001)


def test_a_client_that_resets_is_told_to_the_app(served: Served) -> None:
    messages: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        messages.append(await receive())
        # Dropped in silence.
        await answer(send, b"too late")
        messages.append(await receive())

    served.app = app
    with served.connect() as client:
        client.send(GET)
        wait_until(lambda: served.tasks == 1)
        client.reset()
    wait_until(lambda: len(messages) == 2)
    assert messages == [{"type": "http.disconnect"}] * 2
    wait_until(lambda: served.connections == 0)


def test_a_client_that_leaves_a_stream_is_told_to_the_app(served: Served) -> None:
    left = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        streaming = asyncio.ensure_future(stream(scope, receive, send))
        left.append(await receive())
        # What it sends from now on is dropped.
        await asyncio.sleep(0.01)
        assert not streaming.done()
        streaming.cancel()

    served.app = app
    with served.connect() as client:
        client.send(GET)
        client.until(b"x")
    wait_until(lambda: bool(left))
    assert left == [{"type": "http.disconnect"}]
    wait_until(lambda: served.connections == 0)


def test_a_client_that_leaves_in_the_middle_of_its_body(served: Served) -> None:
    ends = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await whole_body(receive)
        except EOFError:
            ends.append("cut short")

    served.app = app
    for framing in (b"Content-Length: 5\r\n\r\nhe", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"):
        with served.connect() as client:
            client.send(POST + framing)
            wait_until(lambda: served.tasks == 1)
        wait_until(lambda: served.tasks == 0)
    assert ends == ["cut short"] * 2


def test_a_client_that_breaks_the_framing_of_its_body(served: Served) -> None:
    ends = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await whole_body(receive)
        except EOFError:
            ends.append("cut short")

    served.app = app
    with served.connect() as client:
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhe")
        wait_until(lambda: served.tasks == 1)
        client.send(b"lloXX")
        assert client.response().status == 400
        assert client.is_closed()
    wait_until(lambda: ends == ["cut short"])


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
