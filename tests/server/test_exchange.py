"""One request of an app: what it gets, and when it is done. Over sockets."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from tests.server.scripted_app import LENGTH_5, content, sends, start
from tests.server.serving import GET, POST, Gate, Served, Truncated, answer, echo, wait_until, whole_body


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
