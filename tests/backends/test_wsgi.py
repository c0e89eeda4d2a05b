"""The bridge as an ASGI application: bodies, the queue, clients that leave, the end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from starlette.types import Message

from gateway.backends.overload import Overloaded
from gateway.backends.wsgi import SMALL_BODY, WsgiApp
from tests.backends.asgi import DISCONNECT, Client, http_scope, request, until
from tests.backends.wsgi_apps import PLAIN, Body, Bridge, answer


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [PLAIN])
    return [environ["wsgi.input"].read()]


class Gatekeeper:
    """An app whose requests wait inside it until they are let go."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.paths: list[str] = []
        self.go = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.paths.append(environ["PATH_INFO"])
        self.entered.release()
        self.go.wait(5)
        start_response("200 OK", [PLAIN])
        return [b"done"]

    async def wait_entered(self) -> None:
        assert await asyncio.to_thread(self.entered.acquire, timeout=5)


def post(*headers: tuple[bytes, bytes]) -> dict[str, object]:
    return http_scope("POST", headers=headers)


# Bodies


async def test_a_request_without_a_body_receives_nothing(bridge: Bridge) -> None:
    client = await Client([]).call(bridge(echo))
    assert client.body == b""
    assert client.received == 0


async def test_a_small_body_is_gathered(bridge: Bridge) -> None:
    client = Client([request(b"one ", more=True), request(b"two")])
    await client.call(bridge(echo), post((b"content-length", b"7")))
    assert client.body == b"one two"


