from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gateway.backends.overload import Overloaded
from tests.dataplane.asgi_client import CONNECT, Answer, call, get, http_scope, websocket_scope
from tests.dataplane.embedded import Serving, config, fails


async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
    await send({"type": "http.response.body", "body": b"12345", "more_body": True})
    raise ValueError("secret detail")


async def silent(scope: Scope, receive: Receive, send: Send) -> None:
    return


async def stops_short(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"12345", "more_body": True})


async def overloaded(scope: Scope, receive: Receive, send: Send) -> None:
    raise Overloaded(7)


@pytest.mark.parametrize("app", [fails, silent])
async def test_a_failure_before_the_answer_is_a_500(serve: Serving, app: Any, caplog: pytest.LogCaptureFixture) -> None:
    gateway = await serve(config(), legacy=app)
    answer = await get(gateway, "/a")
    assert answer.status == 500
    assert answer.all(b"content-type") == [b"application/problem+json"]
    assert b"secret" not in answer.body
    assert answer.json["request_id"] in caplog.text


@pytest.mark.parametrize("app", [breaks, stops_short])
async def test_a_failure_after_the_answer_began_never_completes_it(serve: Serving, app: Any) -> None:
    answer = await get(await serve(config(), legacy=app), "/a")
    assert answer.status == 200
    assert not answer.complete


async def test_a_client_that_left_is_no_failure(serve: Serving, caplog: pytest.LogCaptureFixture) -> None:
    gateway = await serve(config(), legacy=fails)
    with caplog.at_level(logging.INFO):
        answer = await call(gateway, http_scope("GET", "/a"), left=True)
    assert answer.sent == []
    assert caplog.text == ""


async def test_too_many_requests_are_told_to_come_back(serve: Serving) -> None:
    answer = await get(await serve(config(), legacy=overloaded), "/a")
    assert answer.status == 503
    assert answer.all(b"retry-after") == [b"7"]
    assert answer.json["title"] == "Service Unavailable"


async def test_a_cancelled_request_says_that_the_server_ends(serve: Serving) -> None:
    begun = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        begun.set()
        await asyncio.sleep(60)

    gateway = await serve(config(), legacy=slow)
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        sent.append(message)

    task = asyncio.create_task(gateway(http_scope("GET", "/a"), receive, send))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert Answer(sent).status == 503


async def test_a_websocket_refusal_has_a_status_where_the_server_can_send_one(serve: Serving) -> None:
    gateway = await serve(config(), legacy=fails)
    bare = await call(gateway, websocket_scope("/ws"), CONNECT)
    assert bare.sent == [{"type": "websocket.close", "code": 1011}]
    full = await call(gateway, websocket_scope("/ws", extensions={"websocket.http.response": {}}), CONNECT)
    assert [message["type"] for message in full.sent] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
    assert full.status == 500


async def test_a_websocket_app_that_fails_later_closes_with_1011(serve: Serving) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        raise ValueError("secret detail")

    answer = await call(await serve(config(), legacy=app), websocket_scope("/ws"), CONNECT)
    assert answer.sent[1:] == [{"type": "websocket.close", "code": 1011}]


@pytest.mark.parametrize("app", [fails, silent])
async def test_what_a_client_wrote_drives_no_terminal(
    serve: Serving, app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    # U+009B is ESC [ to many of them, U+0085 the end of a line to some readers, U+202E turns what follows around.
    gateway = await serve(config(), legacy=app)
    with caplog.at_level(logging.ERROR, "gateway"):
        await get(gateway, "/", raw_path="/a\u009b31m\u0085b\u202ec".encode())
    (record,) = caplog.records
    assert record.getMessage().isascii()
    assert "GET /a%C2%9B31m%C2%85b%E2%80%AEc" in record.getMessage()