@pytest.mark.parametrize("size", [SMALL_BODY, SMALL_BODY + 1, 10 * SMALL_BODY])
async def test_bodies_of_every_size(bridge: Bridge, size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    incoming = [request(body[at : at + 50_000], more=True) for at in range(0, size, 50_000)]
    client = await Client([*incoming, request()]).call(bridge(echo), post((b"content-length", b"%d" % size)))
    assert client.body == body


@pytest.mark.parametrize("headers", [[(b"transfer-encoding", b"chunked")], []])
async def test_a_body_of_unknown_length(bridge: Bridge, headers: list[tuple[bytes, bytes]]) -> None:
    client = Client([request(b"one ", more=True), request(b"two", more=True), request()])
    await client.call(bridge(echo), post(*headers))
    assert client.body == b"one two"


async def test_a_slow_sender_of_a_small_body_holds_no_thread(bridge: Bridge) -> None:
    app = bridge(echo, threads=1, queue=0)
    slow = Client([request(b"a", more=True)])
    task = asyncio.create_task(slow.call(app, post((b"content-length", b"5"))))
    await asyncio.sleep(0.005)
    assert (await Client().call(app)).complete
    task.cancel()
    await asyncio.wait([task])


async def test_a_small_body_that_does_not_come_is_no_request(bridge: Bridge) -> None:
    called = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        called.append(environ)
        return echo(environ, start_response)

    client = Client([request(b"a", more=True), DISCONNECT])
    await client.call(bridge(app), post((b"content-length", b"5")))
    assert client.sent == []
    assert called == []


async def test_an_answer_before_the_body_has_come_goes_out_at_once(bridge: Bridge) -> None:
    app = bridge(answer([b"too large"], "413 Too Large"))
    client = Client([request(b"a", more=True)])
    async with asyncio.timeout(2):
        await client.call(app, post((b"content-length", b"1000000")))
    assert (client.status, client.body, client.received) == (413, b"too large", 0)


# The queue


async def test_a_full_queue_refuses_before_anything_is_sent(bridge: Bridge) -> None:
    inner = Gatekeeper()
    app = bridge(inner, threads=1, queue=2)
    clients = [Client() for _ in range(3)]
    tasks = [asyncio.create_task(client.call(app)) for client in clients]
    await inner.wait_entered()
    refused = Client()
    with pytest.raises(Overloaded) as error:
        await refused.call(app)
    assert error.value.retry_after >= 1
    assert refused.sent == []
    inner.go.set()
    await asyncio.gather(*tasks)
    assert all(client.complete for client in clients)


async def test_many_slow_requests_lose_none_and_do_not_block_the_loop(bridge: Bridge) -> None:
    def slow(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        time.sleep(0.02)
        return echo(environ, start_response)

    app = bridge(slow, threads=32, queue=1024)
    tasks = [asyncio.create_task(Client().call(app)) for _ in range(1000)]
    turns = 0
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0.001)
        turns += 1
    assert all(task.result().complete for task in tasks)
    assert turns > 20


async def test_a_client_that_leaves_the_queue_is_not_served(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.backends.wsgi.QUEUE_WATCH", 0.002)
    inner = Gatekeeper()
    app = bridge(inner, threads=1, queue=1)
    first = asyncio.create_task(Client().call(app, http_scope(path="/first")))
    await inner.wait_entered()
    leaving = Client()
    second = asyncio.create_task(leaving.call(app, http_scope(path="/second")))
    await asyncio.sleep(0.005)
    leaving.leave()
    async with asyncio.timeout(2):
        await second
    assert leaving.sent == []
    third = asyncio.create_task(Client().call(app, http_scope(path="/third")))  # there is room again
    await asyncio.sleep(0.005)
    inner.go.set()
    await asyncio.gather(first, third)
    assert inner.paths == ["/first", "/third"]


async def test_a_request_cancelled_in_the_queue_is_not_run(bridge: Bridge) -> None:
    inner = Gatekeeper()
    app = bridge(inner, threads=1, queue=1)
    first = asyncio.create_task(Client().call(app, http_scope(path="/first")))
    await inner.wait_entered()
    second = asyncio.create_task(Client().call(app, http_scope(path="/second")))
    await asyncio.sleep(0.002)
    second.cancel()
    await asyncio.wait([second])
    assert second.cancelled()
    inner.go.set()
    await first
    await app.stop()
    assert inner.paths == ["/first"]


async def test_a_client_that_waits_in_the_queue_is_served_when_it_is_watched_too(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.backends.wsgi.QUEUE_WATCH", 0.001)
    inner = Gatekeeper()
    app = bridge(inner, threads=1, queue=5)
    clients = [Client() for _ in range(4)]
    tasks = [asyncio.create_task(client.call(app)) for client in clients]
    await until(lambda: [client.received for client in clients] == [0, 2, 2, 2])
    inner.go.set()
    await asyncio.gather(*tasks)
    assert all(client.complete for client in clients)


async def test_an_uploading_client_that_waits_in_the_queue(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.backends.wsgi.QUEUE_WATCH", 0.001)
    go = threading.Event()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        go.wait(5)
        return echo(environ, start_response)

    app_ = bridge(app, threads=1)
    first = asyncio.create_task(Client().call(app_))
    upload = Client([request(b"abc", more=True), request(b"def")])
    second = asyncio.create_task(upload.call(app_, post((b"transfer-encoding", b"chunked"))))
    await asyncio.sleep(0.01)
    go.set()
    await asyncio.gather(first, second)
    assert upload.body == b"abcdef"


# The end


async def test_stop_refuses_what_waits_and_lets_the_rest_end(bridge: Bridge) -> None:
    inner = Gatekeeper()
    app = bridge(inner, threads=1, name="stopping")
    running = asyncio.create_task(Client().call(app))
    await inner.wait_entered()
    waiting = asyncio.create_task(Client().call(app))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(app.stop())
    with pytest.raises(Overloaded):
        await waiting
    with pytest.raises(Overloaded):
        await Client().call(app)
    assert not stopping.done()
    inner.go.set()
    assert (await running).complete
    await stopping
    assert not any(thread.name.startswith("stopping-") for thread in threading.enumerate())
    await app.stop()


async def test_stop_breaks_off_a_stream_that_does_not_end(bridge: Bridge) -> None:
    body = Body(*[b"x" * 40_000] * 1000)
    blocked = asyncio.Event()

    async def on_send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await blocked.wait()

    app = bridge(answer(body), name="streaming")
    client = Client(on_send=on_send)
    task = asyncio.create_task(client.call(app))
    await until(lambda: len(client.sent) > 1)
    await app.stop(grace=0.01)
    assert body.wait_closed()
    assert not any(thread.name.startswith("streaming-") for thread in threading.enumerate())
    blocked.set()
    await task
    assert not client.complete


async def test_stop_does_not_wait_for_ever(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gateway.backends.wsgi.STOP_ABANDONED", 0.01)
    inner = Gatekeeper()
    app = bridge(inner)
    task = asyncio.create_task(Client().call(app))
    await inner.wait_entered()
    async with asyncio.timeout(2):
        await app.stop(grace=0.01)
    assert "left behind" in caplog.text
    inner.go.set()
    await task


def test_one_bridge_in_one_event_loop_after_another() -> None:
    app = WsgiApp(echo, threads=1)
    for _ in range(2):
        assert asyncio.run(Client().call(app)).complete
    asyncio.run(app.stop())


def app_of_all_kinds(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/error":
        raise ValueError("a bug")
    body = environ["wsgi.input"].read()
    start_response("200 OK", [PLAIN])
    return iter([body, b"x"]) if environ["PATH_INFO"] == "/stream" else [body]


@pytest.mark.parametrize("path", ["/", "/stream", "/error"])
@pytest.mark.parametrize("headers", [[], [(b"transfer-encoding", b"chunked")]])
async def test_a_request_leaves_nothing_to_the_garbage_collector(
    bridge: Bridge, path: str, headers: list[tuple[bytes, bytes]]
) -> None:
    # What is in a cycle stays for a while, and a body's buffers are large.
    app = bridge(app_of_all_kinds)

    async def ask() -> None:
        with contextlib.suppress(ValueError):
            await Client().call(app, http_scope("POST" if headers else "GET", path, headers))
        await until(lambda: " 0 idle" not in repr(app))

    await ask()
    gc.collect()
    gc.disable()
    try:
        await ask()
        left = gc.collect()
    finally:
        gc.enable()
    assert left == 0


# What WSGI has no word for


async def test_a_websocket_is_refused(bridge: Bridge) -> None:
    client = Client([{"type": "websocket.connect"}])
    await bridge(echo)({"type": "websocket", "path": "/"}, client.receive, client.send)
    assert client.sent == [{"type": "websocket.close", "code": 1000}]


async def test_the_lifespan_of_the_server_ends_the_threads(bridge: Bridge) -> None:
    client = Client([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    app = bridge(echo)
    await app({"type": "lifespan"}, client.receive, client.send)
    assert [message["type"] for message in client.sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    with pytest.raises(Overloaded):
        await Client().call(app)


async def test_an_unknown_scope(bridge: Bridge) -> None:
    client = Client()
    with pytest.raises(ValueError, match="carrier pigeon"):
        await bridge(echo)({"type": "carrier pigeon"}, client.receive, client.send)
